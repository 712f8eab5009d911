import { KeyturnError } from '../errors.ts'
import { matching, replaceMembers } from '../json-members.ts'
import { keyReader } from '../key-document.ts'
import { SecretText } from '../types.ts'
import type { KeyDocument } from './minted-provider.ts'

export const AZURE_STORAGE_KEY = 'azure-storage-key'

/** A storage account has these two, always, and no others that sign requests. */
export const KEY_NAMES = ['key1', 'key2'] as const
export type KeyName = (typeof KEY_NAMES)[number]

/** The principal is the key's name, the account is the storage account. */
export interface StorageDocument extends KeyDocument {
  readonly principal: KeyName
  readonly subscriptionId: string
  readonly resourceGroup: string
  readonly key: SecretText
  readonly connectionString: SecretText | undefined
  /** The document says that both keys are this secret's, to be made anew. */
  readonly ownsBoth: boolean
}

// “Can't end with period” (azure-resource-manager/management/resource-name-rules): so that .. is none, which a URL would follow.
const GROUP = /^[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]$/u
const KNOWN = new Set(['subscriptionId', 'resourceGroup', 'accountName', 'keyName', 'key', 'connectionString', 'keys'])

/** Throws `invalid/document`, `invalid/kind`. */
export function storageDocument(text: SecretText): StorageDocument {
  const { read, optional, end } = keyReader(text, AZURE_STORAGE_KEY, KNOWN)
  const account = read('accountName', 'must be 3 to 24 of a-z and 0-9', matching(/^[a-z0-9]{3,24}$/))
  const key = read('key', 'must be base64', base64)
  const wanted = 'must hold one AccountKey=, the same as key, and the AccountName of accountName'
  const connectionString = optional('connectionString', wanted, (value) =>
    agrees(value, account, key) ? new SecretText(value) : undefined
  )
  const keys = optional('keys', 'must be ["key1", "key2"], or left out', (value) => (isBoth(value) ? true : undefined))
  return end<StorageDocument>({
    text,
    account,
    key,
    principal: read('keyName', 'must be key1 or key2', (value) => KEY_NAMES.find((name) => name === value)),
    subscriptionId: read('subscriptionId', 'must be a GUID', matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)),
    resourceGroup: read('resourceGroup', 'must be the name of a resource group', matching(GROUP)),
    connectionString,
    ownsBoth: keys === true
  })
}

export const otherThan = (name: KeyName): KeyName => (name === 'key1' ? 'key2' : 'key1')

/** The same document with another key, in the connection string too; every other byte as it was. */
export function withKey(current: StorageDocument, keyName: KeyName, key: SecretText): SecretText {
  const connectionString = current.connectionString?.reveal().replace(ACCOUNT_KEY, () => key.reveal())
  const fields = { keyName, key: key.reveal(), ...(connectionString !== undefined && { connectionString }) }
  return replaceMembers(current.text, fields, KNOWN)
}

// Azure's SDKs split at ; and take each name as it is written there (storage-configure-connection-string).
const ACCOUNT_KEY = /(?<=(?:^|;)\s*AccountKey=)[^;]*/g

/** A consumer that takes the connection string must get the key that is called and retired; a SAS in it could not be made anew. */
function agrees(value: unknown, account: string | undefined, key: SecretText | undefined): value is string {
  if (typeof value !== 'string') return false
  const found = value.match(ACCOUNT_KEY) ?? []
  const name = /(?:^|;)\s*AccountName=([^;]*)/.exec(value)?.[1]
  return found.length === 1 && found[0] === key?.reveal() && (name === undefined || name === account)
}

const isBoth = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 2 && KEY_NAMES.every((name) => value.includes(name))

export const base64 = (value: unknown): SecretText | undefined =>
  typeof value === 'string' && /^([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)
    ? new SecretText(value)
    : undefined

/** Both keys are one secret's only where it says so: whoever else uses the other one is cut when it is made anew. */
export function refuseUnowned({ account, ownsBoth }: StorageDocument, keyName: KeyName): void {
  if (!ownsBoth) throw new KeyturnError('conflict/key-not-ours', notOurs(account, keyName))
}

export const notOurs = (account: string, keyName: string): string =>
  `${keyName} of ${account} would be made anew, and the secret does not say that it may be: see that nobody else uses ${keyName} nor a SAS signed with it (they die), then add "keys": ["key1", "key2"] to the secret`
