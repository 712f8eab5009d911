import * as v from 'valibot'
import { KeyturnError } from '../../shared/errors.ts'
import { type BlobPlace, blobPlaceIn } from './blob-places.ts'
import { fieldsOf, type GridEvent, gridEventsOf } from './event-grid.ts'

/**
 * What a storage account tells by Event Grid.
 * - `created`: a blob was created or replaced. An append blob is told of once, when it is created: Append Block is none of
 *   the calls that make an event (event-grid/event-schema-blob-storage).
 * - `other`: what asks for nothing.
 */
export type BlobEvent =
  | { readonly kind: 'created'; readonly id: string; readonly type: string; readonly blob: BlobPlace }
  | { readonly kind: 'other'; readonly id: string; readonly type: string }

/** Those of one queue message. Throws `invalid/request`, and never quotes the message. */
export const blobEventsOf = (message: unknown): readonly (() => BlobEvent)[] =>
  gridEventsOf(message).map((parse) => () => blobEventOf(parse()))

const Data = v.object({ url: v.string() })

function blobEventOf({ id, type, data }: GridEvent): BlobEvent {
  if (type !== 'Microsoft.Storage.BlobCreated') return { kind: 'other', id, type }
  const parsed = v.safeParse(Data, fieldsOf(data))
  const blob = parsed.success ? blobPlaceIn(parsed.output.url) : undefined
  if (!blob || blob.name === '') throw new KeyturnError('invalid/request', 'an event that names no blob')
  return { kind: 'created', id, type, blob }
}

/**
 * What an event hub delivers, `{"records":[…]}` each (azure-monitor/platform/stream-monitoring-data-event-hubs). The worker
 * has parsed what came as text; what came as bytes is read here, and what is no JSON is left to be counted as damage.
 */
export const recordsOf = (messages: unknown): readonly unknown[] => [messages].flat().map(parsed)

function parsed(message: unknown): unknown {
  if (!(message instanceof Uint8Array)) return message
  const text = Buffer.from(message).toString('utf8')
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
