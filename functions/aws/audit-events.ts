import * as v from 'valibot'
import { Summarize } from '../../shared/audit/summarize-request.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { jsonIn } from '../../shared/json-in.ts'

/** An object that was written. */
export interface WrittenObject {
  readonly bucket: string
  readonly key: string
}

/** What starts the audit on AWS. */
export type AuditAsked =
  | { readonly kind: 'new' }
  | { readonly kind: 'objects'; readonly objects: readonly WrittenObject[] }
  | { readonly kind: 'event'; readonly event: unknown }

const Bucket = v.object({ name: v.string() })

/** S3's own notification (AmazonS3/userguide/notification-content-structure): the key is encoded as in a form. */
const Notification = v.object({
  Records: v.array(
    v.object({ eventSource: v.literal('aws:s3'), s3: v.object({ bucket: Bucket, object: v.object({ key: v.string() }) }) })
  )
})

/** The same by EventBridge (AmazonS3/userguide/ev-events): the key is plain. */
const ByEventBridge = v.object({
  source: v.literal('aws.s3'),
  'detail-type': v.literal('Object Created'),
  detail: v.object({ bucket: Bucket, object: v.object({ key: v.string() }) })
})

/** CloudTrail's own, by SNS, of the log files that it has written (aws-cloudtrail-processing-library, CloudTrailSource): keys are plain. */
const ByCloudTrail = v.object({ s3Bucket: v.string(), s3ObjectKey: v.array(v.string()) })

/** What S3 sends when a notification is set up, and CloudTrail when a topic is. */
const TestEvent = v.object({ Service: v.literal('Amazon S3'), Event: v.literal('s3:TestEvent') })
const VALIDATION = 'CloudTrail validation message.'

/** Of SQS, each with a notification in its body, wrapped by SNS or not. */
const Messages = v.object({ Records: v.array(v.object({ eventSource: v.literal('aws:sqs'), body: v.string() })) })
const BySns = v.object({
  Records: v.array(v.object({ EventSource: v.literal('aws:sns'), Sns: v.object({ Message: v.string() }) }))
})
const Wrapped = v.object({ Type: v.literal('Notification'), Message: v.string() })

const Schedule = v.object({ 'detail-type': v.literal('Scheduled Event') })

/** CloudWatch Logs' subscription, and CloudTrail's records by EventBridge: what they carry is the log itself. */
const Carried = v.union([
  v.object({ awslogs: v.object({ data: v.string() }) }),
  v.object({
    'detail-type': v.picklist([
      'AWS API Call via CloudTrail',
      'AWS Console Sign In via CloudTrail',
      'AWS Service Event via CloudTrail'
    ])
  })
])

/** Throws `invalid/request`; never quotes the event. */
export function auditAsked(event: unknown): AuditAsked {
  if (v.is(Summarize, event) || v.is(Schedule, event)) return { kind: 'new' }
  if (v.is(Carried, event)) return { kind: 'event', event }
  const objects = writtenIn(event)
  if (objects) return { kind: 'objects', objects }
  throw new KeyturnError(
    'invalid/request',
    'none of: {"action":"summarize"}, a schedule, objects of S3 (by S3, CloudTrail or EventBridge, SNS and SQS), a Logs subscription, CloudTrail by EventBridge'
  )
}

/** Undefined: it is no news of objects. */
function writtenIn(event: unknown): readonly WrittenObject[] | undefined {
  if (v.is(Notification, event))
    return event.Records.map(({ s3 }) => ({
      bucket: s3.bucket.name,
      key: decoded(s3.object.key)
    }))
  if (v.is(ByEventBridge, event)) return [{ bucket: event.detail.bucket.name, key: event.detail.object.key }]
  if (v.is(ByCloudTrail, event)) return event.s3ObjectKey.map((key) => ({ bucket: event.s3Bucket, key }))
  if (v.is(TestEvent, event)) return []
  const inside = textsIn(event)?.map((text) => (text === VALIDATION ? [] : writtenIn(jsonIn(text))))
  return inside?.every((objects) => objects !== undefined) ? inside.flat() : undefined
}

/** Messages of what delivers them; undefined: it is none that is known. */
function textsIn(event: unknown): readonly string[] | undefined {
  if (v.is(Messages, event)) return event.Records.map(({ body }) => body)
  if (v.is(BySns, event)) return event.Records.map(({ Sns }) => Sns.Message)
  return v.is(Wrapped, event) ? [event.Message] : undefined
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    throw new KeyturnError('invalid/request', 'the key of an object is not encoded as S3 encodes it')
  }
}
