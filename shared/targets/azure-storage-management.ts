import { RESOURCE_MANAGER_CODES, type ResourceManagerSettings, resourceManager } from '../azure-resource-manager.ts'
import { type Code, KeyturnError } from '../errors.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { type Instant, instantIn, type SecretText } from '../types.ts'
import { codeFor, wordIn } from '../vendor-code.ts'
import { base64, type KeyName, type StorageDocument } from './azure-storage-document.ts'

export interface StorageKey {
  readonly name: string
  readonly value: SecretText
  /** Undefined for a key that was never made anew since Azure keeps the time (storage-account-keys-manage). */
  readonly createdAt: Instant | undefined
}

export interface StorageKeys {
  readonly keys: readonly StorageKey[]
  readonly now: Instant
}

export interface StorageManagement {
  list(of: StorageDocument, signal: AbortSignal): Promise<StorageKeys>
  /** `repeatable`: after a lost answer it is asked again, which makes another value still. */
  regenerate(of: StorageDocument, name: KeyName, repeatable: boolean, signal: AbortSignal): Promise<StorageKeys>
}

const API_VERSION = '2023-05-01'

/** learn.microsoft.com/rest/api/storagerp/storage-accounts/list-keys and …/regenerate-key: both are POSTs, both answer with both keys. */
export function storageManagement(settings: ResourceManagerSettings): StorageManagement {
  const api = resourceManager(settings)
  const post = async (of: StorageDocument, op: string, body: unknown, repeatable: boolean, signal: AbortSignal) => {
    const account = `Microsoft.Storage/storageAccounts/${of.account}`
    const scope = `/subscriptions/${of.subscriptionId}/resourceGroups/${encodeURIComponent(of.resourceGroup)}/providers/${account}`
    const answer = await api({ method: 'POST', path: `${scope}/${op}?api-version=${API_VERSION}`, body, repeatable }, signal)
    if (answer.status !== 200) throw refusal(answer, op, of)
    return keysIn(answer)
  }
  return {
    list: (of, signal) => post(of, 'listKeys', undefined, true, signal),
    regenerate: (of, keyName, repeatable, signal) => post(of, 'regenerateKey', { keyName }, repeatable, signal)
  }
}

/** learn.microsoft.com/rest/api/storagerp/srp_error_codes_common: what is in the way there passes, and nothing was done. */
const CODES: Readonly<Record<string, Code>> = {
  ...RESOURCE_MANAGER_CODES,
  StorageAccountOperationInProgress: 'throttled/provider',
  StorageAccountIsNotProvisioned: 'throttled/provider',
  StorageAccountBeingCreated: 'throttled/provider'
}

const MESSAGES: Partial<Record<Code, (vendor: string, op: string, of: StorageDocument) => string>> = {
  'denied/provider': (_, op, { account }) =>
    `the call was denied; it needs Microsoft.Storage/storageAccounts/${op}/action on ${account} (Storage Account Key Operator Service Role)`,
  // “A read-only lock on a storage account prevents users from listing the account keys”: a POST is a write there (lock-resources).
  'denied/provider-policy': (vendor, op, { account }) =>
    vendor === 'ScopeLocked'
      ? `a read-only lock on ${account}, or above it, forbids ${op}: take it off, or leave the keys alone`
      : `a policy of the subscription forbids ${op} of ${account} (${vendor})`,
  'not-found/principal': (vendor, _, { account, resourceGroup }) => `there is no ${account} in ${resourceGroup} (${vendor})`,
  'throttled/provider': (vendor, _, { account }) => `another operation on ${account} is under way (${vendor})`
}

function refusal(answer: ApiAnswer, op: string, of: StorageDocument): KeyturnError {
  const vendor = codeIn(answer.json) ?? String(answer.status)
  const code = codeFor(CODES, vendor, answer.status)
  const message = MESSAGES[code]?.(vendor, op, of) ?? `${op} was refused with ${vendor}`
  return new KeyturnError(code, `Azure Resource Manager: ${message}`, vendor)
}

const codeIn = (json: unknown): string | undefined => wordIn((json as { error?: { code?: unknown } } | undefined)?.error?.code)

function keysIn({ json, date }: ApiAnswer): StorageKeys {
  const { keys } = (json ?? {}) as { keys?: unknown }
  if (!Array.isArray(keys)) throw new KeyturnError('invalid/answer', 'Azure Resource Manager: the answer has no keys')
  return { keys: (keys as readonly Readonly<Record<string, unknown>>[]).flatMap(keyIn), now: date }
}

function keyIn({ keyName, value, creationTime }: Readonly<Record<string, unknown>>): readonly StorageKey[] {
  const text = base64(value)
  if (typeof keyName !== 'string' || text === undefined) return []
  return [{ name: keyName, value: text, createdAt: typeof creationTime === 'string' ? instantIn(creationTime) : undefined }]
}
