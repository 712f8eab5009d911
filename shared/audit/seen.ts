/**
 * Ids of events that were counted, so that what is delivered twice counts once. Bounded: of the newest million at least the
 * half is remembered, in hashes of 53 bits, of which two of a million are the same once in ten thousand runs.
 */
export interface Seen {
  /** True: it was here before. */
  add(id: string): boolean
  /** Hashes, the older half first: for the state. */
  readonly hashes: () => readonly [older: Float64Array, newer: Float64Array]
  restore(hashes: Float64Array): void
  /** Whether any of these was here before; nothing is added. */
  shares(hashes: Float64Array): boolean
}

/** Of one half; a table of twice as many slots. */
const MOST = 1 << 19
const SLOTS = MOST << 1

export function seen(): Seen {
  let newer = new Float64Array(SLOTS)
  let older: Float64Array | undefined
  let count = 0

  const insert = (hash: number): boolean => {
    if (older && has(older, hash)) return true
    if (!put(newer, hash)) return true
    if (++count < MOST) return false
    older = newer
    newer = new Float64Array(SLOTS)
    count = 0
    return false
  }
  return {
    add: (id) => insert(hashOf(id)),
    hashes: () => [older?.filter((hash) => hash !== 0) ?? new Float64Array(), newer.filter((hash) => hash !== 0)],
    shares: (hashes) => hashes.some((hash) => has(newer, hash) || (older !== undefined && has(older, hash))),
    restore: (hashes) => {
      for (const hash of hashes) insert(hash)
    }
  }
}

const slotOf = (hash: number): number => hash % SLOTS

function has(table: Float64Array, hash: number): boolean {
  for (let at = slotOf(hash); ; at = (at + 1) % SLOTS) {
    if (table[at] === hash) return true
    if (table[at] === 0) return false
  }
}

function put(table: Float64Array, hash: number): boolean {
  for (let at = slotOf(hash); ; at = (at + 1) % SLOTS) {
    if (table[at] === hash) return false
    if (table[at] !== 0) continue
    table[at] = hash
    return true
  }
}

/** FNV-1a of 32 bits, and 21 bits of another one; never 0. */
function hashOf(id: string): number {
  let [low, high] = [0x811c9dc5, 0x01000193]
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at)
    low = Math.imul(low ^ code, 0x01000193)
    high = Math.imul(high ^ code, 0x85ebca6b) ^ (high >>> 13)
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0) || 1
}
