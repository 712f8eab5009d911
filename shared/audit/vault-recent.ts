import type { Line } from './vault-pending.ts'

/**
 * Requests of the last lines, whose answers come a few lines later: they are found by their id where it must be: as far
 * behind the time, of any length, as in the answer but for the one character that `response` is longer than `request`. So
 * most requests are never read.
 */
export interface Recent {
  /** `timeTo`: where its time ends. Returns the oldest one where there is no room: it has to be read. */
  add(bytes: Uint8Array, from: number, to: number, timeTo: number): Line | undefined
  /** The answer whose time ends at `timeTo`, with its id at `idFrom`. True: its request was here, and is gone. */
  answered(bytes: Uint8Array, timeTo: number, idFrom: number): boolean
  /** All that are left, and forgets them. */
  drain(): readonly Line[]
}

interface Recently extends Line {
  readonly timeTo: number
}

const MOST = 16
const ID_LENGTH = 36
/** What stands before an id. */
const BEFORE = Buffer.from('"request":{"id":"')

export function recentRequests(): Recent {
  let lines: Recently[] = []
  return {
    add: (bytes, from, to, timeTo) => {
      lines.push({ bytes, from, to, timeTo })
      return lines.length > MOST ? lines.shift() : undefined
    },
    answered: (bytes, timeTo, idFrom) => {
      for (let n = lines.length - 1; n >= 0; n--) {
        const line = lines[n] as Recently
        if (!isSame(line, line.timeTo + idFrom - timeTo - 1, bytes, idFrom)) continue
        lines.splice(n, 1)
        return true
      }
      return false
    },
    drain: () => {
      const left = lines
      lines = []
      return left
    }
  }
}

function isSame(line: Line, at: number, bytes: Uint8Array, idFrom: number): boolean {
  if (at + ID_LENGTH > line.to) return false
  for (let n = ID_LENGTH - 1; n >= 0; n--) if (line.bytes[at + n] !== bytes[idFrom + n]) return false
  for (let n = 0; n < BEFORE.length; n++) if (line.bytes[at - BEFORE.length + n] !== BEFORE[n]) return false
  return true
}
