import { KeyturnError } from '../errors.ts'
import { decodeMetadata, decodeText, encodeText } from '../metadata.ts'
import { type Instant, instant, iso, type Token, type VersionId } from '../types.ts'
import type { Annotations } from './gcp-calls.ts'

/** Before every annotation of keyturn's: `keyturn-kind`. resources.proto, Secret.annotations: 1 to 63 of [A-Za-z0-9._-]. */
export const PREFIX = 'keyturn-'

/** What the annotations say of attempts. Numbers are versions: of the secret, and where it says so, of its sibling. */
export interface RotationRecord {
  /** Counts keyturn's writes. Each compares with what it was made from, so that of two states it tells the newer. */
  readonly writes: number
  /** The newest version when it was last written. The true newest is this one or a later one. */
  readonly current: number | undefined
  /** The last version that keyturn promoted, and the attempt that made it. */
  readonly commit: { readonly version: number; readonly token: Token } | undefined
  readonly attempt: AttemptRecord | undefined
  /** Tokens of attempts that ended, newest last. */
  readonly ended: readonly Token[]
  /** Versions of the sibling that are over and perhaps not destroyed. */
  readonly left: readonly Left[]
  /** The newest version of the sibling that is known of. */
  readonly sibling: number
}

export interface Left {
  readonly number: number
  /** Since when, by the store's clock. */
  readonly at: Instant
  /** The attempt that was dropped; undefined: it was promoted, so that its value is good. */
  readonly dropped?: Token | undefined
}

export interface AttemptRecord {
  readonly token: Token
  readonly base: VersionId
  /** The sibling's version that holds, or will hold, the value. */
  readonly number: number
  /** When a value was announced, by the store's clock. Undefined: claimed, and no value yet. */
  readonly stagedAt: Instant | undefined
  readonly claim: { readonly at: Instant; readonly seen: readonly string[] } | undefined
}

/** Enough for every request that may still be delivered again, and 600 bytes. */
const MOST_ENDED = 16
/** Of what nobody may destroy; older ones are then left where they are. */
const MOST_LEFT = 8
/** resources.proto: "The total size of annotation keys and values must be less than 16KiB." */
const MOST_BYTES = 16_383
/** What the promotion and the retirement of an attempt will need: it is not begun without. */
export const ROOM_BYTES = 1_024

type Strings = Record<string, string | undefined>

export function recordOf(annotations: Annotations): RotationRecord {
  const text = (key: string): string | undefined => annotations[PREFIX + key]
  const [version, token] = text('commit')?.split('/') ?? []
  return {
    writes: wholeOr(text('writes'), 0),
    current: wholeOr(text('current'), undefined),
    commit: version && token ? { version: Number(version), token } : undefined,
    attempt: attemptIn(text('attempt'), text('claim')),
    ended: listIn(text('ended')),
    left: listIn(text('left')).map((entry) => {
      const [number, at, dropped] = entry.split('@')
      return { number: Number(number), at: instant(Date.parse(at ?? '') || 0), dropped }
    }),
    sibling: wholeOr(text('sibling'), 0)
  }
}

const wholeOr = <T>(text: string | undefined, other: T): number | T => (/^\d{1,15}$/.test(text ?? '') ? Number(text) : other)
const listIn = (text: string | undefined): readonly string[] => (text ? text.split('/') : [])

function attemptIn(text: string | undefined, claim: string | undefined): AttemptRecord | undefined {
  const [token, base, number, staged = ''] = text?.split('/') ?? []
  if (!token || !base || !number) return undefined
  const [claimed, ...seen] = claim?.split('/') ?? []
  return {
    token,
    base,
    number: Number(number),
    stagedAt: staged === '' ? undefined : instant(Date.parse(staged)),
    claim: claimed ? { at: instant(Date.parse(claimed)), seen: seen.map(decodeText) } : undefined
  }
}

const STRINGS: {
  readonly [K in keyof Omit<RotationRecord, 'attempt'>]: (value: RotationRecord[K]) => string | undefined
} = {
  writes: String,
  current: (n) => n?.toString(),
  commit: (c) => c && `${c.version}/${c.token}`,
  ended: (tokens) => tokens.slice(-MOST_ENDED).join('/') || undefined,
  left: (all) =>
    all
      .slice(-MOST_LEFT)
      .map((l) => `${l.number}@${iso(l.at)}${l.dropped === undefined ? '' : `@${l.dropped}`}`)
      .join('/') || undefined,
  sibling: (n) => (n === 0 ? undefined : String(n))
}

/**
 * The annotations after a write: a part of the record in place of its old one, other keys set or (undefined) removed, and
 * all the others, the owner's too, as they were. Throws `invalid/metadata` where there is no room, and as much to spare.
 */
export function rewritten(
  annotations: Annotations,
  part: Partial<RotationRecord>,
  others: Strings = {},
  spareBytes = 0
): Annotations {
  const strings: Strings = { ...annotations, ...others }
  const next = { ...part, writes: recordOf(annotations).writes + 1 }
  for (const [key, value] of Object.entries(next)) {
    if (key === 'attempt') Object.assign(strings, attemptStrings(value as AttemptRecord | undefined))
    else strings[PREFIX + key] = (STRINGS[key as keyof typeof STRINGS] as (value: unknown) => string | undefined)(value)
  }
  const kept = Object.entries(strings).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const bytes = kept.reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0)
  if (bytes > MOST_BYTES - spareBytes)
    throw new KeyturnError(
      'invalid/metadata',
      `the annotations would have ${bytes + spareBytes} bytes, and Secret Manager takes ${MOST_BYTES}: make room among your own`
    )
  return Object.fromEntries(kept)
}

function attemptStrings(attempt: AttemptRecord | undefined): Strings {
  const { claim } = attempt ?? {}
  const staged = attempt?.stagedAt === undefined ? '' : iso(attempt.stagedAt)
  return {
    [`${PREFIX}attempt`]: attempt && `${attempt.token}/${attempt.base}/${attempt.number}/${staged}`,
    [`${PREFIX}claim`]: claim && [iso(claim.at), ...claim.seen.map(encodeText)].join('/')
  }
}

const OWN = ['writes', 'current', 'commit', 'attempt', 'claim', 'ended', 'left', 'sibling'].map((key) => PREFIX + key)

/** What people, and the policy that they set, said: all but the record. */
export const policyIn = (annotations: Annotations): string =>
  JSON.stringify(
    Object.entries(annotations)
      .filter(([key]) => !OWN.includes(key))
      .sort(([a], [b]) => (a < b ? -1 : 1))
  )

/** Whether a person's hold is in force. */
export function isHeldAt(annotations: Annotations, now: Instant): boolean {
  const text = annotations[`${PREFIX}hold`]
  const { hold } = text === undefined ? {} : decodeMetadata({ hold: text })
  return hold !== undefined && (hold.until === undefined || now < hold.until)
}
