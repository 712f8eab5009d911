/** Where a line is. */
export interface Line {
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
}

/** Requests whose answers did not come yet, by id. */
export interface Pending {
  /** Returns the oldest ones when there are too many: they are taken for unanswered. */
  add(id: string, line: Line): readonly Line[]
  answered(id: string): void
  /** The bytes of the lines are about to change: those that still wait are copied. */
  release(): void
  /** All that wait, and forgets them. */
  all(): readonly Line[]
}

/** Of those that are copied: lines, and bytes. */
const [MOST, MOST_BYTES] = [20_000, 32 * 2 ** 20]

export function pendingRequests(): Pending {
  const fresh = new Map<string, Line>()
  const kept = new Map<string, Line>()
  let bytesKept = 0

  const drop = (id: string): Line | undefined => {
    const line = kept.get(id)
    if (line && kept.delete(id)) bytesKept -= line.to
    return line
  }
  return {
    add: (id, line) => {
      fresh.set(id, line)
      if (kept.size < MOST && bytesKept < MOST_BYTES) return NONE
      const oldest: Line[] = []
      for (const one of kept.keys()) {
        if (kept.size < MOST && bytesKept < MOST_BYTES) break
        oldest.push(drop(one) as Line)
      }
      return oldest
    },
    answered: (id) => {
      fresh.delete(id)
      drop(id)
    },
    release: () => {
      for (const [id, { bytes, from, to }] of fresh) {
        drop(id)
        kept.set(id, { bytes: new Uint8Array(bytes.subarray(from, to)), from: 0, to: to - from })
        bytesKept += to - from
      }
      fresh.clear()
    },
    all: () => {
      const lines = [...kept.values(), ...fresh.values()]
      fresh.clear()
      kept.clear()
      bytesKept = 0
      return lines
    }
  }
}

const NONE: readonly Line[] = []
