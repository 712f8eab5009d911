import type { Client, ClientConfig, QueryResult } from 'pg'
import { KeyturnError } from '../errors.ts'
import type { SecretText } from '../types.ts'
import { loginError, statementError } from './postgres-errors.ts'

export interface Login {
  readonly host: string
  readonly port: number
  readonly dbname: string
  readonly username: string
  readonly password: SecretText
}

export interface SessionSettings {
  /** PEM of the authorities to trust; Node's own store (with NODE_EXTRA_CA_CERTS) where neither gives any. */
  readonly ca?: string | undefined
  /** PEM of the authorities that a platform's own hosts are certified by, beside `ca`; undefined for any other host. */
  readonly authorities?: ((host: string) => Promise<readonly string[] | undefined>) | undefined
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  readonly applicationName: string
}

/** One login, open. Every failure closes nothing by itself; a session whose connection is gone refuses everything. */
export interface Session {
  readonly user: string
  /** `host:port` */
  readonly where: string
  /** The process id that the server named at login; behind a pooler it is not the one that answers. */
  readonly announcedPid: number | undefined
  /** As server_version_num, without the minor part: 170000. Zero where the server did not say. */
  readonly version: number
  /** Several statements may be in one text when there are no values; the rows are the last one's. */
  query<Row extends object>(
    doing: string,
    sql: string,
    values: readonly unknown[] | undefined,
    signal: AbortSignal
  ): Promise<Row[]>
  /** Several statements in one text, without values: the rows of each. */
  queryAll(doing: string, sql: string, signal: AbortSignal): Promise<object[][]>
  /** Throws what the driver threw: for statements that are not ours. One statement only, by the extended protocol. */
  queryRaw(sql: string, signal: AbortSignal): Promise<Record<string, unknown>[]>
  isOpen(): boolean
  /** Never throws. */
  close(): Promise<void>
}

/**
 * Logs in, over TLS that is verified by CA and host name; there is no other way, on loopback neither. The driver is loaded
 * here, because the first step of a rotation never connects and its cold start is measured.
 */
export async function logIn(login: Login, settings: SessionSettings, signal: AbortSignal): Promise<Session> {
  const where = `${login.host}:${login.port}`
  const [{ Client }, ca] = await Promise.all([import('pg'), authorities(login.host, settings)])
  const progress = { refusedTls: false, askedForPassword: false, version: 0 }
  const client = new Client(clientConfig(login, settings, ca, progress))
  const state = { open: true }
  client.on('error', () => {
    state.open = false
  })
  client.on('end', () => {
    state.open = false
  })
  watchLogin(client, progress)
  const timeout = AbortSignal.timeout(settings.connectTimeoutMs)
  try {
    await untilAborted(client, client.connect(), AbortSignal.any([signal, timeout]))
  } catch (e) {
    destroy(client)
    if (signal.aborted) throw new KeyturnError('unavailable/deadline', `login at ${where} was cut short`)
    if (timeout.aborted)
      throw new KeyturnError('unavailable/host', `${where} did not answer within ${settings.connectTimeoutMs} ms`, 'timeout')
    throw loginError(e, login.username, where, progress)
  }
  const { version } = progress
  return sessionOf(client, { user: login.username, where, timeoutMs: settings.statementTimeoutMs, state, version })
}

type Place = { user: string; where: string; timeoutMs: number; state: { open: boolean }; version: number }

function sessionOf(client: Client, { user, where, timeoutMs, state, version }: Place): Session {
  // The server's own statement_timeout comes first; this one is for a server that does not answer at all.
  const bounded = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
    try {
      return await untilAborted(client, work, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs + 5_000)]))
    } catch (e) {
      if (signal.aborted) throw new KeyturnError('unavailable/deadline', `a statement at ${where} was cut short`)
      throw e
    }
  }
  const results = async (doing: string, work: Promise<QueryResult | QueryResult[]>, signal: AbortSignal): Promise<object[][]> => {
    try {
      return [await bounded(work, signal)].flat().map(({ rows }) => rows)
    } catch (e) {
      throw e instanceof KeyturnError ? e : statementError(e, doing)
    }
  }
  return {
    user,
    where,
    version,
    announcedPid: (client as { processID?: number | null }).processID ?? undefined,
    query: async <Row extends object>(doing: string, sql: string, values: readonly unknown[] | undefined, signal: AbortSignal) =>
      (await results(doing, client.query(sql, values ? [...values] : undefined), signal)).at(-1) as Row[],
    queryAll: (doing, sql, signal) => results(doing, client.query(sql), signal),
    queryRaw: async (text, signal) => {
      const config = { text, values: [], queryMode: 'extended' }
      return (await bounded(client.query<Record<string, unknown>>(config), signal)).rows
    },
    isOpen: () => state.open,
    close: () => close(client, state)
  }
}

async function close(client: Client, state: { readonly open: boolean }): Promise<void> {
  const tooLate = new Promise((done) => AbortSignal.timeout(1_000).addEventListener('abort', done))
  if (state.open) await Promise.race([client.end(), tooLate]).catch(() => {})
  destroy(client)
}

function clientConfig(
  login: Login,
  settings: SessionSettings,
  ca: string[] | undefined,
  progress: { readonly askedForPassword: boolean }
): ClientConfig {
  return {
    host: login.host,
    port: login.port,
    database: login.dbname,
    user: login.username,
    // A function keeps the text out of the driver's options, and an answer to "send me the password" from being sent: whoever
    // can point a secret at a server of his own would be given the admin's.
    password: () => {
      if (progress.askedForPassword) throw new Error('not sent')
      return login.password.reveal()
    },
    ssl: ca ? { ca, rejectUnauthorized: true } : { rejectUnauthorized: true },
    application_name: settings.applicationName,
    keepAlive: true,
    // The driver refuses more than 100,000 iterations, a server may be set to more; its certificate is verified by then.
    ...({ scramMaxIterations: 0 } as object)
  }
}

/** What the driver knows and does not tell: it reports the first two as plain errors, and nobody matches on messages. */
function watchLogin(client: Client, progress: { refusedTls: boolean; askedForPassword: boolean; version: number }): void {
  const { connection } = client as unknown as {
    connection: NodeJS.EventEmitter & { stream: NodeJS.EventEmitter }
  }
  connection.stream.once('data', (bytes: Buffer) => {
    progress.refusedTls = bytes[0] === 'N'.charCodeAt(0)
  })
  connection.on('authenticationCleartextPassword', () => {
    progress.askedForPassword = true
  })
  connection.on('parameterStatus', ({ parameterName, parameterValue }: { parameterName: string; parameterValue: string }) => {
    // `16.4 (Debian 16.4-1)`, `18beta2`
    if (parameterName === 'server_version') progress.version = Number.parseInt(parameterValue, 10) * 10_000
  })
}

async function untilAborted<T>(client: Client, work: Promise<T>, signal: AbortSignal): Promise<T> {
  const abort = () => destroy(client)
  // Rejects by itself when the connection ends, but not before it began.
  const aborted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
  aborted.catch(() => {})
  work.catch(() => {})
  signal.addEventListener('abort', abort, { once: true })
  try {
    signal.throwIfAborted()
    return await Promise.race([work, aborted])
  } catch (e) {
    if (signal.aborted) destroy(client)
    throw e
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function destroy(client: Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
}

async function authorities(host: string, { ca, authorities: known }: SessionSettings): Promise<string[] | undefined> {
  const platform = await known?.(host)
  const own = ca === undefined ? [] : [ca]
  return platform || ca !== undefined ? [...own, ...(platform ?? [])] : undefined
}
