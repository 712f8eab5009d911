import { DAY_MS } from '../duration.ts'
import { KeyturnError } from '../errors.ts'
import { decodeMetadata, encodePatch, type Metadata, type MetadataPatch } from '../metadata.ts'
import { periodMsOf } from '../policy.ts'
import type { Token, VersionId } from '../types.ts'

export type Tags = Readonly<Record<string, string>>
type Words = Readonly<Record<string, string>>

/** The policy that the owner sets: `kind=postgres;owner=platform;period=30d`. A person may write it. */
const POLICY = 'keyturn'
/** How a version came about, and our records. Tags are per version: a person's new version has neither. */
const STATE = 'keyturn-state'
/** key-vault/secrets/about-secrets: "up to 15 tags, each of which can have a 512 character name and a 512 character value". */
const MAX_TAGS = 15
const MAX_TAG_VALUE = 512
const RECORDS = ['promoted', 'retired', 'disabled', 'acknowledged', 'restarted']

/** What a version of the secret itself says of its own origin. */
export interface Origin {
  /** The attempt that made it, and the version that this attempt was made from. */
  readonly token?: Token | undefined
  readonly base?: VersionId | undefined
  /** The version whose value it brought back, after a write that came late. */
  readonly restores?: VersionId | undefined
  /** And what the sibling knew as current then: as long as it knows nothing newer, there is nothing to bring back. */
  readonly known?: VersionId | undefined
  /** Of the announcement that it was written under (azure-journal.ts). */
  readonly ticket?: number | undefined
}

/** What the sibling's newest version is. */
export interface SiblingMark {
  readonly state: 'pending' | 'claim' | 'ended'
  readonly token: Token
  readonly base: VersionId
  /** Of an attempt that ended as current: the version that it became. */
  readonly became?: VersionId | undefined
  readonly ticket?: number | undefined
}

const words = (text: string | undefined): Words =>
  Object.fromEntries(
    (text ?? '').split(';').flatMap((part) => {
      const [, key, value] = /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(part) ?? []
      return key === undefined || value === undefined ? [] : [[key, value]]
    })
  )

function print(found: Readonly<Record<string, string | undefined>>): string {
  const kept = Object.entries(found).filter((e): e is [string, string] => e[1] !== undefined && e[1] !== '')
  const bad = kept.find(([, value]) => value.includes(';'))
  if (bad) throw new KeyturnError('invalid/metadata', `${bad[0]} must not have a semicolon in it`)
  return kept.map(([key, value]) => `${key}=${value}`).join(';')
}

/** Throws `invalid/metadata` for a policy that is not one: a spoiled one must not pass for none. */
export function policyOf(tags: Tags): Words | undefined {
  const text = tags[POLICY]
  if (text === undefined) return undefined
  const found = words(text)
  if (text.split(';').some((part) => part.trim() !== '' && !part.includes('=')))
    throw new KeyturnError('invalid/metadata', `the tag ${POLICY} must read like kind=postgres;period=30d`)
  return without(found, RECORDS)
}

/** Also one that cannot be read: it is said, and does not pass for none. */
export const hasPolicy = (tags: Tags): boolean => tags[POLICY] !== undefined

export function originOf(tags: Tags): Origin {
  const { token, base, restores, known, ticket } = words(tags[STATE])
  return { token: base === undefined ? undefined : token, base, restores, known, ticket: ticketIn(ticket) }
}

/** Undefined: the version keeps no records, not even that there are none. */
export function recordsOf(tags: Tags): Words | undefined {
  return tags[STATE] === undefined ? undefined : only(words(tags[STATE]), RECORDS)
}

export function siblingMark(tags: Tags): SiblingMark | undefined {
  const { state, token, base, became, ticket } = words(tags[STATE])
  if ((state !== 'pending' && state !== 'claim' && state !== 'ended') || token === undefined || base === undefined)
    return undefined
  return { state, token, base, became, ticket: ticketIn(ticket) }
}

const ticketIn = (text: string | undefined): number | undefined => (/^\d+$/.test(text ?? '') ? Number(text) : undefined)

/** No policy: the sibling must not look managed. */
export const siblingTags = ({ state, token, base, became, ticket }: SiblingMark): Tags => ({
  [STATE]: print({ state, token, base, became, ticket: ticket?.toString() })
})

export const metadataOf = (policy: Words, records: Words): Metadata => decodeMetadata({ ...policy, ...records })

/** Policy and records after a patch. */
export function patched(
  policy: Words,
  records: Words,
  patch: MetadataPatch
): { readonly policy: Words; readonly records: Words } {
  const { set, remove } = encodePatch(patch)
  const all = without({ ...policy, ...records, ...set }, remove)
  return { policy: without(all, RECORDS), records: only(all, RECORDS) }
}

/**
 * All tags of a version of the secret: the users' own are carried over, because a new version begins without any, and an
 * update replaces all. Throws `invalid/metadata` where Key Vault would not take them.
 */
export function mainTags(users: Tags, policy: Words, origin: Origin, records: Words): Tags {
  const { token, base, restores, known } = origin
  const state = { token, base, restores, known, ticket: origin.ticket?.toString(), ...records }
  const ours = { [POLICY]: print(policy), [STATE]: print(state) }
  const kept = Object.fromEntries(Object.entries(ours).filter(([, text]) => text !== ''))
  for (const [key, text] of Object.entries(kept))
    if (text.length > MAX_TAG_VALUE)
      throw new KeyturnError(
        'invalid/metadata',
        `the tag ${key} would have ${text.length} characters, and Key Vault takes ${MAX_TAG_VALUE}: shorten owner, hold or pair`
      )
  refuseCrowded(users)
  return { ...usersTags(users), ...kept }
}

/** Of a version that came late and was replaced: it is no promotion any more. */
export function lateTags(tags: Tags): Tags {
  const { token, base } = originOf(tags)
  return { ...tags, [STATE]: print({ late: token, base }) }
}

/** Before anything is written: a promotion needs two tags. Throws `invalid/metadata`. */
export function refuseCrowded(tags: Tags): void {
  const count = Object.keys(usersTags(tags)).length
  if (count > MAX_TAGS - 2)
    throw new KeyturnError(
      'invalid/metadata',
      `the secret has ${count} tags besides keyturn’s; Key Vault takes ${MAX_TAGS} on a version, and two are keyturn’s`
    )
}

const usersTags = (tags: Tags): Tags => without(tags, [POLICY, STATE])
const without = (found: Words, keys: readonly string[]): Words =>
  Object.fromEntries(Object.entries(found).filter(([key]) => !keys.includes(key)))
const only = (found: Words, keys: readonly string[]): Words =>
  Object.fromEntries(Object.entries(found).filter(([key]) => keys.includes(key)))

/**
 * When a version that is promoted now expires. Expiry does not keep anybody from reading (about-secrets, "Date-time
 * controlled operations"); it is what SecretNearExpiry is fired by, 30 days before, fixed, or within fifteen minutes where
 * less is left (key-vault/secrets/tutorial-rotation): so it fires when the next rotation is due, and never by our own write.
 * Throws `invalid/grace`.
 */
export function expiryOf(metadata: Metadata, nowMs: number): Date {
  // A grace is shorter than its period: the version outlives every client that may still hold it.
  const dueMs = nowMs + periodMsOf(metadata)
  // @azure/keyvault-secrets 4.12 writes seconds through `| 0`: beyond 2038-01-19 they would be negative.
  return new Date(Math.min(dueMs + 30 * DAY_MS, (2 ** 31 - 1) * 1_000))
}
