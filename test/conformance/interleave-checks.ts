import type { Instant, SecretId, Token } from '../../shared/types.ts'
import type { ModelStore } from '../doubles/model-store.ts'
import type { ModelTarget } from '../doubles/model-target.ts'
import { GRACE_MS } from './interleave-world.ts'

/** Watches the guarantees after every effect. Names each violation by its guarantee. */
export interface Observer {
  /** The first violation that is there now, in words. */
  check(): string | undefined
  /** From now on clients inside the grace may be cut: a person forced it. */
  force(): void
  /**
   * A person is about to write a version past keyturn. Between a promotion and its record, this hides which half was
   * current before, from every run: that half lives until the next rotation sets it, or a person deletes the key.
   */
  interrupt(): void
  /** A person came between. */
  isInterrupted(): boolean
  /** Every value that an ordinary reader was ever given. */
  given(): readonly string[]
  /** When this token was asked for. A promotion by it must be newer than that of any other. */
  asked(token: Token, at: Instant): void
  snapshot(): string
}

interface Promotion {
  readonly text: string
  readonly token: Token | undefined
  readonly at: Instant
}

interface Watched {
  readonly store: ModelStore
  readonly target: ModelTarget
  readonly id: SecretId
  readonly now: () => Instant
  /** Every value that an ordinary reader was given: until when, or undefined while it still is. */
  readonly given: Map<string, Instant | undefined>
  promotions: Promotion[]
  readonly asked: Map<Token, Instant>
  forced: boolean
  interrupted: boolean
  unkept: string | undefined
}

export function observer(store: ModelStore, target: ModelTarget, id: SecretId, now: () => Instant): Observer {
  const w: Watched = {
    store,
    target,
    id,
    now,
    given: new Map(),
    promotions: [],
    asked: new Map(),
    forced: false,
    interrupted: false,
    unkept: undefined
  }
  target.onSet = (text) => {
    if (!store.values(id).includes(text))
      w.unkept ??= `G2: ${w.target.principalOf(text)} is set to a value that the store does not have`
  }
  return {
    check: () => w.unkept ?? available(w) ?? cached(w) ?? ownOnly(w) ?? once(w) ?? dead(w),
    force: () => {
      w.forced = true
    },
    interrupt: () => {
      const facts = store.look(id)
      w.interrupted ||= w.promotions.length > 1 && facts?.metadata.promoted?.version !== facts?.current
      w.promotions = []
    },
    isInterrupted: () => w.interrupted,
    given: () => [...w.given.keys()],
    asked: (token, at) => void w.asked.set(token, at),
    snapshot: () => JSON.stringify([w.interrupted, [...w.given].map(([text, until]) => until && [text, until]), w.promotions])
  }
}

function available(w: Watched): string | undefined {
  // Who forces a rotation cuts also those whom the store still gives the version before.
  const readable = w.store.readable(w.id).slice(w.forced ? -1 : 0)
  const bad = readable.find(({ text }) => !w.target.accepts(text))?.text
  return bad && `G1: the ordinary read gives ${w.target.principalOf(bad)}, which the target refuses`
}

function cached(w: Watched): string | undefined {
  const readable = w.store.readable(w.id)
  for (const { text, until } of readable) w.given.set(text, until)
  for (const [text, until] of w.given) {
    if (readable.some((r) => r.text === text)) continue
    if (until === undefined) w.given.set(text, w.now())
    const cut = w.now() < (until ?? w.now()) + GRACE_MS && !w.target.accepts(text)
    if (cut && !w.forced) return `G1: a client inside the grace holds ${w.target.principalOf(text)}, which the target refuses`
  }
  return undefined
}

const ownOnly = ({ target }: Watched): string | undefined =>
  target.touched.length === 0 ? undefined : `G3: ${target.touched.join(', ')} was not ours and was changed`

function once(w: Watched): string | undefined {
  const text = w.store.readable(w.id).at(-1)?.text ?? ''
  const last = w.promotions.at(-1)
  if (last?.text === text) return undefined
  const token = w.store.look(w.id)?.currentToken
  const before = w.promotions.find((p) => p.token !== undefined && p.token === token)
  const asked = token === undefined ? undefined : w.asked.get(token)
  const old = last?.token !== undefined && asked !== undefined && asked < last.at
  w.promotions = [...w.promotions, { text, token, at: w.now() }]
  if (before) return `G6: ${token} took effect twice`
  if (old) return `G6: ${token} is older than the last promotion and took effect`
  return undefined
}

function dead(w: Watched): string | undefined {
  const { store, target, id } = w
  const retired = store.look(id)?.metadata.retired
  const text = retired && store.valueOf(id, retired.version)
  return text !== undefined && target.accepts(text)
    ? `G7: ${w.target.principalOf(text)} is recorded as dead and logs in`
    : undefined
}
