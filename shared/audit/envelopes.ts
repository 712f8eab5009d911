import { gunzipSync } from 'node:zlib'
import { isObject } from './members.ts'

/** Of what a subscription delivers at once; Logs and Pub/Sub stay below 10 MB packed. */
const MOST_BYTES = 64 * 2 ** 20

/**
 * The records in what delivers them; undefined: it is none that is known. A record inside may be a text still.
 * - EventBridge: `{"detail-type","detail"}`; Eventarc and Event Grid put a record into `data`.
 * - CloudWatch Logs subscription: `{"awslogs":{"data"}}`, base64 of gzip of `{"messageType","logEvents":[{"message"}]}`, of
 *   which a CONTROL_MESSAGE only asks whether somebody listens.
 * - CloudTrail LookupEvents: `{"Events":[{"CloudTrailEvent"}]}`; Event Hub, and Azure's older blobs: `{"records":[…]}`.
 * - Pub/Sub push: `{"message":{"data"}}`, base64; a sink's export: `{"entries":[…]}`.
 */
export function recordsIn(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (!isObject(value)) return undefined
  for (const member of ['Records', 'records', 'Events', 'entries']) {
    const list = value[member]
    if (Array.isArray(list)) return list
  }
  if (typeof value.CloudTrailEvent === 'string') return [value.CloudTrailEvent]
  if ('detail-type' in value && isObject(value.detail)) return [value.detail]
  if (value.messageType === 'CONTROL_MESSAGE') return []
  if (Array.isArray(value.logEvents)) return value.logEvents.map((event) => (isObject(event) ? event.message : undefined))
  if (isObject(value.awslogs) && typeof value.awslogs.data === 'string') return [unpacked(value.awslogs.data)]
  if (isObject(value.message) && typeof value.message.data === 'string') return [unpacked(value.message.data)]
  if (isObject(value.data) && ('specversion' in value || 'protoPayload' in value.data)) return [value.data]
  return undefined
}

/** Base64, with gzip in it or not. Undefined: it is neither, or too much. */
function unpacked(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64')
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.toString('utf8')
  try {
    return gunzipSync(bytes, { maxOutputLength: MOST_BYTES }).toString('utf8')
  } catch {
    return undefined
  }
}
