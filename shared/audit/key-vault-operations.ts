import { MARKS, type Outcome } from './event.ts'
import { numberOf, textOf } from './members.ts'
import { type Operation, operations } from './operations.ts'

const { unrecoverable, deletionPending } = MARKS

/**
 * By `operationName` (Microsoft, "Azure Key Vault logging", operation names table). SecretUpdate changes attributes and
 * never the value, so it is no write: a secret whose tags were changed is not younger for it. A backup has the value of every
 * version in it, and the answer about a deleted secret has a place for its value (REST reference, DeletedSecretBundle). A deleted
 * vault or secret can be recovered, as soft delete cannot be switched off ("Azure Key Vault soft-delete overview"); what is purged
 * cannot.
 */
export const TABLE: ReadonlyMap<string, Operation> = new Map([
  ...operations('read', 'SecretGet SecretBackup'),
  ...operations('read', 'SecretGetDeleted', deletionPending),
  ...operations('write', 'SecretSet SecretRestore SecretRecover'),
  ...operations('describe', 'SecretUpdate SecretListVersions VaultGet'),
  ...operations('list', 'SecretList SecretListDeleted'),
  ...operations('delete', 'SecretDelete KeyDelete CertificateDelete VaultDelete'),
  ...operations('delete', 'SecretPurge KeyPurge CertificatePurge VaultPurge', unrecoverable),
  ...operations('policy', 'VaultPut VaultPatch VaultAccessPolicyChangedEventGridNotification'),
  ...operations('login', 'Authentication')
])

const OTHER: Operation = { kind: 'other', marks: 0 }

/** `other`: of keys, certificates and whatever comes new. Undefined: an event that Key Vault published, and nobody asked. */
export const keyVaultOperation = (name: string): Operation | undefined =>
  TABLE.get(name) ?? (name.endsWith('EventGridNotification') ? undefined : OTHER)

/** As `resultSignature` spells the statuses that tell something. */
const BY_SIGNATURE: ReadonlyMap<string, number> = new Map([
  ['ok', 200],
  ['created', 201],
  ['accepted', 202],
  ['nocontent', 204],
  ['unauthorized', 401],
  ['forbidden', 403],
  ['notfound', 404]
])

/** The status that an Azure log names: `Not Found`, `NotFound`. NaN: another one. */
export const statusNamed = (name: string): number => BY_SIGNATURE.get(name.replaceAll(' ', '').toLowerCase()) ?? Number.NaN

export function outcomeOfStatus(status: number): Outcome {
  if (status >= 200 && status < 300) return 'done'
  if (status === 401) return 'unauthenticated'
  if (status === 403) return 'denied'
  return status === 404 ? 'absent' : 'failed'
}

/**
 * How a record of Key Vault ended: by its HTTP status, else by the status's name. Never by `resultType`, which is `Success`
 * for refused calls too (MicrosoftDocs/azure-docs issue 97977). Undefined: it has neither.
 */
export function keyVaultOutcome(httpStatusCode: unknown, resultSignature: unknown): Outcome | undefined {
  const status = numberOf(httpStatusCode)
  if (!Number.isNaN(status)) return outcomeOfStatus(status)
  const signature = textOf(resultSignature)
  return signature === '' ? undefined : outcomeOfStatus(statusNamed(signature))
}
