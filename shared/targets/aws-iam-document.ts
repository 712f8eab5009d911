import { isAwsRegion } from '../aws-region.ts'
import { KeyturnError } from '../errors.ts'
import { filled, matching, replaceMembers } from '../json-members.ts'
import { keyReader } from '../key-document.ts'
import { SecretText } from '../types.ts'
import { smtpPassword } from './aws-iam-smtp.ts'
import type { KeyDocument } from './minted-provider.ts'

export const TYPE = 'aws-iam-access-key'

/** `principal` is the access key's id, `account` the IAM user. */
export interface IamKey extends KeyDocument {
  readonly secretAccessKey: SecretText
  /** For readers that send mail by SES's SMTP. */
  readonly smtp?: { readonly region: string; readonly password: SecretText } | undefined
}

const KNOWN = new Set(['userName', 'accessKeyId', 'secretAccessKey', 'smtpRegion', 'smtpUsername', 'smtpPassword'])

/** Throws `invalid/document`, `invalid/kind`. */
export function iamKey(text: SecretText): IamKey {
  const { read, optional, end } = keyReader(text, TYPE, KNOWN)
  const id = read('accessKeyId', 'must be the id of an access key of a user (AKIA…)', accessKeyId)
  const mail = {
    smtpRegion: optional('smtpRegion', 'must be a region such as eu-west-1', awsRegion),
    smtpUsername: optional('smtpUsername', 'must be the accessKeyId', (value) => (value === id ? id : undefined)),
    smtpPassword: optional('smtpPassword', 'must be a text of visible characters', visible)
  }
  const { principal, account, secretAccessKey } = end({
    principal: id,
    account: read('userName', 'must be the name of an IAM user, without its path', userName),
    secretAccessKey: read('secretAccessKey', 'must be a text of visible characters', visible)
  })
  return { principal, account, secretAccessKey, text, smtp: smtpOf(mail) }
}

interface Mail {
  readonly smtpRegion: string | undefined
  readonly smtpUsername: string | undefined
  readonly smtpPassword: SecretText | undefined
}

/** All three or none: without the region no password can be derived, and an old one would stay in the document. */
function smtpOf({ smtpRegion, smtpUsername, smtpPassword: password }: Mail): IamKey['smtp'] {
  const missing = Object.entries({ smtpRegion, smtpUsername, smtpPassword: password }).flatMap(([name, value]) =>
    value === undefined ? [name] : []
  )
  if (smtpRegion !== undefined && password !== undefined && missing.length === 0) return { region: smtpRegion, password }
  if (missing.length === 3) return undefined
  throw new KeyturnError('invalid/document', `the secret has other fields for SMTP, and no ${missing.join(' and no ')}`)
}

/** Current's text with another key, every other byte as it was. */
export function withKey(current: IamKey, id: string, key: SecretText): SecretText {
  const password = current.smtp && smtpPassword(key, current.smtp.region)
  const values = { accessKeyId: id, secretAccessKey: key.reveal() }
  const smtp = password && { smtpUsername: id, smtpPassword: password.reveal() }
  return replaceMembers(current.text, { ...values, ...smtp }, KNOWN)
}

/**
 * API_AccessKey: 16 to 128 of [\w]. A temporary one begins with ASIA and is no user's (IAM user guide, reference_identifiers,
 * "Understanding unique ID prefixes").
 */
const accessKeyId = matching(/^(?!ASIA)\w{16,128}$/)

/** API_CreateAccessKey: 1 to 128 of [\w+=,.@-]. */
const userName = matching(/^[\w+=,.@-]{1,128}$/)

/** A line break or a blank comes from copying, and is part of no key. */
function visible(value: unknown): SecretText | undefined {
  const text = filled(value)
  return text !== undefined && /^[\x21-\x7e]+$/.test(text) ? new SecretText(text) : undefined
}

const awsRegion = (value: unknown): string | undefined => (typeof value === 'string' && isAwsRegion(value) ? value : undefined)
