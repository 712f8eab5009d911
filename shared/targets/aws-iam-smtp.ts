import { createHmac } from 'node:crypto'
import { SecretText } from '../types.ts'

/**
 * The password for SES's SMTP endpoint of a region, which is the user's secret access key in another form: the user name is the
 * access key id (docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html, "Obtaining Amazon SES SMTP credentials by converting
 * existing AWS credentials"). The page lists the regions that SES has, so which of them exist is left to SES.
 */
export function smtpPassword(secretAccessKey: SecretText, region: string): SecretText {
  const seed: string | Buffer = `AWS4${secretAccessKey.reveal()}`
  const signature = [DATE, region, 'ses', 'aws4_request', 'SendRawEmail'].reduce<string | Buffer>(hmac, seed)
  return new SecretText(Buffer.concat([VERSION, Buffer.from(signature)]).toString('base64'))
}

/** Of the page's script: "These values are required to calculate the signature. Do not change them." */
const DATE = '11111111'
const VERSION = Buffer.from([0x04])
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text, 'utf8').digest()
