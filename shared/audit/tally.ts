import { type Burst, noBurst } from './burst.ts'
import type { Identity, Outcome, SecretRef, StoreKind } from './event.ts'
import type { Subject } from './finding.ts'
import { type Hours, noHours } from './hours.ts'
import { RETENTION } from './retention.ts'
import type { Span } from './span.ts'

/**
 * What a run keeps of the events that it saw, and what is kept between runs: counts that can be added, in any order, so
 * that parts of a log may be read by several workers, or on several days. Signals and reports are made from it.
 */
export interface Tally {
  readonly identities: Map<string, IdentityTally>
  readonly secrets: Map<string, SecretTally>
  readonly addresses: Map<string, AddressTally>
  readonly policies: Map<string, PolicyTally>
  readonly issuers: Map<string, IssuerTally>
  /** By store and account. */
  readonly accounts: Map<string, AccountTally>
  /** What single events show, by signal and subject. Of one run: it is not kept. */
  readonly notices: Map<string, Noticed>
  readonly retention: { count: number; first: number; last: number }[]
  readonly capped: Map<string, number>
  /** Hours of week, in UTC: reads by people, and by all others. */
  readonly week: { readonly people: number[]; readonly others: number[] }
  hours: number
  pairs: number
}

export interface IdentityTally {
  readonly identity: Identity
  readonly store: StoreKind
  first: number
  last: number
  count: number
  /** Networks it was seen from, with an address of each. */
  readonly networks: Map<string, NetworkTally>
  readonly secrets: Map<string, Pair>
  /** Denied, where no secret is named: by operation. */
  readonly denied: Map<string, Span>
  readonly reads: Burst
  /** Of people: hours of what they did. */
  readonly hours: Hours
}

export interface NetworkTally {
  span: Span
  /** Of the first call that was read. */
  readonly address: string
}

export interface Pair {
  first: number
  last: number
  reads: number
  writes: number
  denied: Span | undefined
}

export interface SecretTally {
  readonly secret: SecretRef
  first: number
  lastRead: number
  lastWrite: number
  lastRotated: number
  lastFailed: number
  failures: number
  readonly reads: Hours
  deleted: number
}

export interface AddressTally {
  readonly reads: Map<StoreKind, Span>
  readonly failures: Burst
  /** A login from it that was taken, the last one. */
  lastLogin: number
}

export interface PolicyTally {
  readonly policy: string
  readonly store: StoreKind
  readonly account: string
  span: Span
  by: string
  hash: string
}

export interface IssuerTally {
  readonly issuer: string
  readonly store: StoreKind
  readonly account: string
  /** Lives of tokens: how many of up to 2, 4, 8 … seconds, the last for those without end. */
  readonly lives: number[]
  /** Of those that are long: by identity. */
  readonly long: Map<string, LongTokens>
}

export interface LongTokens {
  span: Span
  ttlSeconds: number
  readonly identity: Identity
}

export interface AccountTally {
  readonly store: StoreKind
  readonly account: string
  first: number
  last: number
  count: number
  /** Days since the epoch on which anything was seen, ascending. */
  readonly days: number[]
  reads: number
  /** When HMACs of before ceased to compare: an audit device was enabled anew. 0: never seen. */
  saltedAt: number
}

export interface Noticed {
  readonly signal: string
  /** Its address is that of the first call that was read. */
  subject: Subject
  readonly store: StoreKind
  readonly account: string
  readonly operation: string
  readonly outcome: Outcome
  span: Span
}

export const emptyTally = (): Tally => ({
  identities: new Map(),
  secrets: new Map(),
  addresses: new Map(),
  policies: new Map(),
  issuers: new Map(),
  accounts: new Map(),
  notices: new Map(),
  retention: RETENTION.map(() => ({ count: 0, first: Number.POSITIVE_INFINITY, last: 0 })),
  capped: new Map(),
  week: { people: Array<number>(168).fill(0), others: Array<number>(168).fill(0) },
  hours: 0,
  pairs: 0
})

export const newIdentity = (identity: Identity, store: StoreKind, at: number): IdentityTally => ({
  identity,
  store,
  first: at,
  last: at,
  count: 0,
  networks: new Map(),
  secrets: new Map(),
  denied: new Map(),
  reads: noBurst(),
  hours: noHours()
})

export const newSecret = (secret: SecretRef, at: number): SecretTally => ({
  secret,
  first: at,
  lastRead: 0,
  lastWrite: 0,
  lastRotated: 0,
  lastFailed: 0,
  failures: 0,
  reads: noHours(),
  deleted: 0
})

export const newAddress = (): AddressTally => ({ reads: new Map(), failures: noBurst(), lastLogin: 0 })

export const byKey = (a: SecretTally, b: SecretTally): number => (a.secret.key < b.secret.key ? -1 : 1)

/** How many of each are told apart; beyond, they are counted as `capped` and said in the coverage. */
export const CAPS = {
  identities: 50_000,
  /** Of one identity: it moves. */
  networks: 1_000,
  secrets: 100_000,
  addresses: 100_000,
  pairs: 300_000,
  hours: 1_000_000,
  policies: 20_000,
  issuers: 2_000,
  accounts: 10_000,
  notices: 10_000
} as const
export type Capped = keyof typeof CAPS

export const capped = (tally: Tally, name: Capped, events = 1): void =>
  void tally.capped.set(name, (tally.capped.get(name) ?? 0) + events)

/** What is there, or is made; undefined: there is no room for one more. */
export function entry<T>(tally: Tally, name: Capped, map: Map<string, T>, key: string, make: () => T): T | undefined {
  const known = map.get(key)
  if (known !== undefined) return known
  if (map.size >= CAPS[name]) {
    capped(tally, name)
    return undefined
  }
  const made = make()
  map.set(key, made)
  return made
}

/** As `entry`, of a secret by one identity; there are so many of all identities together. `count`: of what is left out. */
export function pairEntry(tally: Tally, pairs: Map<string, Pair>, secret: string, at: number, count = 1): Pair | undefined {
  const known = pairs.get(secret)
  if (known) return known
  if (tally.pairs >= CAPS.pairs) {
    capped(tally, 'pairs', count)
    return undefined
  }
  tally.pairs++
  const pair: Pair = { first: at, last: at, reads: 0, writes: 0, denied: undefined }
  pairs.set(secret, pair)
  return pair
}
