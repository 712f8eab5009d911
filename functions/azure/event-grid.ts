import * as v from 'valibot'
import { KeyturnError } from '../../shared/errors.ts'
import { type Instant, instantIn } from '../../shared/types.ts'

/** An event of Event Grid, in whichever schema. */
export interface GridEvent {
  readonly id: string
  readonly type: string
  readonly at: Instant | undefined
  readonly data: unknown
}

/**
 * The events of one queue message, each parsed only when its turn comes: one that is bad must not hide the others.
 * Event Grid sends one event a message; the worker has parsed a text that is JSON, and left one that is base64 (host.json,
 * `messageEncoding: none`). Throws `invalid/request`, and never quotes the message.
 */
export function gridEventsOf(message: unknown): readonly (() => GridEvent)[] {
  const body = bodyOf(message)
  const events: readonly unknown[] = Array.isArray(body) ? body : [body]
  if (events.length === 0) throw new KeyturnError('invalid/request', 'the message holds no event')
  return events.map((event) => () => parseEvent(event))
}

function parseEvent(event: unknown): GridEvent {
  const envelope = v.safeParse(Envelope, fieldsOf(event))
  const { id, data, eventtype, eventtime, time, type = eventtype } = envelope.success ? envelope.output : {}
  if (id === undefined || type === undefined) throw new KeyturnError('invalid/request', 'an event without an id or a type')
  return { id, type, at: instantIn(eventtime ?? time), data }
}

function bodyOf(message: unknown): unknown {
  if (message instanceof Uint8Array) return jsonOf(Buffer.from(message).toString('utf8'))
  return typeof message === 'string' ? jsonOf(message) : message
}

/** JSON does not begin like base64: `{` and `[` are not in its alphabet. */
function jsonOf(text: string): unknown {
  const plain = /^\s*[{[]/.test(text) ? text : Buffer.from(text, 'base64').toString('utf8')
  try {
    return JSON.parse(plain)
  } catch {
    throw new KeyturnError('invalid/request', 'the message is not JSON')
  }
}

const filled = v.pipe(v.string(), v.nonEmpty(), v.maxLength(256))

/** The names of both schemas: Event Grid's own, and CloudEvents 1.0 (event-grid/event-schema-key-vault, cloud-event-schema). */
const Envelope = v.object({
  id: filled,
  eventtype: v.optional(filled),
  type: v.optional(filled),
  eventtime: v.optional(v.string()),
  time: v.optional(v.string()),
  data: v.optional(v.unknown())
})

/**
 * Names without case and blanks around, values without blanks: the page's own example has `"ObjectName "` and `Id`, a version
 * that begins with a blank, and texts where its table says numbers.
 */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value).map(([key, given]): [string, unknown] => [
    key.trim().toLowerCase(),
    typeof given === 'string' ? given.trim() : (given ?? undefined)
  ])
  return Object.fromEntries(entries)
}
