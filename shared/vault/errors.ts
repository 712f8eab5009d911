import { type Code, KeyturnError } from '../errors.ts'
import type { WireAnswer } from '../wire.ts'

/** `always`: it cannot have had an effect. `reads`: it may have had one. `never`: the same request gets the same answer. */
export type Again = 'always' | 'reads' | 'never'

/** An answer that is no success, as the one error. */
export interface Refusal {
  readonly error: KeyturnError
  readonly again: Again
  /** Retry-After, where the server asks for a pause. */
  readonly afterMs: number | undefined
}

type Row = readonly [code: Code, again: Again, says: string]

/** The one table from Vault's statuses (developer.hashicorp.com/vault/api-docs, "HTTP status codes") to keyturn's codes. */
const STATUSES: Readonly<Record<number, Row>> = {
  400: ['invalid/request', 'never', 'Vault takes the request for invalid'],
  401: ['denied/store', 'never', 'something in front of Vault denied the call'],
  403: ['denied/store', 'never', 'Vault denied it: the token’s policies lack the capability for this path'],
  405: ['unsupported/store', 'never', 'Vault knows no such operation on this path'],
  // OpenBao answers 429 for the same (openbao.org/docs/concepts/consistency).
  412: ['unavailable/store', 'always', 'the node that answered has not got the last write yet'],
  413: ['invalid/request', 'never', 'the request is bigger than Vault takes'],
  415: ['invalid/request', 'never', 'Vault does not take this Content-Type'],
  422: ['invalid/request', 'never', 'Vault takes the request for invalid'],
  // sdk/logical/response_util.go: ErrLocked, an administrator locked the namespace's API.
  423: ['denied/store', 'never', 'the namespace is locked'],
  429: ['throttled/store', 'always', 'a quota of Vault’s is reached'],
  472: ['unavailable/store', 'never', 'the address is a disaster-recovery secondary’s, which serves nobody; use the primary’s'],
  473: ['unavailable/store', 'always', 'a performance standby answered that cannot do this; use the active node’s address'],
  500: ['unavailable/store', 'reads', 'Vault failed'],
  502: ['unavailable/store', 'reads', 'a service behind Vault failed'],
  503: ['unavailable/store', 'reads', 'Vault, or a proxy in front of it, is not available']
}

/**
 * A redirect is not followed: the token would go to whatever host the answer names. Standbys pass requests on by
 * themselves; they redirect only while they cannot (docs/concepts/ha, "Client redirection"). Nothing was done then, so
 * that the same address, often a load balancer's, is asked again.
 */
const REDIRECT: Row = ['unavailable/store', 'always', 'a standby cannot reach the active node and names its address instead']

/**
 * Where one status means several things the text of Vault's constants is all that tells them apart. Seen on OpenBao
 * 2.7.2; the same in Vault's source (plugin kv, path_data.go; vault/router.go; vault/token_store.go).
 */
const TEXTS: readonly (readonly [status: number, text: string, vendor: string, ...Row])[] = [
  [
    400,
    'check-and-set parameter did not match the current version',
    'check-and-set',
    'conflict/current-moved',
    'never',
    'somebody wrote a version in between'
  ],
  [
    400,
    'metadata check-and-set parameter does not match',
    'metadata check-and-set',
    'conflict/metadata-changed',
    'never',
    'somebody wrote the metadata in between'
  ],
  [400, 'invalid accessor', 'invalid accessor', 'invalid/request', 'never', 'there is no token with this accessor'],
  [403, 'invalid accessor', 'invalid accessor', 'invalid/request', 'never', 'there is no token with this accessor'],
  [404, 'no handler for route', 'no handler', 'invalid/config', 'never', 'nothing is mounted there, or the namespace is wrong'],
  [404, 'namespace not found', 'no namespace', 'invalid/config', 'never', 'there is no such namespace'],
  [503, 'sealed', 'sealed', 'unavailable/sealed', 'always', 'Vault is sealed']
]

/**
 * What Vault refused. Undefined for a success, and for the 404 that is Vault's way to say that there is nothing: it has a
 * list of errors or data, which tells it from a proxy's. Never carries Vault's own text, which may quote the request.
 */
export function refusalOf(answer: WireAnswer, what: string): Refusal | undefined {
  const { status, isJson, json } = answer
  if (status < 300 && isJson) return undefined
  const texts = textsOf(json)
  const found = TEXTS.find(([of, text]) => of === status && texts.some((said) => said.includes(text)))
  if (!found && status === 404 && (texts.length > 0 || isVaults(json))) return undefined
  const [code, again, says] = found ? ([found[3], found[4], found[5]] as const) : rowOf(answer)
  const error = new KeyturnError(code, `${what}: ${says}`, found?.[2] ?? String(status))
  return { error, again, afterMs: retryAfterMs(answer) }
}

const isVaults = (json: unknown): boolean =>
  typeof json === 'object' && json !== null && ('errors' in json || 'data' in json || 'request_id' in json)

function textsOf(json: unknown): readonly string[] {
  const errors = (json as { errors?: unknown } | null | undefined)?.errors
  return Array.isArray(errors) ? errors.filter((text) => typeof text === 'string') : []
}

function rowOf({ status, isJson }: WireAnswer): Row {
  if (status >= 300 && status < 400) return REDIRECT
  const row = STATUSES[status]
  if (row) return row
  if (status >= 500) return ['unavailable/store', 'reads', `an answer ${status}`]
  if (isJson && status !== 404) return ['invalid/request', 'never', `an answer ${status}`]
  return ['unavailable/store', 'reads', `an answer ${status} that is not Vault’s own`]
}

/** RFC 9110, 10.2.3, in seconds, as Vault's quotas send it (enable_rate_limit_response_headers). */
function retryAfterMs({ header }: WireAnswer): number | undefined {
  const text = header('retry-after') ?? ''
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined
}
