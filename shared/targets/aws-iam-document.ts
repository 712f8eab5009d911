import { filled, replaceMembers } from '../json-members.ts'
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
  const region = optional('smtpRegion', 'must be a region such as eu-west-1', awsRegion)
  // Without the region a new password cannot be derived, and the old one would stay in the document.
  const smtp = region === undefined ? [optional('smtpUsername', ALONE, none), optional('smtpPassword', ALONE, none)] : []
  const found = end({
    account: read('userName', 'must be the name of an IAM user, without its path', userName),
    principal: id,
    secretAccessKey: read('secretAccessKey', 'must be a text of visible characters', secretAccessKey),
    smtpUsername: region === undefined ? '' : read('smtpUsername', 'must be the accessKeyId', (v) => (v === id ? id : undefined)),
    smtpPassword: region === undefined ? NO_PASSWORD : read('smtpPassword', 'must be a text', secretAccessKey),
    unused: smtp
  })
  const { account, principal, secretAccessKey: key, smtpPassword: password } = found
  const base = { principal, account, secretAccessKey: key, text }
  return region === undefined ? base : { ...base, smtp: { region, password } }
}

/** Current's text with another key, every other byte as it was. */
export function withKey(current: IamKey, id: string, key: SecretText): SecretText {
  const password = current.smtp && smtpPassword(key, current.smtp.region)
  const values = { accessKeyId: id, secretAccessKey: key.reveal() }
  const smtp = password && { smtpUsername: id, smtpPassword: password.reveal() }
  return replaceMembers(current.text, { ...values, ...smtp }, KNOWN)
}

const NO_PASSWORD = new SecretText('')
const ALONE = 'must not be there without smtpRegion'
const none = (): undefined => undefined

/**
 * API_AccessKey: 16 to 128 of [\w]. A temporary one begins with ASIA and is no user's (IAM user guide, reference_identifiers,
 * "Understanding unique ID prefixes").
 */
const accessKeyId = (value: unknown): string | undefined =>
  typeof value === 'string' && /^(?!ASIA)\w{16,128}$/.test(value) ? value : undefined

/** API_CreateAccessKey: 1 to 128 of [\w+=,.@-]. */
const userName = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w+=,.@-]{1,128}$/.test(value) ? value : undefined

/** A line break or a blank comes from copying, and is part of no key. */
function secretAccessKey(value: unknown): SecretText | undefined {
  const text = filled(value)
  return text !== undefined && /^[\x21-\x7e]+$/.test(text) ? new SecretText(text) : undefined
}

const awsRegion = (value: unknown): string | undefined => (typeof value === 'string' && REGION.test(value) ? value : undefined)
export const REGION = /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/
