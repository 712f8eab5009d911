import { describe, expect, test } from 'vitest'
import { auditAsked } from '../../functions/aws/audit-events.ts'
import { eventNames, eventOf } from './lambda-events.ts'

const bucket = 'audit-logs-example'
const key =
  'team logs/AWSLogs/123456789012/CloudTrail/us-west-2/2026/07/01/123456789012_CloudTrail_us-west-2_20260701T1205Z_k9Xv2LqT0bYhWc3r.json.gz'
const OBJECT = { kind: 'objects', objects: [{ bucket, key }] }
const NOTHING = { kind: 'objects', objects: [] }

test('the events of the audit are told apart as the platform means them, and keys are as they are in the bucket', () => {
  const asked = Object.fromEntries(
    eventNames('audit-function').map((name) => {
      const event = eventOf(name)
      const said = auditAsked(event)
      return [name.replace('audit-function/', ''), said.kind === 'event' ? said.event === event : said]
    })
  )
  expect(asked).toEqual({
    'direct-summarize': { kind: 'new' },
    's3-object-created': OBJECT,
    'eventbridge-object-created': OBJECT,
    'sqs-s3-object-created': OBJECT,
    'sns-s3-object-created': OBJECT,
    'sqs-sns-cloudtrail-notice': OBJECT,
    's3-test-event': NOTHING,
    'logs-subscription': true,
    'logs-subscription-control': true,
    'cloudtrail-by-eventbridge': true
  })
})

test.each(['rule-default-notification', 'scheduler-default-notification'])('%s asks for all that is new', (name) => {
  expect(auditAsked(eventOf(name))).toEqual({ kind: 'new' })
})

const written = (encoded: string) => ({
  Records: [{ eventSource: 'aws:s3', s3: { bucket: { name: bucket }, object: { key: encoded } } }]
})

test.each([
  ['a+b', 'a b'],
  ['a%2Bb', 'a+b'],
  ['caf%C3%A9/%25', 'café/%'],
  ['%2F%2F', '//']
])('S3 writes %s for the key %s', (encoded, plain) => {
  expect(auditAsked(written(encoded))).toEqual({ kind: 'objects', objects: [{ bucket, key: plain }] })
})

const queued = (...bodies: readonly string[]) => ({ Records: bodies.map((body) => ({ eventSource: 'aws:sqs', body })) })

describe('what is no event of the audit is refused, and not quoted', () => {
  const created = eventOf('audit-function/eventbridge-object-created')
  const FOREIGN: Readonly<Record<string, unknown>> = {
    'a key that S3 would not write so': written('hunter2%zz'),
    'a key whose bytes are no text': written('hunter2%ff'),
    'an object that was deleted': { ...created, 'detail-type': 'Object Deleted' },
    'another service’s event of the same name': { ...created, source: 'hunter2' },
    'a request for the other functions': eventOf('direct-rotate'),
    'a step of a rotation': eventOf('create-secret'),
    'an event of a secret': eventOf('secrets-manager-label-updated'),
    'a queue of other messages': eventOf('sqs-rotate'),
    'a batch of which one message is something else': queued(JSON.stringify(written('a')), '{"hunter2":1}'),
    'a message that is not JSON': queued('hunter2 hunter2'),
    'messages of messages of nothing': queued(JSON.stringify(queued('hunter2'))),
    'a request with a field of no request': { action: 'summarize', hunter2: true },
    nothing: undefined,
    'a text': 'hunter2'
  }
  test.each(Object.entries(FOREIGN))('%s', (_, event) => {
    const refused = expect.objectContaining({ code: 'invalid/request', message: expect.not.stringContaining('hunter2') })
    expect(() => auditAsked(event)).toThrow(refused)
  })
})
