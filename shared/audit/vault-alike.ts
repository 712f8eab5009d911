import { timeOf } from './clock.ts'
import type { AuditEvent } from './event.ts'
import { afterBrackets, afterValue } from './json-fields.ts'

/**
 * Most lines of an audit device repeat one that was read before: the same token, path and address, and only the time, the
 * request's id, the port and the HMACs in the answer differ. Those bytes are compared (as one block) and not read again.
 * What is taken from a line this way is what reading it in full gives: all that an event is made of lies in the blocks that
 * are equal, and the answer is the last member, so that no `error` follows. Only lines laid out as the device writes them
 * (`time`, `type`, `auth`, `request`, `response`) are taken; any other is read in full.
 */
export interface Alike {
  /** Undefined: it has to be read in full. */
  event(bytes: Buffer, from: number, to: number): AuditEvent | undefined
  /** What reading a line in full gave. */
  learn(bytes: Buffer, from: number, to: number, event: AuditEvent): void
  /** Laid out as the request of such a line; more is not said of it. */
  isRequest(bytes: Buffer, from: number, to: number): boolean
  /** Where the time ended in the line that was looked at last, and where the id was in it when it was found. */
  readonly last: { timeTo: number; idFrom: number }
  /** The bytes that were given are about to change. */
  release(): void
}

interface Block {
  readonly bytes: Buffer
  readonly hash: number
}

/** From behind the id up to the port; and what the line said. */
interface Rest extends Block {
  readonly auth: Block
  readonly event: AuditEvent
}

const [AUTHS, RESTS] = [1 << 13, 1 << 15]
const ID_LENGTH = 36
const ascii = (text: string): Buffer => Buffer.from(text, 'latin1')
const TIME = ascii('{"time":"')
const ANSWER = ascii(',"type":"response","auth":{"client_token":"')
const REQUEST = ascii(',"type":"request","auth":{"client_token":"')
const ID = ascii(',"request":{"id":"')
const PORT = ascii(',"remote_port":')
const RESPONSE = ascii('},"response":{')
const [QUOTE, CLOSE] = [34, 125]

/** Only of these is nothing asked that the answer has: logins and tokens have theirs in it. */
const ALIKE: readonly AuditEvent['kind'][] = ['read', 'write', 'list', 'describe']

export function alike(): Alike {
  const auths: (Block | undefined)[] = new Array(AUTHS)
  const rests: (Rest | undefined)[] = new Array(RESTS)
  const last = { timeTo: 0, idFrom: 0 }
  let nextPort = -1

  /** Behind the time, the first member; 0: it is another. */
  const afterTime = (bytes: Buffer, from: number, to: number): number => {
    if (!isAt(bytes, from, TIME)) return 0
    let at = from + TIME.length
    while (at < to && bytes[at] !== QUOTE) at++
    return at + 1
  }
  /** Where the auth block begins; 0: the line is laid out otherwise. */
  const authFrom = (bytes: Buffer, from: number, to: number): number => {
    last.timeTo = afterTime(bytes, from, to)
    return last.timeTo > 0 && isAt(bytes, last.timeTo, ANSWER) ? last.timeTo + ANSWER_AUTH : 0
  }
  /** Where the port begins; the search goes on where it stopped. */
  const portFrom = (bytes: Buffer, at: number, to: number): number => {
    if (nextPort < at) {
      const found = bytes.indexOf(PORT, at)
      nextPort = found < 0 ? Number.POSITIVE_INFINITY : found
    }
    return nextPort < to ? nextPort : -1
  }
  /** Behind the port there is nothing but the answer, which is the last member. */
  const isEnded = (bytes: Buffer, port: number, to: number): boolean => {
    let at = port + PORT.length
    while (isDigit(bytes[at])) at++
    if (!isAt(bytes, at, RESPONSE)) return false
    return bytes[to - 1] === CLOSE && afterBrackets(bytes, at + RESPONSE.length, to, 1) === to - 1
  }
  const authOf = (bytes: Buffer, auth: number, hash: number): Block | undefined => {
    for (let probe = 0; probe < PROBES; probe++) {
      const known = auths[(hash + probe) & (AUTHS - 1)]
      if (known?.hash === hash && isSame(bytes, auth, known.bytes)) return known
    }
    return undefined
  }
  const restOf = (bytes: Buffer, auth: Block, from: number, to: number, hash: number): Rest | undefined => {
    for (let probe = 0; probe < PROBES; probe++) {
      const known = rests[(hash + probe) & (RESTS - 1)]
      const isIt = known?.hash === hash && known.auth === auth && known.bytes.length === to - from
      if (isIt && isSame(bytes, from, known.bytes)) return known
    }
    return undefined
  }
  const authHash = (bytes: Buffer, auth: number): number => hashOf(bytes, auth + TOKEN, auth + TOKEN + 12)

  return {
    last,
    isRequest: (bytes, from, to) => {
      last.timeTo = afterTime(bytes, from, to)
      return last.timeTo > 0 && isAt(bytes, last.timeTo, REQUEST)
    },
    event: (bytes, from, to) => {
      const auth = authFrom(bytes, from, to)
      if (auth === 0) return undefined
      const known = authOf(bytes, auth, authHash(bytes, auth))
      if (!known) return undefined
      const idFrom = auth + known.bytes.length
      const restFrom = idFrom + ID_LENGTH
      const port = portFrom(bytes, restFrom, to)
      if (port < 0) return undefined
      const rest = restOf(bytes, known, restFrom, port, restHash(bytes, restFrom, port, known))
      if (!rest || !isEnded(bytes, port, to)) return undefined
      const at = timeOf(bytes, from + TIME.length - 1, last.timeTo)
      if (Number.isNaN(at)) return undefined
      last.idFrom = idFrom
      return { ...rest.event, id: bytes.toString('latin1', idFrom, restFrom), at }
    },
    learn: (bytes, from, to, event) => {
      const auth = authFrom(bytes, from, to)
      if (auth === 0 || !ALIKE.includes(event.kind) || event.id.length !== ID_LENGTH) return
      const authTo = afterValue(bytes, auth, to)
      if (authTo < 0 || !isAt(bytes, authTo, ID)) return
      const restFrom = authTo + ID.length + ID_LENGTH
      const port = portFrom(bytes, restFrom, to)
      if (port < 0 || bytes[restFrom] !== QUOTE || !isEnded(bytes, port, to)) return
      const hash = authHash(bytes, auth)
      const block = bytes.subarray(auth, authTo + ID.length)
      const known = authOf(bytes, auth, hash)
      const kept = known?.bytes.length === block.length ? known : { bytes: Buffer.from(block), hash }
      if (kept !== known) keep(auths, kept)
      const rest = { bytes: Buffer.from(bytes.subarray(restFrom, port)), hash: restHash(bytes, restFrom, port, kept), auth: kept }
      keep(rests, { ...rest, event: { ...event, likeness: { places: undefined } } })
    },
    release: () => {
      nextPort = -1
    }
  }
}

/** An entry lies at its hash or at one of the next places; the one that was there is made anew when it comes again. */
const PROBES = 4

function keep<T extends Block>(table: (T | undefined)[], entry: T): void {
  const mask = table.length - 1
  for (let probe = 0; probe < PROBES; probe++) {
    const at = (entry.hash + probe) & mask
    if (table[at] !== undefined) continue
    table[at] = entry
    return
  }
  table[entry.hash & mask] = entry
}

const restHash = (bytes: Buffer, from: number, port: number, auth: Block): number =>
  (hashOf(bytes, Math.max(from, port - HASHED), port) ^ auth.hash) >>> 0

/** From the member's comma to the brace of the auth block; from there to the token's HMAC. */
const ANSWER_AUTH = ',"type":"response","auth":'.length
const TOKEN = '{"client_token":"hmac-sha256:'.length
/** The last bytes before the port: the end of the path, and the address. */
const HASHED = 48

function isAt(bytes: Buffer, from: number, text: Buffer): boolean {
  for (let at = 0; at < text.length; at++) if (bytes[from + at] !== text[at]) return false
  return true
}

const isSame = (bytes: Buffer, from: number, block: Buffer): boolean =>
  bytes.compare(block, 0, block.length, from, Math.min(bytes.length, from + block.length)) === 0

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 48 && byte <= 57

function hashOf(bytes: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}
