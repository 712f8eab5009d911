import { createPrivateKey, type KeyObject } from 'node:crypto'
import { KeyturnError } from '../errors.ts'
import { recordIn } from '../google-api.ts'
import { filled, matching, replaceMembers } from '../json-members.ts'
import { keyReader } from '../key-document.ts'
import type { SecretText } from '../types.ts'
import type { KeyDocument } from './minted-provider.ts'

/** A key file as Google's clients take it: cloud.google.com/iam/docs/keys-create-delete shows one. */
export interface ServiceAccountKey extends KeyDocument {
  readonly projectId: string
  readonly privateKey: KeyObject
}

/** The file's own word for what it is: Google's, not the target's name. */
const TYPE = 'service_account'
const KNOWN = new Set(['project_id', 'private_key_id', 'private_key', 'client_email', 'universe_domain'])

/** `token_uri` is not read: whoever may write the secret could name a server there that is then sent what the key signs. */
export function serviceAccountKey(text: SecretText): ServiceAccountKey {
  const { read, optional, end } = keyReader(text, TYPE, KNOWN)
  optional('universe_domain', 'must be googleapis.com', (value) => (value === 'googleapis.com' ? value : undefined))
  return end<ServiceAccountKey>({
    text,
    projectId: read('project_id', 'must be the id of a project', filled),
    principal: read('private_key_id', 'must be the id of a key', matching(/^[\w-]{1,100}$/)),
    account: read('client_email', 'must be the email of a service account', matching(/^[\w.+-]+@[\w.-]+$/)),
    privateKey: read('private_key', 'must be an RSA key in PEM', rsaKey)
  })
}

/** The same file with another key, every other byte as it was. `keyFile`: the whole new file. */
export function withKey(current: ServiceAccountKey, keyFile: SecretText): SecretText {
  const made = serviceAccountKey(keyFile)
  if (made.account !== current.account)
    throw new KeyturnError('invalid/answer', `the key that Google made is for ${made.account}, not for ${current.account}`)
  const { private_key } = recordIn(JSON.parse(keyFile.reveal()))
  return replaceMembers(current.text, { private_key_id: made.principal, private_key }, KNOWN)
}

function rsaKey(value: unknown): KeyObject | undefined {
  const pem = filled(value)
  try {
    const key = pem === undefined ? undefined : createPrivateKey(pem)
    return key?.asymmetricKeyType === 'rsa' ? key : undefined
  } catch {
    return undefined
  }
}
