import { KeyturnError } from '../../shared/errors.ts'
import type { Credential, Proof, Target, TargetHold, Usage } from '../../shared/ports/target.ts'
import type { Instant, SecretText } from '../../shared/types.ts'
import { isSame, type ModelDocument, type ModelTarget, parse, principalOf, print } from './model-target.ts'
import { asks, changes, type RemoteCall, type Wire } from './model-wire.ts'

interface Session {
  readonly owner: string
  alive: boolean
}

interface Server {
  /** What each login takes. Undefined: nobody knows it, after a retirement. */
  readonly passwords: Record<string, string | undefined>
  /** The session that has the advisory lock. */
  lock: Session | undefined
}

const HALVES = ['app_a', 'app_b'] as const

/**
 * A server with two logins that take turns. The lock belongs to a session, every change is made on that session, and
 * both end with it: a holder that lost it is told only when it asks, and can change nothing.
 */
export function pairTarget(now: () => Instant): ModelTarget {
  const server: Server = { passwords: { app_a: 'first', app_b: 'never given out' }, lock: undefined }
  const accepts = (text: string): boolean => {
    const { username, password } = parse(text)
    return server.passwords[username] === password
  }
  const loseLock = (owner: string): boolean => {
    if (server.lock?.owner !== owner) return false
    server.lock.alive = false
    server.lock = undefined
    return true
  }
  const model: ModelTarget = {
    kind: 'pair',
    connect: (wire) => connected(wire, server, model, now),
    accepts,
    principalOf,
    isSame,
    first: print({ username: 'app_a', password: 'first' }).reveal(),
    onSet: () => {},
    killed: (owner) => void loseLock(owner),
    loseLock,
    holdsLock: (owner) => server.lock?.owner === owner,
    live: () => [],
    person: () => undefined,
    strangers: () => 0,
    touched: [],
    inUse: new Set(),
    snapshot: () => JSON.stringify([server.passwords, server.lock?.owner])
  }
  return model
}

const documentOf = (c: Credential): ModelDocument => parse(c.document.reveal())

export function inspect(document: SecretText): Credential {
  const { username } = parse(document.reveal())
  const counterpart = HALVES.find((h) => h !== username)
  return { principal: username, counterpart, document, overlap: true, authority: 'admin' }
}

function connected(wire: Wire, server: Server, model: ModelTarget, now: () => Instant): Target {
  let made = 0
  return {
    facts: { name: 'model: pair', issue: 'chosen', maxLive: 2, lastUsed: 'precise' },
    inspect,
    async propose(current) {
      const username = inspect(current.document).counterpart ?? ''
      made += 1
      return inspect(print({ ...documentOf(current), username, password: `${wire.owner}-${made}` }))
    },
    verify: (candidate) =>
      wire.call(asks(`log in as ${candidate.principal}`), () =>
        model.accepts(candidate.document.reveal()) ? 'accepted' : 'rejected'
      ),
    preflight: async () => [],
    hold: async () => {
      const session: Session = { owner: wire.owner, alive: true }
      const hold = held(wire, server, model, session, now)
      try {
        await wire.call(changes('lock'), () => {
          if (server.lock) throw new KeyturnError('busy/locked', `${server.lock.owner} has the lock`)
          server.lock = session
        })
      } catch (e) {
        // Who got no answer closes the connection, and the lock ends with it.
        await hold.release()
        throw e
      }
      return hold
    }
  }
}

function held(wire: Wire, server: Server, model: ModelTarget, session: Session, now: () => Instant): TargetHold {
  const onSession = <T>(call: RemoteCall, work: () => T): Promise<T> =>
    wire.call(call, () => {
      if (!session.alive) throw new KeyturnError('busy/lock-lost', 'the session is gone')
      return work()
    })
  const alter = (credential: Credential): Promise<void> =>
    onSession(changes(`alter ${credential.principal}`), () => {
      server.passwords[credential.principal] = documentOf(credential).password
      model.onSet(credential.document.reveal())
    })
  return {
    check: () => onSession(asks('ask the session'), () => undefined),
    async release() {
      if (server.lock === session) server.lock = undefined
      session.alive = false
    },
    apply: alter,
    heal: alter,
    usage: (old) => onSession(asks(`who uses ${old.principal}`), () => usageOf(model, old)),
    async retire(old, { endSessions }) {
      await onSession(changes(`scramble ${old.principal}`), () => {
        if (model.inUse.has(old.principal) && !endSessions)
          throw new KeyturnError('conflict/in-use', `${old.principal} has a session`)
        server.passwords[old.principal] = undefined
        model.inUse.delete(old.principal)
      })
      return prove(wire, model, old, now)
    },
    async discard() {},
    live: async () => []
  }
}

export const usageOf = (model: ModelTarget, old: Credential): Usage =>
  model.inUse.has(old.principal)
    ? { state: 'used', sessions: [{ principal: old.principal, address: '10.0.0.7', application: 'shop', count: 1 }] }
    : { state: 'unused' }

/** The one deliberate failed login. */
export async function prove(wire: Wire, model: ModelTarget, old: Credential, now: () => Instant): Promise<Proof> {
  const refused = await wire.call(asks(`be refused as ${old.principal}`), () => !model.accepts(old.document.reveal()))
  if (!refused) throw new KeyturnError('bug/proof', `${old.principal} still logs in`)
  return { principal: old.principal, at: now(), method: 'login', refusal: '28P01', endpoint: 'model', sessionsEnded: 0 }
}
