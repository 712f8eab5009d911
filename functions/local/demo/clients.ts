import { Client } from 'pg'
import { parseDocument } from '../../../shared/document.ts'
import { readCurrent } from '../../../shared/stores/file.ts'

/** An application: some clients, each with a session of its own, that ask without pause. */
export interface Clients {
  readonly queries: () => number
  readonly longestPauseMs: () => number
  /** What clients saw go wrong. Codes, or the errors' names. */
  readonly errors: readonly string[]
  /** A repeat does nothing. */
  stop(): Promise<void>
}

interface Tally {
  queries: number
  longestPauseMs: number
  readonly errors: string[]
}

export interface ClientSettings {
  readonly folder: string
  readonly secretId: string
  readonly ca: string
  readonly count: number
  /** How long the application keeps what it read. Shorter than the grace, or it would not be kept. */
  readonly cacheMs: number
}

/** Starts them, and waits until each has its first answer. */
export async function startClients(settings: ClientSettings, ends: AsyncDisposableStack): Promise<Clients> {
  const tally: Tally = { queries: 0, longestPauseMs: 0, errors: [] }
  const stopping = new AbortController()
  const login = cachedLogin(settings)
  const running: Promise<void>[] = []
  const start = () =>
    new Promise<void>((started) => void running.push(client(login, settings.ca, tally, stopping.signal, started)))
  const stop = async () => {
    stopping.abort()
    await Promise.all(running)
  }
  ends.defer(stop)
  await Promise.all(Array.from({ length: settings.count }, start))
  return { queries: () => tally.queries, longestPauseMs: () => tally.longestPauseMs, errors: tally.errors, stop }
}

interface Login {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
}

/** The ordinary read of the store, kept for a short time by the whole application. */
function cachedLogin({ folder, secretId, cacheMs }: ClientSettings): () => Promise<Login> {
  let kept: { readonly login: Promise<Login>; readonly until: number } | undefined
  const read = async (): Promise<Login> => {
    const { host, port, dbname, username, password } = parseDocument(await readCurrent(folder, secretId))
    return { host, port, database: dbname, user: username, password: password.reveal() }
  }
  return () => {
    if (!kept || performance.now() > kept.until) kept = { login: read(), until: performance.now() + cacheMs }
    return kept.login
  }
}

async function client(
  login: () => Promise<Login>,
  ca: string,
  tally: Tally,
  stop: AbortSignal,
  started: () => void
): Promise<void> {
  let open: { readonly client: Client; readonly login: Login } | undefined
  let answeredAt: number | undefined
  while (!stop.aborted) {
    try {
      const wanted = await login()
      if (open?.login.password !== wanted.password) {
        const next = { client: await connect(wanted, ca, tally), login: wanted }
        await open?.client.end()
        open = next
      }
      await open?.client.query('UPDATE visits SET count = count + 1 WHERE page = $1', [Math.floor(Math.random() * 100)])
      const now = performance.now()
      tally.queries++
      tally.longestPauseMs = Math.max(tally.longestPauseMs, now - (answeredAt ?? now))
      answeredAt = now
      started()
    } catch (e) {
      tally.errors.push(nameOf(e))
      started()
      await open?.client.end().catch(() => {})
      open = undefined
    }
  }
  await open?.client.end()
}

async function connect({ host, port, database, user, password }: Login, ca: string, tally: Tally): Promise<Client> {
  const client = new Client({ host, port, database, user, password, ssl: { ca }, application_name: 'shop' })
  client.on('error', (e) => tally.errors.push(nameOf(e)))
  await client.connect()
  return client
}

function nameOf(e: unknown): string {
  const { code, name } = e as { readonly code?: unknown; readonly name?: unknown }
  return String(code ?? name)
}
