import { afterBrackets, afterSpace, afterValue, INCOMPLETE, MALFORMED } from './json-fields.ts'

/** What is done with one record. Returns false when it is none, and where it is not known yet where it ends: that, or a code. */
export interface Take {
  /** One line, or one value, that is complete. */
  whole(bytes: Uint8Array, from: number, to: number): boolean
  /** An object that begins at `from`: takes it and returns where it ends, MALFORMED or INCOMPLETE. Undefined: no such shortcut. */
  started?: ((bytes: Uint8Array, from: number, to: number) => number) | undefined
}

/** Cuts bytes into records. Returns how many bytes are done with; what is left is given again, with more behind it. */
export interface Splitter {
  split(bytes: Uint8Array, to: number, isLast: boolean): number
  /** What cannot be read: where in these bytes, and why. */
  readonly damaged: (at: number, why: string) => void
}

type Damaged = Splitter['damaged']

export const NO_RECORD = 'not a record of any known log'

const [NEWLINE, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COMMA] = [10, 123, 125, 91, 93, 44]

/** One record a line. A line that is not one is damage, and the next line is read. */
export function lines(take: Take, damaged: Damaged): Splitter {
  const line = (bytes: Uint8Array, from: number, to: number): void => {
    const end = bytes[to - 1] === 13 ? to - 1 : to
    if (afterSpace(bytes, from, end) < end && !take.whole(bytes, from, end)) damaged(from, NO_RECORD)
  }
  return {
    damaged,
    split: (bytes, to, isLast) => {
      let at = 0
      for (;;) {
        const end = bytes.indexOf(NEWLINE, at)
        if (end < 0 || end >= to) break
        line(bytes, at, end)
        at = end + 1
      }
      if (isLast && at < to) {
        line(bytes, at, to)
        return to
      }
      return at
    }
  }
}

/** Members whose array has the records: CloudTrail, Azure, LookupEvents, gcloud. */
const WRAPPED = /^\{\s*"(?:Records|records|Events|entries|value)"\s*:\s*\[/

/** JSON values however they are laid out: one or many, in an array, or in an array that is the first member of an object. */
export function values(take: Take, damaged: Damaged): Splitter {
  /** Inside an array; which is a member of an object. */
  let [isOpen, isMember] = [false, false]

  const opened = (bytes: Uint8Array, at: number, to: number): number => {
    if (bytes[at] === OPEN_LIST) return at + 1
    const head = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(64, to - at)).toString('latin1')
    const match = WRAPPED.exec(head)
    if (!match) return at
    isMember = true
    return at + match[0].length
  }
  /** Behind the array's end, and that of the object it is in. */
  const closed = (bytes: Uint8Array, at: number, to: number): number => {
    const end = isMember ? afterBrackets(bytes, at + 1, to, 1) : at + 1
    if (end > 0) [isOpen, isMember] = [false, false]
    return end
  }
  const next = (bytes: Uint8Array, at: number, to: number): number => {
    const byte = bytes[at]
    if (byte === COMMA) return at + 1
    if (!isOpen) {
      const inside = opened(bytes, at, to)
      if (inside > at) {
        isOpen = true
        return inside
      }
    } else if (byte === CLOSE_LIST) return closed(bytes, at, to)
    return record(bytes, at, to)
  }
  const record = (bytes: Uint8Array, at: number, to: number): number => {
    if (take.started && bytes[at] === OPEN) {
      const end = take.started(bytes, at, to)
      if (end !== MALFORMED) return end
    }
    const end = afterValue(bytes, at, to)
    if (end > 0 && !take.whole(bytes, at, end)) damaged(at, NO_RECORD)
    return end
  }
  return {
    damaged,
    split: (bytes, to, isLast) => {
      let at = 0
      for (;;) {
        at = afterSpace(bytes, at, to)
        if (at >= to) {
          if (isLast && isOpen) damaged(to, 'cut off before the end of its records')
          return to
        }
        const end = next(bytes, at, to)
        if (end === INCOMPLETE) {
          if (isLast) damaged(at, 'cut off in the middle of a record')
          return isLast ? to : at
        }
        if (end === MALFORMED) {
          damaged(at, 'no JSON')
          at = resumed(bytes, at + 1, to)
        } else at = end
      }
    }
  }
}

/** After damage: the next object that begins behind a comma or a line's end. */
function resumed(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const before = bytes[at - 1]
    if (bytes[at] === OPEN && (before === COMMA || before === NEWLINE || before === CLOSE)) return at
  }
  return to
}

/**
 * How a log is laid out, by how it begins: one record a line, unless it is an array, records wrapped in an object, or an
 * object whose first member is on a line of its own (pretty-printed).
 */
export function isLines(head: Uint8Array): boolean {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 256)).toString('latin1').trimStart()
  return !(text.startsWith('[') || WRAPPED.test(text) || /^\{[ \t\r]*\n/.test(text))
}
