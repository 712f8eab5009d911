import * as v from 'valibot'
import { KeyturnError } from '../../shared/errors.ts'
import { jsonIn } from '../../shared/json-in.ts'
import { messageIn } from './events.ts'

/** What every entry of Cloud Logging has (logging/docs/reference/v2/rest/v2/LogEntry). */
const LogEntry = v.looseObject({ logName: v.string(), insertId: v.string() })

/** The entry that a sink sent to a topic (logging/docs/export/pubsub). Throws `invalid/request`, and never quotes the event. */
export function logEntryIn(event: unknown): object {
  const { id, data } = messageIn(event)
  const parsed = v.safeParse(
    LogEntry,
    typeof data === 'string' ? jsonIn(Buffer.from(data, 'base64').toString('utf8')) : undefined
  )
  if (!parsed.success) throw new KeyturnError('invalid/request', `the message ${id} holds no entry of Cloud Logging`)
  return parsed.output
}

/**
 * What a bucket tells by Eventarc (google.events.cloud.storage.v1.StorageObjectData).
 * - `finalized`: an object was written, anew or over another.
 * - `other`: what asks for nothing.
 */
export type StorageEvent =
  | { readonly kind: 'finalized'; readonly id: string; readonly bucket: string; readonly name: string }
  | { readonly kind: 'other'; readonly id: string; readonly type: string }

const Event = v.object({ id: v.string(), type: v.pipe(v.string(), v.maxLength(256)), data: v.unknown() })
const Data = v.object({ bucket: v.pipe(v.string(), v.nonEmpty()), name: v.pipe(v.string(), v.nonEmpty()) })

/** Throws `invalid/request`, and never quotes the event. */
export function storageEventIn(event: unknown): StorageEvent {
  const parsed = v.safeParse(Event, event)
  if (!parsed.success || !parsed.output.type.startsWith('google.cloud.storage.object.v1.'))
    throw new KeyturnError('invalid/request', 'an event that is none of Cloud Storage’s')
  const { id, type, data } = parsed.output
  if (type !== 'google.cloud.storage.object.v1.finalized') return { kind: 'other', id, type }
  const object = v.safeParse(Data, data)
  if (!object.success) throw new KeyturnError('invalid/request', `the event ${id} names no object`)
  return { kind: 'finalized', id, ...object.output }
}
