import { KeyturnError } from '../errors.ts'
import { type Instant, instantIn, iso, type SecretId, type SecretText, type Token } from '../types.ts'
import { dataOf, type KvData, textOf } from './vault-document.ts'

/** A promotion of keyturn's: main's version, the one that it was made from, and when Vault created it. */
export interface Promotion {
  readonly token: Token
  readonly version: number
  readonly previous: number
  readonly at: Instant
}

/** What every record carries on from the one before, because the sibling keeps its newest version only. */
export interface Carried {
  /** The last promotion that ended. */
  readonly last?: Promotion | undefined
  /** Tokens of attempts that ended, newest last. */
  readonly spent: readonly Token[]
}

/** One version of the sibling. */
export type PendingRecord = Carried &
  (
    | { readonly state: 'claimed'; readonly token: Token; readonly base: number; readonly seen: readonly string[] }
    | {
        readonly state: 'pending'
        readonly token: Token
        readonly base: number
        /** When the base was created: a secret that was deleted and made anew has the same numbers again. */
        readonly baseAt?: Instant | undefined
        readonly document: SecretText
      }
    | { readonly state: 'ended' }
  )

/** How many ended tokens are remembered: a request that is delivered again is not older than that many attempts. */
const KEPT_TOKENS = 20

/** A record as the sibling's data. */
export function printRecord(record: PendingRecord): KvData {
  const { last, spent, ...own } = record
  return {
    keyturn: 1,
    ...own,
    ...('baseAt' in own && own.baseAt !== undefined && { baseAt: iso(own.baseAt) }),
    ...(own.state === 'pending' && { document: dataOf(own.document) }),
    ...(last && { last: { ...last, at: iso(last.at) } }),
    spent: spent.slice(-KEPT_TOKENS)
  }
}

/** The sibling's data as a record. Throws `conflict/pending-foreign` for what keyturn did not write. */
export function parseRecord(data: KvData, id: SecretId): PendingRecord {
  const { keyturn, state, token, base, baseAt, seen, document, last, spent } = data
  const carried = { last: promotionOf(last), spent: textsOf(spent) }
  if (keyturn === 1 && state === 'ended') return { state, ...carried }
  if (keyturn === 1 && typeof token === 'string' && typeof base === 'number') {
    if (state === 'claimed') return { state, token, base, seen: textsOf(seen), ...carried }
    if (state === 'pending' && isObject(document))
      return { state, token, base, baseAt: timeOf(baseAt), document: textOf(document), ...carried }
  }
  throw new KeyturnError('conflict/pending-foreign', `what is kept as the pending value of ${id} was not written by keyturn`)
}

const isObject = (value: unknown): value is KvData => typeof value === 'object' && value !== null && !Array.isArray(value)
const textsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []

const timeOf = (value: unknown): Instant | undefined => instantIn(typeof value === 'string' ? value : undefined)

function promotionOf(value: unknown): Promotion | undefined {
  if (!isObject(value)) return undefined
  const { token, version, previous } = value
  const at = timeOf(value.at)
  if (typeof token !== 'string' || typeof version !== 'number' || typeof previous !== 'number' || at === undefined)
    return undefined
  return { token, version, previous, at }
}
