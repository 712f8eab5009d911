import { type Code, KeyturnError } from '../errors.ts'

/** The operations that are used, by their ids in the REST reference (rest/api/keyvault/secrets). */
export type VaultOp = 'GetSecret' | 'SetSecret' | 'UpdateSecret' | 'GetSecrets' | 'GetSecretVersions' | 'GetDeletedSecret'

/** What each operation needs: the RBAC action below Microsoft.KeyVault/vaults/secrets/, and the access policy's permission. */
const NEEDS: Readonly<Record<VaultOp, string>> = {
  GetSecret: 'getSecret/action (access policy: get)',
  SetSecret: 'setSecret/action (access policy: set)',
  UpdateSecret: 'update/action (access policy: set)',
  GetSecrets: 'readMetadata/action (access policy: list)',
  GetSecretVersions: 'readMetadata/action (access policy: list)',
  GetDeletedSecret: 'readMetadata/action (access policy: get)'
}

/**
 * From `innererror.code`, which says more than `code` and the status, to keyturn's codes: key-vault/general/rest-error-codes;
 * the three of a deleted name: azure-sdk-for-net, sdk/keyvault, Sample4_ErrorHandling.
 */
const INNER: Readonly<Record<string, readonly [code: Code, says: string]>> = {
  SecretDisabled: ['disabled/secret', 'it is disabled, or this version of it: enable it'],
  ObjectIsDeletedButRecoverable: ['disabled/secret', 'it was deleted and can be recovered: recover it, or purge it'],
  ObjectIsBeingDeleted: ['disabled/secret', 'it is being deleted: recover it, or purge it, when that is done'],
  ObjectIsBeingRecovered: ['disabled/secret', 'it is being recovered: run again when that is done'],
  ForbiddenByFirewall: ['denied/store', 'the vault’s firewall does not let this address in'],
  ForbiddenByConnection: ['denied/store', 'the vault is closed to public networks: use its private endpoint']
}

/** From `code`. What says nothing here goes by the status. */
const CODE: Readonly<Record<string, readonly [code: Code, says?: string]>> = {
  SecretNotFound: ['not-found/secret'],
  BadParameter: ['invalid/request'],
  Forbidden: ['denied/store'],
  Unauthorized: ['denied/store', 'the vault does not accept the token'],
  Throttled: ['throttled/store']
}

/** Of @azure/identity (errors.ts): no token, so the call was never sent. */
export const CREDENTIAL: readonly string[] = [
  'CredentialUnavailableError',
  'AuthenticationError',
  'AuthenticationRequiredError',
  'AggregateAuthenticationError'
]

/** The SDK's error as keyturn's. Whatever has no status was not answered: a connection that broke, a time that was over. */
export function vaultError(e: unknown, op: VaultOp, name: string): KeyturnError {
  if (e instanceof KeyturnError) return e
  const { name: kind, statusCode, code } = e as { name?: string; statusCode?: number; code?: string }
  const where = `Key Vault, ${op} of ${name}`
  if (CREDENTIAL.includes(kind ?? '')) return new KeyturnError('denied/store', `${where}: the credential gives no token`, kind)
  // A TypeError is a bug of ours or the SDK's; RestError without a status, and AbortError, are silence.
  if (statusCode === undefined)
    return kind === 'RestError' || kind === 'AbortError'
      ? new KeyturnError('unavailable/store', `${where}: no answer, or none that tells`, code ?? kind)
      : new KeyturnError('bug/internal', `${where}: unexpected ${kind}`, kind)
  const inner = innerCode(e)
  const [told, says] = INNER[inner ?? ''] ?? CODE[code ?? ''] ?? [byStatus(statusCode), undefined]
  const what = says ?? (told === 'denied/store' ? `needs Microsoft.KeyVault/vaults/secrets/${NEEDS[op]}` : (code ?? statusCode))
  return new KeyturnError(told, `${where}: ${what}`, inner ?? code)
}

/** Shown as `innererror` on the wire and as `innerError` by the SDK, which leaves it out where a page of a list failed. */
function innerCode(e: unknown): string | undefined {
  type Body = { readonly error?: { readonly innererror?: { code?: string }; readonly innerError?: { code?: string } } }
  const { details, response } = e as { details?: Body; response?: { readonly bodyAsText?: string | null } }
  const found = details?.error?.innerError?.code ?? details?.error?.innererror?.code
  if (found !== undefined) return found
  try {
    return (JSON.parse(response?.bodyAsText ?? '{}') as Body).error?.innererror?.code
  } catch {
    return undefined
  }
}

/**
 * A write to a vault that is read-only after a failover is a 503 (Azure/azure-cli#25693). A 404 that does not say
 * SecretNotFound comes from something that is no vault: only the vault itself can say that there is no such secret.
 */
function byStatus(status: number): Code {
  if (status === 429) return 'throttled/store'
  if (status === 401 || status === 403) return 'denied/store'
  if (status === 404) return 'invalid/config'
  if (status === 409) return 'disabled/secret'
  if (status === 400) return 'invalid/request'
  return status >= 500 || status === 408 ? 'unavailable/store' : 'bug/internal'
}

/** From Azure Storage's `x-ms-error-code` (rest/api/storageservices/blob-service-error-codes). */
const BLOB: Readonly<Record<string, Code>> = {
  ContainerNotFound: 'invalid/config',
  ContainerBeingDeleted: 'invalid/config',
  ContainerDisabled: 'invalid/config',
  AccountIsDisabled: 'invalid/config',
  ResourceNotFound: 'invalid/config',
  // A policy or a legal hold of the container, of an account with versions, or a blob that was moved to the archive tier.
  BlobImmutableDueToPolicy: 'invalid/config',
  BlobArchived: 'invalid/config',
  BlobBeingRehydrated: 'invalid/config',
  InvalidBlobType: 'invalid/config',
  LeaseAlreadyPresent: 'busy/claimed',
  LeaseIsBreakingAndCannotBeAcquired: 'busy/claimed',
  ServerBusy: 'throttled/store'
}

/** A 409 or 412 that is in no table is a state of the blob that passes: nothing was written, and it is looked at again. */
function byJournalStatus(status: number): Code {
  if (status === 429) return 'throttled/store'
  if (status === 401 || status === 403) return 'denied/store'
  if (status === 404) return 'invalid/config'
  if (status === 409 || status === 412) return 'unavailable/store'
  if (status === 400) return 'invalid/request'
  return status >= 500 || status === 408 ? 'unavailable/store' : 'bug/internal'
}

/** An answer of Azure Storage that is none of those that its caller expects. */
export function journalRefusal(status: number, code: string | undefined, blob: string): KeyturnError {
  const told = BLOB[code ?? ''] ?? byJournalStatus(status)
  const says: { readonly [C in Code]?: string } = {
    'denied/store': 'needs the role Storage Blob Data Contributor on the journal’s container, and a network path to it',
    'invalid/config': `the journal’s container is not there, switched off, or takes no writes (${code ?? status})`,
    'busy/claimed': 'another run is committing; its lease ends by itself within a minute'
  }
  return new KeyturnError(told, `the journal ${blob}: ${says[told] ?? code ?? status}`, code)
}

/** A call to Azure Storage that had no answer. */
export function journalError(e: unknown, blob: string): KeyturnError {
  if (e instanceof KeyturnError) return e
  const { name, code } = e as { name?: string; code?: string }
  if (CREDENTIAL.includes(name ?? ''))
    return new KeyturnError('denied/store', `the journal ${blob}: the credential gives no token`, name)
  const silent = name === 'RestError' || name === 'AbortError'
  return new KeyturnError(
    silent ? 'unavailable/store' : 'bug/internal',
    `the journal ${blob}: no answer that tells`,
    code ?? name
  )
}
