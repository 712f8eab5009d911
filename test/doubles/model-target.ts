import type { Target } from '../../shared/ports/target.ts'
import { SecretText } from '../../shared/types.ts'
import type { Wire } from './model-wire.ts'

/** What a model's document holds. `n` is carried over, as every field that keyturn does not know. */
export interface ModelDocument {
  readonly username: string
  readonly password: string
}

export const print = (document: ModelDocument): SecretText => new SecretText(JSON.stringify(document))
export const parse = (text: string): ModelDocument => JSON.parse(text) as ModelDocument

/** A target in memory, with the hands that reach behind it. */
export interface ModelTarget {
  readonly kind: 'pair' | 'minted'
  connect(wire: Wire): Target
  /** What a client would find that logs in with this document and does its work. */
  accepts(text: string): boolean
  /** Whose the document is. */
  principalOf(text: string): string
  /** The two documents open the same, whatever else is in them. */
  isSame(one: string, other: string): boolean
  /** The first document: of a credential that is alive. */
  readonly first: string
  /** Called with the document of every value that is set, at that instant. */
  onSet: (text: string) => void
  /** Everything that this owner's process held ends with it. */
  killed(owner: string): void
  /** The lock's session or lease ends, and its holder is not told. False: it has none. */
  loseLock(owner: string): boolean
  holdsLock(owner: string): boolean
  /** Minted: the keys of ours that live. A pair has none. */
  live(): readonly string[]
  /** Minted: somebody creates a key by hand. Its name, or undefined where there is no room. */
  person(): string | undefined
  /** How many keys live that a person made. */
  strangers(): number
  /** The principals that a person made, and that were changed by keyturn: must stay empty. */
  readonly touched: string[]
  /** Clients that use this principal, for usage. */
  readonly inUse: Set<string>
  snapshot(): string
}

export const principalOf = (text: string): string => parse(text).username

export function isSame(one: string, other: string): boolean {
  const [a, b] = [parse(one), parse(other)]
  return a.username === b.username && a.password === b.password
}
