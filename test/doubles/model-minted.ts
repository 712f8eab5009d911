import { KeyturnError } from '../../shared/errors.ts'
import type { Credential, Target, TargetHold } from '../../shared/ports/target.ts'
import type { Instant, SecretText } from '../../shared/types.ts'
import { prove } from './model-pair.ts'
import { isSame, type ModelTarget, parse, principalOf, print, usageOf } from './model-target.ts'
import { asks, changes, type Wire } from './model-wire.ts'

interface Key {
  readonly id: string
  readonly secret: string
  /** It carries our mark. */
  readonly ours: boolean
  readonly createdAt: Instant
}

interface Provider {
  keys: readonly Key[]
  /** The lease beside the provider, which has no lock: whoever had it last, until when. */
  lease: { readonly holder: Lease; readonly until: Instant } | undefined
}

interface Lease {
  readonly owner: string
  /** By the holder's own clock. */
  lost: boolean
}

const MAX_LIVE = 2
export const LEASE_MS = 60_000

/**
 * A provider that makes the keys: two at most, create is not idempotent, the key is shown once, our keys carry a mark.
 * What holds runs apart is a lease, which fences nothing: a call that is under way when it ends takes effect.
 */
export function mintedTarget(now: () => Instant): ModelTarget {
  const provider: Provider = { keys: [{ id: 'KEY-0', secret: 'first', ours: true, createdAt: now() }], lease: undefined }
  const loseLease = (owner: string): boolean => {
    if (provider.lease?.holder.owner !== owner) return false
    provider.lease.holder.lost = true
    provider.lease = undefined
    return true
  }
  const model: ModelTarget = {
    kind: 'minted',
    connect: (wire) => connected(wire, provider, model, now),
    accepts(text) {
      const { username, password } = parse(text)
      return provider.keys.some((k) => k.id === username && k.secret === password)
    },
    principalOf,
    isSame,
    first: print({ username: 'KEY-0', password: 'first' }).reveal(),
    onSet: () => {},
    refusesValue: () => false,
    setBehind: (id, secret) => {
      provider.keys = provider.keys.map((k) => (k.id === id ? { ...k, secret } : k))
    },
    killed: (owner) => void loseLease(owner),
    loseLock: loseLease,
    holdsLock: (owner) => provider.lease?.holder.owner === owner && provider.lease.until > now(),
    live: () => provider.keys.filter((k) => k.ours).map((k) => k.id),
    person() {
      if (provider.keys.length >= MAX_LIVE) return undefined
      provider.keys = [...provider.keys, { id: 'KEY-PERSON', secret: 'theirs', ours: false, createdAt: now() }]
      return 'KEY-PERSON'
    },
    strangers: () => provider.keys.filter((k) => !k.ours).length,
    touched: [],
    sessions: [],
    snapshot: () => JSON.stringify([provider.keys, provider.lease?.holder.owner, provider.lease?.until])
  }
  return model
}

const inspect = (document: SecretText): Credential => ({
  principal: parse(document.reveal()).username,
  counterpart: undefined,
  document,
  overlap: true,
  authority: 'admin'
})

function connected(wire: Wire, provider: Provider, model: ModelTarget, now: () => Instant): Target {
  let made = 0
  return {
    facts: { name: 'model: minted', issue: 'minted', maxLive: MAX_LIVE, lastUsed: 'coarse' },
    inspect,
    async propose(current) {
      made += 1
      const key = { id: `KEY-${wire.owner}-${made}`, secret: `secret of ${wire.owner}-${made}`, ours: true }
      await wire.call(changes('create a key'), () => {
        if (provider.keys.length >= MAX_LIVE) throw new KeyturnError('conflict/full', 'two keys live already')
        provider.keys = [...provider.keys, { ...key, createdAt: now() }]
      })
      return inspect(print({ ...parse(current.document.reveal()), username: key.id, password: key.secret }))
    },
    verify: (candidate) =>
      wire.call(asks(`call with ${candidate.principal}`), () =>
        model.accepts(candidate.document.reveal()) ? 'accepted' : 'rejected'
      ),
    preflight: async () => [],
    async hold() {
      const lease: Lease = { owner: wire.owner, lost: false }
      const ends = (now() + LEASE_MS) as Instant
      await wire.call(changes('lease'), () => {
        if (provider.lease && provider.lease.until > now())
          throw new KeyturnError('busy/locked', `${provider.lease.holder.owner} has the lease`)
        provider.lease = { holder: lease, until: ends }
      })
      return held(wire, provider, model, lease, ends, now)
    }
  }
}

function held(wire: Wire, provider: Provider, model: ModelTarget, lease: Lease, ends: Instant, now: () => Instant): TargetHold {
  const own = (): void => {
    if (lease.lost || now() >= ends) throw new KeyturnError('busy/lock-lost', 'the lease ran out')
  }
  const remove = async (what: string, id: string): Promise<void> => {
    own()
    await wire.call(changes(`${what} ${id}`), () => {
      const key = provider.keys.find((k) => k.id === id)
      if (key && !key.ours) model.touched.push(id)
      provider.keys = provider.keys.filter((k) => k.id !== id)
    })
  }
  return {
    async check() {
      await wire.call(asks('ask the lease'), own)
    },
    async release() {
      if (provider.lease?.holder === lease) provider.lease = undefined
    },
    apply: async () => own(),
    async usage(old) {
      own()
      return wire.call(asks(`who uses ${old.principal}`), () => usageOf(model, old.principal))
    },
    async retire(old) {
      await remove('delete', old.principal)
      return prove(wire, model, old, now)
    },
    discard: (next) => remove('discard', next.principal),
    heal: async () => {
      throw new KeyturnError('bug/broken', 'a provider does not set a key again')
    },
    async live() {
      own()
      return wire.call(asks('list the keys'), () =>
        provider.keys.map((k) => ({ principal: k.id, ours: k.ours, createdAt: k.createdAt }))
      )
    }
  }
}
