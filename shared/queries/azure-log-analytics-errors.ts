import { type Code, KeyturnError } from '../errors.ts'
import { CREDENTIAL } from '../stores/azure-errors.ts'
import { entryOf } from '../table.ts'
import { wordIn } from '../vendor-code.ts'

/** The one table from the codes of the Log Analytics API (azure-monitor/logs/api/errors, response-format) to keyturn's. */
const CODES: Readonly<Record<string, Code>> = {
  BadArgumentError: 'invalid/query',
  AuthenticationFailed: 'denied/query',
  InvalidAuthenticationToken: 'denied/query',
  InvalidAuthenticationTokenAudience: 'denied/query',
  InsufficientAccessError: 'denied/query',
  PathNotFoundError: 'not-found/table',
  // Not all of the answer: azure-monitor/fundamentals/service-limits, of rows, bytes and time.
  PartialError: 'throttled/query'
}

const SAYS: { readonly [C in Code]?: string } = {
  'denied/query': 'needs the role Log Analytics Reader on the workspace, and a network path to it',
  'not-found/table': 'there is no such workspace',
  'throttled/query': 'a limit of the service was reached: of queries, of rows, of bytes or of time'
}

export function refusedKql(status: number, json: unknown): KeyturnError {
  const vendor = wordIn((json as { error?: { code?: unknown } } | null)?.error?.code)
  return of(entryOf(CODES, vendor) ?? byStatus(status), vendor ?? String(status))
}

const of = (code: Code, vendor: string): KeyturnError =>
  new KeyturnError(code, `Log Analytics: ${SAYS[code] ?? vendor} (${vendor})`, vendor)

function byStatus(status: number): Code {
  if (status === 429) return 'throttled/query'
  if (status === 401 || status === 403) return 'denied/query'
  if (status === 404) return 'not-found/table'
  return status === 400 ? 'invalid/query' : 'unavailable/query'
}

/** A call that had no answer. */
export function silentKql(e: unknown): KeyturnError {
  if (e instanceof KeyturnError) return e
  const { name, code } = e as { name?: string; code?: string }
  if (CREDENTIAL.includes(name ?? ''))
    return new KeyturnError('denied/query', 'Log Analytics: the credential gives no token', name)
  if (name === 'RestError' || name === 'AbortError')
    return new KeyturnError('unavailable/query', 'Log Analytics: no answer, or none that tells', code ?? name)
  return new KeyturnError('bug/internal', `Log Analytics: unexpected ${name}`, name)
}
