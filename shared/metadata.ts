import { formatDuration, parseDuration } from './duration.ts'
import { KeyturnError } from './errors.ts'
import { type Instant, instantIn, iso, type VersionId } from './types.ts'

/**
 * What keyturn knows about a secret besides its value: policy that its owner sets, and records that keyturn writes.
 * Kept by every store as short strings (tags, annotations, custom_metadata); this file is the one encoding.
 * Alphabet: letters, digits, space and `+-=._:/@`, at most 256 characters: what AWS tags allow
 * (docs.aws.amazon.com/tag-editor, "Tag naming limits"), the narrowest of the stores.
 */
export interface Metadata {
  /** What the credential opens: `postgres`, `aws-iam-access-key` … Present on every managed secret. */
  readonly kind?: string | undefined
  readonly owner?: string | undefined
  readonly environment?: string | undefined
  readonly dataClass?: string | undefined
  /** How often it is rotated. */
  readonly periodMs?: number | undefined
  /** How long the old credential stays valid after promotion. */
  readonly graceMs?: number | undefined
  /** How long nobody must have used the old key before it is retired. */
  readonly quietMs?: number | undefined
  /** How long an old key stays disabled before it is deleted. */
  readonly soakMs?: number | undefined
  /** How long after promotion an old key that is still used is put up with; then somebody is alerted, or it is cut. */
  readonly limitMs?: number | undefined
  readonly overLimit?: 'alert' | 'cut' | undefined
  /** Who has to be restarted after a promotion: shared/restart.ts. */
  readonly restart?: string | undefined
  /** When sweep and hook may rotate, UTC: `02:00-04:00`, or with days `sat+sun 02:00-04:00`. */
  readonly window?: string | undefined
  readonly hold?: { readonly reason: string; readonly until?: Instant | undefined } | undefined
  /** The admin secret's id, for planning; the document's `masterarn` is what a rotation uses. */
  readonly admin?: string | undefined
  /** The two logins that take turns. */
  readonly pair?: readonly [string, string] | undefined
  /** When keyturn took the secret under management. */
  readonly managedSince?: Instant | undefined
  /** Our own record of the last promotion: which version, which one it replaced, when by the store's clock. */
  readonly promoted?:
    | {
        readonly version: VersionId
        readonly previous: VersionId
        readonly at: Instant
      }
    | undefined
  /** The version that was retired and proved dead, when, and the target's own refusal. */
  readonly retired?: (Stamp & { readonly refusal: string }) | undefined
  /** The version whose key was disabled, to be deleted when the soak is over. */
  readonly disabled?: Stamp | undefined
  /** A person says that nobody uses the key of this version any more. */
  readonly acknowledged?: (Stamp & { readonly by: string }) | undefined
  /** The version that the consumers were restarted for, and how it went: `ok`, or the code of the failure. */
  readonly restarted?: (Stamp & { readonly outcome: string }) | undefined
}

/** Something was so of a version, since a time by the store's clock. */
export interface Stamp {
  readonly version: VersionId
  readonly at: Instant
}

/** Keys to set; null removes. */
export type MetadataPatch = {
  readonly [K in keyof Metadata]?: Exclude<Metadata[K], undefined> | null
}

/** Any text in the alphabet: other UTF-8 bytes, `=` and `/` become `=HH` (a tag takes no `%`). */
export const encodeText = (text: string): string =>
  [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[A-Za-z0-9 +\-._:@]/.test(char) ? char : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')

export function decodeText(text: string): string {
  const bytes: number[] = []
  for (let at = 0; at < text.length; at++) {
    const hex = text[at] === '=' ? /^[0-9A-F]{2}/.exec(text.slice(at + 1))?.[0] : undefined
    if (hex) {
      bytes.push(Number.parseInt(hex, 16))
      at += 2
    } else bytes.push(...Buffer.from(text[at] ?? '', 'utf8'))
  }
  return Buffer.from(bytes).toString('utf8')
}

type Codec<T> = {
  readonly write: (value: T) => string
  readonly read: (text: string, field: string) => T
}

const text: Codec<string> = { write: encodeText, read: decodeText }
const plain: Codec<string> = { write: (v) => v, read: (v) => v }
const duration: Codec<number> = { write: formatDuration, read: parseDuration }
const time: Codec<Instant> = {
  write: iso,
  read: (value, field) => {
    const at = instantIn(value)
    if (at === undefined) throw new KeyturnError('invalid/metadata', `${field} must hold an ISO 8601 time`)
    return at
  }
}

/** `a/b/c` with a fixed number of parts. */
function parts(value: string, count: number, field: string): string[] {
  const found = value.split('/')
  if (found.length !== count) throw new KeyturnError('invalid/metadata', `${field} must have ${count} parts between "/"`)
  return found
}

/** `version/time/word`, or `version/time` where there is no word. */
function stamped<W extends string>(word: W): Codec<Stamp & { readonly [K in W]: string }> {
  return {
    write: (v) => `${v.version}/${iso(v.at)}/${encodeText(v[word])}`,
    read: (value, field) => {
      const [version = '', at = '', said = ''] = parts(value, 3, field)
      return { version, at: time.read(at, field), [word]: decodeText(said) } as Stamp & { readonly [K in W]: string }
    }
  }
}

const stamp: Codec<Stamp> = {
  write: (v) => `${v.version}/${iso(v.at)}`,
  read: (value, field) => {
    const [version = '', at = ''] = parts(value, 2, field)
    return { version, at: time.read(at, field) }
  }
}

const overLimit: Codec<'alert' | 'cut'> = {
  write: (v) => v,
  read: (value, field) => {
    if (value === 'alert' || value === 'cut') return value
    throw new KeyturnError('invalid/metadata', `${field} must be alert or cut`)
  }
}

const CODECS: {
  readonly [K in keyof Metadata]-?: readonly [key: string, codec: Codec<NonNullable<Metadata[K]>>]
} = {
  kind: ['kind', text],
  owner: ['owner', text],
  environment: ['environment', text],
  dataClass: ['data-class', text],
  periodMs: ['period', duration],
  graceMs: ['grace', duration],
  quietMs: ['quiet', duration],
  soakMs: ['soak', duration],
  limitMs: ['limit', duration],
  overLimit: ['over-limit', overLimit],
  restart: ['restart', text],
  window: ['window', plain],
  hold: [
    'hold',
    {
      write: (v) => `${encodeText(v.reason)}/${v.until === undefined ? '' : iso(v.until)}`,
      read: (value, field) => {
        // A hold set by hand may be a bare reason: it still holds.
        const [reason = '', until = ''] = value.includes('/') ? parts(value, 2, field) : [value]
        return {
          reason: decodeText(reason),
          until: until === '' ? undefined : time.read(until, field)
        }
      }
    }
  ],
  admin: ['admin', plain],
  pair: [
    'pair',
    {
      write: (v) => v.map(encodeText).join('/'),
      read: (value, field) => parts(value, 2, field).map(decodeText) as [string, string]
    }
  ],
  managedSince: ['managed-since', time],
  promoted: [
    'promoted',
    {
      write: (v) => `${v.version}/${v.previous}/${iso(v.at)}`,
      read: (value, field) => {
        const [version = '', previous = '', at = ''] = parts(value, 3, field)
        return { version, previous, at: time.read(at, field) }
      }
    }
  ],
  retired: ['retired', stamped('refusal')],
  disabled: ['disabled', stamp],
  acknowledged: ['acknowledged', stamped('by')],
  restarted: ['restarted', stamped('outcome')]
}

const FIELDS = Object.keys(CODECS) as (keyof Metadata)[]

/**
 * Metadata from a store's strings, whose keys begin with the store's prefix where it has others' beside them. Unknown keys
 * are left alone; bad values throw.
 */
export function decodeMetadata(strings: Readonly<Record<string, string>>, prefix = ''): Metadata {
  const found: Record<string, unknown> = {}
  for (const field of FIELDS) {
    const [key, codec] = CODECS[field]
    const value = strings[prefix + key]
    if (value !== undefined) found[field] = codec.read(value, key)
  }
  return found as Metadata
}

/**
 * With the last promotion where the commit is its own record; what was said of the one replaced before it is no news.
 */
export function withPromotion(metadata: Metadata, promoted: Metadata['promoted']): Metadata {
  const { promoted: _, retired, disabled, acknowledged, ...rest } = metadata
  const still = (of: Stamp | undefined): boolean => of !== undefined && of.version === promoted?.previous
  return {
    ...rest,
    ...(promoted && { promoted }),
    ...(still(retired) && { retired }),
    ...(still(disabled) && { disabled }),
    ...(still(acknowledged) && { acknowledged })
  }
}

/** A patch as a store's strings, prefix and all: to set, and keys to remove. */
export function encodePatch(
  patch: MetadataPatch,
  prefix = ''
): {
  readonly set: Readonly<Record<string, string>>
  readonly remove: readonly string[]
} {
  const set: Record<string, string> = {}
  const remove: string[] = []
  for (const field of FIELDS) {
    const value = patch[field]
    if (value === undefined) continue
    const [key, codec] = CODECS[field] as readonly [string, Codec<unknown>]
    if (value === null) remove.push(prefix + key)
    else {
      const written = codec.write(value)
      if (written.length > 256) throw new KeyturnError('invalid/metadata', `${key} is longer than 256 characters when written`)
      set[prefix + key] = written
    }
  }
  return { set, remove }
}
