import { KeyturnError } from '../../shared/errors.ts'
import type { Credential, Proof, Target, TargetHold } from '../../shared/ports/target.ts'
import type { Instant, SecretText } from '../../shared/types.ts'
import { CHOSEN, endSessions, isSame, type ModelTarget, parse, principalOf, print, read, usageOf } from './model-target.ts'
import { asks, changes, type RemoteCall, refuseLate, type Wire } from './model-wire.ts'

/** A session of keyturn's. */
interface Connection {
  readonly owner: string
  alive: boolean
}

interface Server {
  readonly halves: readonly [string, string]
  /** What each login takes. Undefined: nobody knows it, after a retirement. */
  readonly passwords: Record<string, string | undefined>
  /** Who has the advisory lock. */
  lock: Connection | undefined
}

/**
 * A server with two logins that take turns. The lock belongs to a session, every change is made on that session, and
 * both end with it: a holder that lost it is told only when it asks, and can change nothing.
 */
export function pairTarget(now: () => Instant, halves: readonly [string, string] = ['app_a', 'app_b']): ModelTarget {
  const [a, b] = halves
  const server: Server = { halves, passwords: { [a]: 'first', [b]: 'never given out' }, lock: undefined }
  const loseLock = (owner: string): boolean => {
    if (server.lock?.owner !== owner) return false
    server.lock.alive = false
    server.lock = undefined
    return true
  }
  const model: ModelTarget = {
    kind: 'pair',
    connect: (wire) => connected(wire, server, model, now),
    accepts(text) {
      const { username, password } = parse(text)
      return server.passwords[username] === password
    },
    principalOf,
    isSame,
    first: print({ username: a, password: 'first' }).reveal(),
    onSet: () => {},
    refusesValue: () => false,
    setBehind: (principal, password) => {
      server.passwords[principal] = password
    },
    killed: (owner) => void loseLock(owner),
    loseLock,
    holdsLock: (owner) => server.lock?.owner === owner,
    live: () => [],
    person: () => undefined,
    strangers: () => 0,
    touched: [],
    sessions: [],
    snapshot: () => JSON.stringify([server.passwords, server.lock?.owner])
  }
  return model
}

function inspect({ halves }: Server, document: SecretText): Credential {
  const { username } = read(document)
  const counterpart = halves.find((h) => h !== username)
  return { principal: username, counterpart, document, overlap: true, authority: 'admin' }
}

function connected(wire: Wire, server: Server, model: ModelTarget, now: () => Instant): Target {
  let made = 0
  const accepts = ({ document }: Credential): boolean => model.accepts(document.reveal())
  return {
    facts: { ...CHOSEN, name: 'model: pair', lastUsed: 'precise' },
    inspect: (document) => inspect(server, document),
    async propose(current) {
      const username = inspect(server, current.document).counterpart ?? ''
      made += 1
      return inspect(server, print({ ...read(current.document), username, password: `${wire.owner}-${made}` }))
    },
    async verify(candidate, _context, signal) {
      refuseLate(signal)
      return wire.call(asks(`log in as ${candidate.principal}`), () => (accepts(candidate) ? 'accepted' : 'rejected'))
    },
    preflight: async (current) =>
      accepts(current) ? [] : [{ code: 'denied/login', message: 'current is refused', todo: 'set it anew', fatal: true }],
    hold: (_place, _context, signal) => lock(wire, server, model, now, signal)
  }
}

async function lock(
  wire: Wire,
  server: Server,
  model: ModelTarget,
  now: () => Instant,
  signal: AbortSignal
): Promise<TargetHold> {
  refuseLate(signal)
  const connection: Connection = { owner: wire.owner, alive: true }
  const hold = held(wire, server, model, connection, now)
  try {
    await wire.call(changes('lock'), () => {
      if (server.lock) throw new KeyturnError('busy/locked', `${server.lock.owner} has the lock`)
      server.lock = connection
    })
  } catch (e) {
    // Who got no answer closes the connection, and the lock ends with it.
    await hold.release()
    throw e
  }
  return hold
}

function held(wire: Wire, server: Server, model: ModelTarget, connection: Connection, now: () => Instant): TargetHold {
  const on = <T>(call: RemoteCall, work: () => T): Promise<T> =>
    wire.call(call, () => {
      if (!connection.alive) throw new KeyturnError('busy/lock-lost', 'the session is gone')
      return work()
    })
  const alter = ({ principal, document }: Credential): Promise<void> =>
    on(changes(`alter ${principal}`), () => {
      if (!server.halves.includes(principal)) throw new KeyturnError('conflict/role-not-ours', `${principal} is not ours`)
      const { password } = read(document)
      if (model.refusesValue(password)) throw new KeyturnError('invalid/password', 'the policy refuses the value')
      server.passwords[principal] = password
      model.onSet(document.reveal())
    })
  return {
    check: () => on(asks('ask the session'), () => undefined),
    async release() {
      if (server.lock === connection) server.lock = undefined
      connection.alive = false
    },
    apply: alter,
    heal: alter,
    usage: ({ principal }) => on(asks(`who uses ${principal}`), () => usageOf(model, principal)),
    async retire(old, options) {
      const sessionsEnded = await on(changes(`scramble ${old.principal}`), () => {
        const ended = endSessions(model, old.principal, options.endSessions)
        server.passwords[old.principal] = undefined
        return ended
      })
      return { ...(await prove(wire, model, old, now)), sessionsEnded }
    },
    async discard() {},
    live: async () => ({ keys: [] }),
    disable: async () => {
      throw new KeyturnError('unsupported/disable', 'a login is retired at once')
    }
  }
}

/** The one deliberate failed login. */
export async function prove(wire: Wire, model: ModelTarget, old: Credential, now: () => Instant): Promise<Proof> {
  const refused = await wire.call(asks(`be refused as ${old.principal}`), () => !model.accepts(old.document.reveal()))
  if (!refused) throw new KeyturnError('bug/proof', `${old.principal} still logs in`)
  return { principal: old.principal, at: now(), method: 'login', refusal: '28P01', endpoint: 'model', sessionsEnded: 0 }
}
