import { type Code, hasCode, KeyturnError } from '../errors.ts'
import { CREDENTIAL } from '../stores/azure-errors.ts'
import { entryOf } from '../table.ts'

/**
 * The one table from Azure Storage's `x-ms-error-code` to keyturn's codes: rest/api/storageservices/blob-service-error-codes
 * and common-rest-api-error-codes.
 */
const CODES: Readonly<Record<string, Code>> = {
  ContainerNotFound: 'not-found/archive',
  ContainerBeingDeleted: 'not-found/archive',
  ResourceNotFound: 'not-found/archive',
  InvalidResourceName: 'not-found/archive',
  BlobNotFound: 'not-found/object',
  BlobAlreadyExists: 'conflict/object-changed',
  ConditionNotMet: 'conflict/object-changed',
  // Of the archive tier.
  BlobArchived: 'invalid/object',
  BlobBeingRehydrated: 'invalid/object',
  // Somebody made it an append blob, or a page blob: it is not ours.
  InvalidBlobType: 'invalid/object',
  InvalidUri: 'invalid/object',
  OutOfRangeInput: 'invalid/object',
  RequestBodyTooLarge: 'invalid/object',
  ContainerDisabled: 'denied/archive',
  AccountIsDisabled: 'denied/archive',
  BlobImmutableDueToPolicy: 'denied/archive',
  BlobImmutableDueToLegalHold: 'denied/archive',
  // Somebody has a lease on it.
  LeaseIdMissing: 'denied/archive',
  ServerBusy: 'throttled/archive'
}

export type BlobAct = 'read' | 'write'

/** The roles that are enough (role-based-access-control/built-in-roles/storage). */
const ROLES: Readonly<Record<BlobAct, string>> = {
  read: 'Storage Blob Data Reader',
  write: 'Storage Blob Data Contributor'
}

export function blobRefusal(status: number, vendor: string | undefined, act: BlobAct, where: string): KeyturnError {
  const code = entryOf(CODES, vendor) ?? byStatus(status)
  const says =
    code === 'denied/archive'
      ? `needs the role ${ROLES[act]} on the container, a network path to it, and no lease, hold or policy (${vendor ?? status})`
      : (vendor ?? status)
  return new KeyturnError(code, `${where}: ${says}`, vendor ?? String(status))
}

function byStatus(status: number): Code {
  if (status === 429) return 'throttled/archive'
  if (status === 401 || status === 403) return 'denied/archive'
  return status === 400 || status === 405 ? 'bug/internal' : 'unavailable/archive'
}

/** A call that had no answer, or was a write whose answer tells nothing (azure-client.ts). */
export function blobSilence(e: unknown, where: string): KeyturnError {
  const { name, code } = e as { name?: string; code?: string }
  if (CREDENTIAL.includes(name ?? '')) return new KeyturnError('denied/archive', `${where}: the credential gives no token`, name)
  // Of a write too: "the server is currently unable to receive requests".
  if (hasCode(e, 'unavailable/store') && e.vendor === '503')
    return new KeyturnError('throttled/archive', `${where}: Azure Storage is busy`, e.vendor)
  if (hasCode(e, 'unavailable/store') || name === 'RestError' || name === 'AbortError') {
    const vendor = e instanceof KeyturnError ? e.vendor : (code ?? name)
    return new KeyturnError('unavailable/archive', `${where}: no answer, or none that tells`, vendor)
  }
  return e instanceof KeyturnError ? e : new KeyturnError('bug/internal', `${where}: unexpected ${name}`, name)
}
