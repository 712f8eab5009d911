import { asKeyturnError, KeyturnError } from '../errors.ts'
import { type GoogleSettings, googleApi } from '../google-api.ts'
import type { Problem, Target } from '../ports/target.ts'
import { problem } from '../problem.ts'
import type { ProviderApi } from '../provider-api.ts'
import type { SecretText } from '../types.ts'
import { type ApiKeyCallSettings, apiKeyCall } from './gcp-api-key-call.ts'
import { type ApiKey, created, keyString, listed, MAX_KEYS, removed } from './gcp-api-key-calls.ts'
import { type ApiKeyDocument, apiKeyDocument, GCP_API_KEY, withApiKey } from './gcp-api-key-document.ts'
import type { OperationSettings } from './gcp-api-key-operations.ts'
import { isSameReach } from './gcp-api-key-restrictions.ts'
import { type MintedSettings, minted } from './minted.ts'
import type { KeyFacts, KeyProvider } from './minted-provider.ts'

export interface GcpApiKeySettings extends GoogleSettings, OperationSettings, Pick<ApiKeyCallSettings, 'verifyUrl'> {
  /** Default https://apikeys.googleapis.com. */
  readonly endpoint?: string | undefined
  readonly minted?: MintedSettings | undefined
}

const FACTS: KeyFacts = {
  name: GCP_API_KEY,
  kind: GCP_API_KEY,
  maxLive: MAX_KEYS,
  overlap: 'dual',
  // No field of a key tells it (google/api/apikeys/v2/resources.proto).
  lastUsed: 'none',
  telemetryLagMs: 0,
  // keys.getKeyString.
  mintedOnce: false,
  // The console says “up to 5 minutes” of a change; twice that.
  settlesMs: 10 * 60_000
}

/** API keys of a project of Google Cloud. */
export const gcpApiKey = (settings: GcpApiKeySettings): Target => minted(provider(settings), settings.minted)

function provider(settings: GcpApiKeySettings): KeyProvider<ApiKeyDocument> {
  const {
    endpoint = 'https://apikeys.googleapis.com',
    verifyUrl,
    operationPausesMs,
    authorize: _,
    minted: __,
    ...wire
  } = settings
  const api = googleApi(settings, 'API Keys', endpoint)
  const pauses = { operationPausesMs }
  return {
    facts: FACTS,
    inspect: apiKeyDocument,
    create: (current, mark, signal) => next(api, current, mark, pauses, signal),
    list: (of, signal) => listed(api, of, signal),
    call: apiKeyCall({ ...wire, verifyUrl }),
    lastUse: async (_of, id) => ({ state: 'cannot-tell', why: `Google keeps no last use of an API key such as ${id}` }),
    remove: (of, id, signal) => removed(api, of, id, pauses, signal),
    preflight: (current, _list, signal) => mismatched(api, current, signal)
  }
}

async function next(
  api: ProviderApi,
  current: ApiKeyDocument,
  mark: string,
  pauses: OperationSettings,
  signal: AbortSignal
): Promise<SecretText> {
  const { keys } = await listed(api, current, signal)
  const source = keys.find(isOf(current)) ?? (await deletedSource(api, current, signal))
  // Of this attempt, whose answer was lost.
  const found = keys.find(({ name }) => name === mark)
  const key = found ?? (await created(api, current, { source, mark, living: keys.length }, pauses, signal))
  if (isSameReach(key.raw, source.raw)) return withApiKey(current, key.id, await keyString(api, current, key.id, signal))
  await removed(api, current, key.id, pauses, signal)
  const message = `the key that Google made has not the restrictions of ${source.id}: it is deleted`
  throw new KeyturnError('invalid/answer', message)
}

const isOf =
  ({ principal }: ApiKeyDocument) =>
  ({ id }: ApiKey): boolean =>
    id === principal

/** A key that somebody deleted tells for 30 days what it was restricted to. Without that, a new one might do anything. */
async function deletedSource(api: ProviderApi, current: ApiKeyDocument, signal: AbortSignal): Promise<ApiKey> {
  const { keys } = await listed(api, current, signal, true)
  const source = keys.find(isOf(current))
  if (source) return source
  const message = `${current.principal} is no key of ${current.account}, and what a new one may do is copied from it`
  throw new KeyturnError('not-found/principal', message)
}

/** A document of two keys would have one deleted and the other one proved dead. */
async function mismatched(api: ProviderApi, current: ApiKeyDocument, signal: AbortSignal): Promise<readonly Problem[]> {
  const text = await keyString(api, current, current.principal, signal).catch((e: unknown) => asKeyturnError(e))
  if (text instanceof KeyturnError) return [problem(text.code, text.message)]
  return text === current.apiKey ? [] : [problem('invalid/document', `apiKey is not the string of the key ${current.principal}`)]
}
