import { type Code, KeyturnError } from '../errors.ts'

/** What a login had reached when it failed. */
export interface LoginProgress {
  /** The server answered N to the request for TLS. */
  readonly refusedTls: boolean
  /** The server asked for the password itself. */
  readonly askedForPassword: boolean
}

type Raised = { readonly code?: unknown; readonly severity?: unknown; readonly routine?: unknown }

/** The SQLSTATE of an error that the server itself raised (postgresql.org/docs/current/errcodes-appendix.html). */
export function sqlState(e: unknown): string | undefined {
  const { code, severity } = (e ?? {}) as Raised
  // Node's own codes can have five letters as well (EPIPE): only the server's errors carry a severity.
  return typeof code === 'string' && typeof severity === 'string' ? code : undefined
}

const LOGIN_STATES: Readonly<Record<string, Code>> = {
  // Wrong password, unknown role and a passed VALID UNTIL say the same on purpose.
  '28P01': 'denied/login',
  '28000': 'denied/login',
  '3D000': 'not-found/database',
  '42501': 'denied/connect',
  // ALLOW_CONNECTIONS false.
  '55000': 'denied/connect',
  '53300': 'throttled/connections'
}

const STATEMENT_STATES: Readonly<Record<string, Code>> = {
  '42501': 'denied/privilege',
  '42704': 'not-found/role',
  '42710': 'conflict/role-not-ours',
  '0LP01': 'invalid/parity',
  // passwordcheck and its like say "invalid parameter value".
  '22023': 'invalid/password',
  '25006': 'unavailable/read-only',
  // "tuple concurrently updated" is an internal error by its code; so is every other XX000, and trying again is right for all.
  XX000: 'busy/tuple',
  '40001': 'busy/tuple',
  '40P01': 'busy/tuple',
  '55P03': 'busy/tuple',
  '57014': 'unavailable/server'
}

const NETWORK_CODES: Readonly<Record<string, Code>> = {
  ECONNREFUSED: 'unavailable/host',
  ENOTFOUND: 'unavailable/host',
  EAI_AGAIN: 'unavailable/host',
  EHOSTUNREACH: 'unavailable/host',
  ENETUNREACH: 'unavailable/host',
  ETIMEDOUT: 'unavailable/host'
}

/** OpenSSL's verification results and Node's own, by their names (nodejs.org/api/tls.html, "X509 certificate error codes"). */
const isTls = (code: string): boolean =>
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_(CA|PURPOSE)|PATH_LENGTH_|HOSTNAME_MISMATCH|ERROR_IN_CERT_)/.test(
    code
  )

/** Why a login failed, as far as the server tells. `who` and `where` are names, never secrets. */
export function loginError(e: unknown, who: string, where: string, progress: LoginProgress): KeyturnError {
  const what = `login as ${who} at ${where}`
  if (progress.refusedTls) return new KeyturnError('invalid/tls', `${where} speaks no TLS; plaintext is never tried`)
  if (progress.askedForPassword) return new KeyturnError('invalid/auth-method', `${what}: the server wants the password in clear`)
  const state = sqlState(e)
  if (state !== undefined) return new KeyturnError(loginCode(state, e), `${what} was refused with ${state}`, state)
  const code = systemCode(e)
  if (code !== undefined && isTls(code))
    return new KeyturnError('invalid/tls', `${where}: certificate not trusted (${code})`, code)
  return new KeyturnError(NETWORK_CODES[code ?? ''] ?? 'unavailable/server', `${what} failed${code ? ` with ${code}` : ''}`, code)
}

function loginCode(state: string, e: unknown): Code {
  const routine = (e as Raised).routine
  // 28000 is one code for several causes; the routine that raised it tells them apart in every language of the server
  // (hba rules in auth.c ClientAuthentication, NOLOGIN in miscinit.c InitializeSessionUserId).
  if (state === '28000' && routine === 'ClientAuthentication') return 'denied/hba'
  if (state === '28000' && routine === 'InitializeSessionUserId') return 'denied/no-login'
  return LOGIN_STATES[state] ?? 'unavailable/server'
}

/** Why a statement failed. `doing` says what it was for; the statement itself is never quoted. */
export function statementError(e: unknown, doing: string): KeyturnError {
  const state = sqlState(e)
  if (state !== undefined)
    return new KeyturnError(STATEMENT_STATES[state] ?? classCode(state), `${doing} failed with ${state}`, state)
  return new KeyturnError('unavailable/server', `${doing}: the connection was lost`, systemCode(e))
}

/** Connection, resources, operator intervention: the server's state, not ours. Anything else we sent wrongly. */
const classCode = (state: string): Code => (/^(08|53|57|58)/.test(state) ? 'unavailable/server' : 'bug/internal')

function systemCode(e: unknown): string | undefined {
  const { code } = (e ?? {}) as Raised
  return typeof code === 'string' ? code : undefined
}
