import { createHash } from 'node:crypto'

/**
 * What the double of Azure Key Vault keeps, and its rules about names, values, tags and attributes. Pages are named by the
 * end of their address under learn.microsoft.com: rest/… the REST reference, key-vault/… the guide. A recording is one that
 * the tests of azure-sdk-for-js 4.6/4.7 made of the real service (sdk/keyvault/keyvault-secrets/recordings/node), named by
 * its test. An issue is owner/repository#number. Callers may rely on status, `code` and `innererror.code`; a message that no
 * source gives is marked as ours.
 */

export type SecretState = 'live' | 'deleted' | 'being deleted' | 'being recovered'
export type Tags = Readonly<Record<string, string>>
export type Body = Readonly<Record<string, unknown>>

export interface Version {
  readonly id: string
  readonly value: string
  /** Whole seconds since the epoch: IntDate, key-vault/general/about-keys-secrets-certificates. */
  readonly created: number
  updated: number
  enabled: boolean
  nbf: number | undefined
  exp: number | undefined
  tags: Tags | undefined
  contentType: string | undefined
}

export interface Secret {
  readonly name: string
  /** Oldest first, never empty. */
  readonly versions: readonly [Version, ...Version[]]
  readonly state: SecretState
  /** Whole seconds since the epoch, of a secret that is deleted or under way. */
  readonly deletedDate?: number
  readonly scheduledPurgeDate?: number
  /** It is gone when what is under way ends. */
  readonly purging?: boolean
}

export interface Vault {
  /** Known once the server listens. */
  url: string
  readonly now: () => number
  readonly seed: number
  readonly recoverableDays: number
  readonly slowDeletion: boolean
  readonly emptyPages: boolean
  /** By the name in lower case: object identifiers are case-insensitive, key-vault/general/about-keys-secrets-certificates. */
  readonly secrets: Map<string, Secret>
  /** How many versions were ever made. */
  made: number
}

export interface Request {
  readonly name: string
  /** Empty: the newest. */
  readonly version: string
  readonly query: URLSearchParams
  readonly body: Body
}

/** Undefined: an answer without a body. */
export type Operation = (vault: Vault, request: Request) => object | undefined

/** rest/api/keyvault/secrets/get-secret: every error is `{ error: { code, message, innererror: { code } } }`. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly inner?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

const REFUSAL = Symbol('refusal')
export const refuse = (refusal: Refusal): Error => Object.assign(new Error(refusal.code), { [REFUSAL]: refusal })
export const refusalOf = (e: unknown): Refusal | undefined =>
  e instanceof Error && REFUSAL in e ? (e as Error & { readonly [REFUSAL]: Refusal })[REFUSAL] : undefined

export const badParameter = (message: string): Error => refuse({ status: 400, code: 'BadParameter', message })
/**
 * What the service says of tags beyond the fifteenth (hashicorp/terraform-provider-azurerm#16780) and of a value that is too
 * long (Azure/azure-sdk-for-node#2198), the name of the property left out.
 */
export const invalidProperty = (): Error => badParameter('Property  has invalid value\r\n')
/** Recording can_get_a_secret_non_existing. */
export const notFound = (id: string): Error =>
  refuse({
    status: 404,
    code: 'SecretNotFound',
    message: `A secret with (name/id) ${id} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`
  })
export const conflict = (inner: string, message: string): Error => refuse({ status: 409, code: 'Conflict', message, inner })

export const secondsNow = (vault: Vault): number => Math.floor(vault.now() / 1000)
export const newestOf = (secret: Secret): Version => secret.versions.at(-1) ?? secret.versions[0]

/** key-vault/general/about-keys-secrets-certificates; the message: aspnet/MicrosoftConfigurationBuilders#22. */
export function checkName(name: string): void {
  if (!/^[0-9a-zA-Z-]{1,127}$/.test(name)) throw badParameter(`The request URI contains an invalid name: ${name}`)
}

/** A secret in any state; after the retention interval it is gone, key-vault/general/soft-delete-overview. */
export function lookUp(vault: Vault, name: string): Secret | undefined {
  const key = name.toLowerCase()
  const found = vault.secrets.get(key)
  if (found?.scheduledPurgeDate === undefined || found.scheduledPurgeDate > secondsNow(vault)) return found
  vault.secrets.delete(key)
  return undefined
}

/**
 * One that can be read. While a recovery is under way a read already succeeds where a write is still a conflict:
 * Azure/azure-sdk-for-net#31581, hashicorp/terraform-provider-azurerm#12432.
 */
export function findReadable(vault: Vault, { name, version }: Request): Secret {
  const secret = lookUp(vault, name)
  if (secret?.state === 'live' || secret?.state === 'being recovered') return secret
  throw notFound(version === '' ? name : `${name}/${version}`)
}

export function versionOf(secret: Secret, { name, version }: Request): Version {
  const found = version === '' ? newestOf(secret) : secret.versions.find((v) => v.id === version.toLowerCase())
  if (!found) throw notFound(`${name}/${version}`)
  return found
}

/** 32 characters that the system makes, key-vault/general/about-keys-secrets-certificates; hexadecimal in every recording. */
export function newVersionId(vault: Vault): string {
  vault.made += 1
  return arbitrary(vault, `version ${vault.made}`)
}

/** The same for the same seed, and without any relation to the order in which things were made. */
export const arbitrary = (vault: Vault, text: string): string =>
  createHash('sha256').update(`${vault.seed}/${text}`).digest('hex').slice(0, 32)

export const baseId = (vault: Vault, secret: Secret): string => `${vault.url}/secrets/${secret.name}`

/** rest/api/keyvault/secrets/get-secret, SecretAttributes; the level by the days: recordings, and DeletionRecoveryLevel there. */
export function attributesOf(vault: Vault, version: Version): object {
  return {
    enabled: version.enabled,
    nbf: version.nbf,
    exp: version.exp,
    created: version.created,
    updated: version.updated,
    recoveryLevel: vault.recoverableDays === 90 ? 'Recoverable+Purgeable' : 'CustomizedRecoverable+Purgeable',
    recoverableDays: vault.recoverableDays
  }
}

/** SecretBundle without the value: what an update, a deletion and a recovery answer (recordings can_update_a_secret, …). */
export function bundleOf(vault: Vault, secret: Secret, version: Version): object {
  return {
    id: `${baseId(vault, secret)}/${version.id}`,
    attributes: attributesOf(vault, version),
    tags: version.tags,
    contentType: version.contentType
  }
}
