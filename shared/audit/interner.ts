/**
 * What was made of a run of bytes, kept, so that the same bytes again give the same object and no new text: most fields of
 * a log repeat. Bounded: when it is full the next ones are made anew.
 */
export type Interner<T> = (bytes: Uint8Array, from: number, to: number) => T

interface Entry<T> {
  readonly hash: number
  readonly bytes: Uint8Array
  readonly value: T
}

/** A power of two. Few names repeat most; there are many paths. */
const SLOTS = 1 << 12
/** Where an entry may lie: at its hash and the next ones. */
const PROBES = 8
/** Longer runs do not repeat enough to be worth it. */
const LONGEST = 1_024

export function interner<T>(make: (text: string) => T, slots = SLOTS): Interner<T> {
  const table: (Entry<T> | undefined)[] = new Array(slots)
  return (bytes, from, to) => {
    if (to - from > LONGEST) return make(textOf(bytes, from, to))
    const hash = hashOf(bytes, from, to)
    for (let probe = 0; probe < PROBES; probe++) {
      const slot = (hash + probe) & (slots - 1)
      const entry = table[slot]
      if (entry === undefined) {
        const value = make(textOf(bytes, from, to))
        table[slot] = { hash, bytes: Uint8Array.prototype.slice.call(bytes, from, to), value }
        return value
      }
      if (entry.hash === hash && isSame(entry.bytes, bytes, from, to)) return entry.value
    }
    return make(textOf(bytes, from, to))
  }
}

/** FNV-1a of the length and the last bytes: what repeats differs at its end. What does not is made anew, and no worse. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5 ^ (to - from)
  for (let at = Math.max(from, to - HASHED); at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

const HASHED = 24

function isSame(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false
  for (let at = 0; at < known.length; at++) if (known[at] !== bytes[from + at]) return false
  return true
}

const textOf = (bytes: Uint8Array, from: number, to: number): string => asBuffer(bytes).toString('utf8', from, to)

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Of a raw JSON value: a string's text; of anything else, its JSON. Empty for null, and for what is no JSON. */
export function plainText(json: string): string {
  if (json === '' || json === 'null') return ''
  if (!json.startsWith('"')) return json
  if (!json.includes('\\')) return json.slice(1, -1)
  try {
    return JSON.parse(json)
  } catch {
    return ''
  }
}

/** The same, of bytes that will not come again. */
export function plainTextOf(bytes: Uint8Array, from: number, to: number): string {
  if (from < 0) return ''
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number
    if (byte > 126 || byte === 92) return plainText(textOf(bytes, from, to))
  }
  return bytes[from] === 34 ? asBuffer(bytes).toString('latin1', from + 1, to - 1) : plainText(textOf(bytes, from, to))
}
