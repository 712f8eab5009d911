import type { Exchange, Fault, Hook, Login } from './postgres-proxy.ts'
import { errorCode, isAuthenticationOk, type Message, messageReader, statementText } from './postgres-wire.ts'
import type { Filter, Link } from './proxy.ts'

export type Session = { link: Link; connection: number; user: string; database: string }

/** What the hook said of an exchange. */
export type Verdict = { exchange: Exchange; fault: Fault | 'pass'; done(): void }

export type Recorder = ReturnType<typeof newRecorder>

export function newRecorder() {
  let hook: Hook | undefined
  let connections = 0
  const logins: Login[] = []
  const recorder = {
    logins,
    exchanges: [] as Exchange[],
    setHook(next?: Hook) {
      hook = next
      recorder.exchanges = []
    },
    session: (link: Link, user: string, database: string): Session => ({ link, connection: ++connections, user, database }),
    async ask({ connection, user, database }: Session, kind: Exchange['kind'], text: string): Promise<Verdict> {
      const exchange = { number: recorder.exchanges.length + 1, kind, text, connection, user, database }
      recorder.exchanges.push(exchange)
      const asked = hook
      const fault = (await asked?.decide(exchange)) ?? 'pass'
      return { exchange, fault, done: () => fault !== 'pass' && asked?.done?.(exchange, fault) }
    }
  }
  return recorder
}

/** The two directions of a connection whose startup message is on its way: every exchange is put to the hook, every fault carried out. */
export function messageFilters(recorder: Recorder, session: Session, login: Verdict): { toServer: Filter; toClient: Filter } {
  const pending: Pending[] = [{ verdicts: [login] }]
  return { toServer: frontend(recorder, session, pending), toClient: backend(recorder, session, pending) }
}

/** What the next ReadyForQuery will answer. */
type Pending = { verdicts: Verdict[] }

function frontend(recorder: Recorder, session: Session, pending: Pending[]): Filter {
  const read = messageReader()
  let extended: Pending | undefined
  const expect = (verdicts: Verdict[]) => {
    const entry = { verdicts }
    pending.push(entry)
    return entry
  }
  const note = (type: string, verdict: Verdict | undefined) => {
    if (type === 'Q' && verdict !== undefined) expect([verdict])
    if (type === 'P' && verdict !== undefined) {
      extended ??= expect([])
      extended.verdicts.push(verdict)
    }
    if (type === 'F' || (type === 'S' && extended === undefined)) expect([])
    if (type === 'S') extended = undefined
  }
  return async (chunk, pass) => {
    for (const message of read(chunk)) {
      const verdict = await asked(recorder, session, message)
      if (verdict?.fault === 'before') {
        session.link.cut()
        return verdict.done()
      }
      note(message.type, verdict)
      await pass(message.bytes)
    }
  }
}

async function asked(recorder: Recorder, session: Session, message: Message): Promise<Verdict | undefined> {
  if (message.type === 'Q') return recorder.ask(session, 'query', statementText(message))
  return message.type === 'P' ? recorder.ask(session, 'parse', statementText(message)) : undefined
}

function backend(recorder: Recorder, session: Session, pending: Pending[]): Filter {
  const read = messageReader()
  const login = trackLogin(recorder, session)
  return async (chunk, pass) => {
    const out: Buffer[] = []
    for (const message of read(chunk)) {
      const { isDuring, mayLose } = login(message)
      const isLost = mayLose && pending[0]?.verdicts.some(({ fault }) => fault === 'lost') === true
      if (!isLost) out.push(message.bytes)
      if (message.type !== 'Z' && !(isDuring && message.type === 'E')) continue
      const verdicts = pending.shift()?.verdicts ?? []
      if (isLost) {
        await pass(Buffer.concat(out))
        session.link.cut()
      } else if (verdicts.some(({ fault }) => fault === 'after')) await pass(Buffer.concat(out.splice(0)))
      for (const { done } of verdicts) done()
      if (isLost) return
    }
    await pass(Buffer.concat(out))
  }
}

/** Follows a login to its end; the answer that can be lost starts with AuthenticationOk, or with the error. */
function trackLogin(recorder: Recorder, { link, user, database }: Session) {
  const at = recorder.logins.push({ user, database, outcome: 'open' }) - 1
  let isDuring = true
  let isAuthenticated = false
  const end = (outcome: Omit<Login, 'user' | 'database'>) => {
    if (isDuring) recorder.logins[at] = { user, database, ...outcome }
    isDuring = false
  }
  link.client.on('close', () => end({ outcome: 'cut' }))
  return (message: Message): { isDuring: boolean; mayLose: boolean } => {
    const wasDuring = isDuring
    isAuthenticated ||= isAuthenticationOk(message)
    if (message.type === 'Z') end({ outcome: 'succeeded' })
    if (message.type === 'E') end({ outcome: 'failed', code: errorCode(message) })
    return { isDuring: wasDuring, mayLose: isAuthenticated || message.type === 'E' }
  }
}
