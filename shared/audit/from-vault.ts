import { fieldScanner } from './json-fields.ts'
import type { Emit } from './reader.ts'
import type { References } from './references.ts'
import { alike } from './vault-alike.ts'
import { vaultEntry } from './vault-entry.ts'
import { type Line, pendingRequests } from './vault-pending.ts'
import { recentRequests } from './vault-recent.ts'

/**
 * Reads lines of a Vault or OpenBao audit device (openbao internal/audit/format.go). Each call is two lines with one
 * `request.id`; the answer has all that the request has, and tells how it ended, so it is what counts. A request that was
 * never answered (sys/seal; a node that died) is read when the log is over.
 */
export interface VaultReader {
  /** One line, without what a device puts before it. False: it is no entry, or is cut off. */
  read(bytes: Uint8Array, from: number, to: number, emit: Emit): boolean
  /**
   * The bytes that were given are about to change: what is still needed of them is copied. `damaged`: where a line began that
   * was taken for a request, and is none.
   */
  release(emit: Emit, damaged: (from: number) => void): void
  /** Requests that nothing answered. How they ended is not known: they count as done, and logins not at all. */
  flush(emit: Emit): void
  /** The same requests as lines, for who reads the part of the log in which their answers are; forgets them. */
  waiting(): readonly Uint8Array[]
}

export function vaultReader(refs: References): VaultReader {
  const head = fieldScanner(['type'])
  const entry = vaultEntry(refs)
  const [recent, pending, lines] = [recentRequests(), pendingRequests(), alike()]

  const unanswered = ({ bytes, from, to }: Line, emit: Emit): void => {
    entry.scan(bytes, from, to)
    const event = entry.event(bytes, entry.id(bytes), false)
    if (event && !Number.isNaN(event.at)) emit(event)
  }
  /** Its answer does not come at once. False: it is no entry. */
  const wait = (line: Line, emit: Emit): boolean => {
    if (!entry.scan(line.bytes, line.from, line.to)) return false
    const id = entry.id(line.bytes)
    if (id === '') return false
    for (const oldest of pending.add(id, line)) unanswered(oldest, emit)
    return true
  }
  const lost: number[] = []
  const waitLate = (line: Line, emit: Emit): void => {
    if (!wait(line, emit)) lost.push(line.from)
  }
  const answer = (bytes: Uint8Array, from: number, to: number, emit: Emit): boolean => {
    for (const line of recent.drain()) waitLate(line, emit)
    if (!entry.scan(bytes, from, to)) return false
    const id = entry.id(bytes)
    if (id === '') return false
    pending.answered(id)
    const event = entry.event(bytes, id, true)
    if (event === undefined) return true
    if (Number.isNaN(event.at)) return false
    if (event.outcome === 'done' && Buffer.isBuffer(bytes)) lines.learn(bytes, from, to, event)
    emit(event)
    return true
  }
  return {
    read: (bytes, from, to, emit) => {
      if (Buffer.isBuffer(bytes)) {
        const known = lines.event(bytes, from, to)
        if (known) {
          if (!recent.answered(bytes, lines.last.timeTo, lines.last.idFrom)) pending.answered(known.id)
          emit(known)
          return true
        }
        if (lines.isRequest(bytes, from, to)) {
          if (!isWhole(bytes, to)) return false
          const oldest = recent.add(bytes, from, to, lines.last.timeTo)
          if (oldest) waitLate(oldest, emit)
          return true
        }
      }
      if (head.scan(bytes, from, to, 0) < 0 || (head.starts[0] as number) < 0) return false
      // Of `request` and `kmip-request`, and of no `response`.
      if (bytes[(head.ends[0] as number) - 2] !== LETTER_T) return answer(bytes, from, to, emit)
      return isWhole(bytes, to) && wait({ bytes, from, to }, emit)
    },
    release: (emit, damaged) => {
      for (const line of recent.drain()) waitLate(line, emit)
      for (const from of lost.splice(0)) damaged(from)
      pending.release()
      lines.release()
    },
    waiting: () => [...recent.drain(), ...pending.all()].map(({ bytes, from, to }) => new Uint8Array(bytes.subarray(from, to))),
    flush: (emit) => {
      for (const line of pending.all()) unanswered(line, emit)
    }
  }
}

const LETTER_T = 116

/** What is not read yet must not have lost its end. */
function isWhole(bytes: Uint8Array, to: number): boolean {
  let last = to - 1
  while ((bytes[last] as number) <= 32) last--
  return bytes[last] === 125
}
