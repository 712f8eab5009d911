import { KeyturnError } from '../../shared/errors.ts'
import { markOf } from '../../shared/mark.ts'
import type { Credential, Target, TargetHold } from '../../shared/ports/target.ts'
import type { Instant, SecretText } from '../../shared/types.ts'
import { prove } from './model-pair.ts'
import { CHOSEN, isSame, type ModelTarget, parse, principalOf, print, usageOf } from './model-target.ts'
import { asks, changes, type Wire } from './model-wire.ts'

interface Key {
  readonly id: string
  readonly secret: string
  /** It carries our mark. */
  readonly ours: boolean
  readonly mark?: string | undefined
  readonly createdAt: Instant
  readonly isDisabled: boolean
  /** Somebody called with it. */
  readonly isUsed: boolean
}

interface Provider {
  keys: readonly Key[]
}

/** `minted`: two at most, and a key is deleted at once, as Entra's personal accounts; `many`: room enough, and a key can be disabled first. */
const KINDS = {
  minted: { maxLive: 2, canDisable: false },
  many: { maxLive: 9, canDisable: true }
} as const

/**
 * A provider that makes the keys: create is not idempotent, the key is shown once, our keys carry a mark.
 * It has no lock, and there is no lease beside it: what holds runs apart are the store's claims alone (facts.lock).
 */
export function mintedTarget(now: () => Instant, kind: keyof typeof KINDS = 'minted'): ModelTarget {
  const first: Key = { id: 'KEY-0', secret: 'first', ours: true, createdAt: now(), isDisabled: false, isUsed: true }
  const provider: Provider = { keys: [first] }
  const model: ModelTarget = {
    kind,
    connect: (wire) => connected(wire, provider, model, now),
    accepts(text) {
      const { username, password } = parse(text)
      return provider.keys.some((k) => k.id === username && k.secret === password && !k.isDisabled)
    },
    principalOf,
    isSame,
    first: print({ username: 'KEY-0', password: 'first' }).reveal(),
    onSet: () => {},
    refusesValue: () => false,
    setBehind: (id, secret) => {
      change(provider, id, { secret })
    },
    killed: () => {},
    loseLock: () => false,
    holdsLock: () => false,
    live: () => provider.keys.filter((k) => k.ours).map((k) => k.id),
    person() {
      if (provider.keys.length >= KINDS[kind].maxLive) return undefined
      const theirs = { id: 'KEY-PERSON', secret: 'theirs', ours: false, createdAt: now(), isDisabled: false, isUsed: false }
      provider.keys = [...provider.keys, theirs]
      return 'KEY-PERSON'
    },
    strangers: () => provider.keys.filter((k) => !k.ours).length,
    touched: [],
    sessions: [],
    snapshot: () => JSON.stringify(provider.keys)
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
    facts: { ...CHOSEN, name: 'model: minted', issue: 'minted', ...KINDS[kindOf(model)], lastUsed: 'coarse', lock: 'claim' },
    inspect,
    async propose(current, { secret = '' }, token) {
      made += 1
      const key = {
        id: `KEY-${wire.owner}-${made}`,
        secret: `secret of ${wire.owner}-${made}`,
        ours: true,
        mark: markOf(secret, token)
      }
      await wire.call(changes('create a key'), () => {
        if (provider.keys.length >= KINDS[kindOf(model)].maxLive) throw new KeyturnError('conflict/full', 'no further key')
        provider.keys = [...provider.keys, { ...key, createdAt: now(), isDisabled: false, isUsed: false }]
      })
      return inspect(print({ ...parse(current.document.reveal()), username: key.id, password: key.secret }))
    },
    verify: (candidate) =>
      wire.call(asks(`call with ${candidate.principal}`), () => {
        change(provider, candidate.principal, { isUsed: true })
        return model.accepts(candidate.document.reveal()) ? 'accepted' : 'rejected'
      }),
    preflight: async () => [],
    hold: async () => held(wire, provider, model, now)
  }
}

const kindOf = ({ kind }: ModelTarget): keyof typeof KINDS => (kind === 'many' ? 'many' : 'minted')

function change(provider: Provider, id: string, part: Partial<Key>): void {
  provider.keys = provider.keys.map((k) => (k.id === id ? { ...k, ...part } : k))
}

function held(wire: Wire, provider: Provider, model: ModelTarget, now: () => Instant): TargetHold {
  const remove = async (what: string, id: string): Promise<void> => {
    await wire.call(changes(`${what} ${id}`), () => {
      const key = provider.keys.find((k) => k.id === id)
      if (key && !key.ours) model.touched.push(id)
      provider.keys = provider.keys.filter((k) => k.id !== id)
    })
  }
  return {
    check: async () => {},
    release: async () => {},
    async apply(next) {
      const { principal } = next
      if (provider.keys.find((k) => k.id === principal)?.isDisabled)
        await wire.call(changes(`enable ${principal}`), () => change(provider, principal, { isDisabled: false }))
    },
    usage: (old) => wire.call(asks(`who uses ${old.principal}`), () => usageOf(model, old.principal)),
    disable: (old) =>
      wire.call(changes(`disable ${old.principal}`), () => {
        change(provider, old.principal, { isDisabled: true })
        return now()
      }),
    async retire(old) {
      await remove('delete', old.principal)
      return prove(wire, model, old, now)
    },
    discard: (next) => remove('discard', next.principal),
    heal: async () => {
      throw new KeyturnError('bug/broken', 'a provider does not set a key again')
    },
    live: () =>
      wire.call(asks('list the keys'), () => ({
        keys: provider.keys.map((k) => ({
          ...{ principal: k.id, ours: k.ours, mark: k.mark, createdAt: k.createdAt },
          ...{ ageMs: now() - k.createdAt, used: k.isUsed ? ('ever' as const) : ('never' as const), isDisabled: k.isDisabled }
        }))
      }))
  }
}
