import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseEvent } from '../../functions/gcp/events.ts'
import { gcpEventNames, gcpEventOf, type Json, messagePublished } from './gcp-events.ts'

const sources = globSync(resolve(import.meta.dirname, 'gcp-*.test.ts')).filter((file) => file !== import.meta.filename)
const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n')
const isUsed = (name: string, by = text): boolean => by.includes(`'${name}'`)

test.each([...gcpEventNames(), ...gcpEventNames('audit-function')])('the event %s is sent to the function by a test', (name) => {
  expect(isUsed(name)).toBe(true)
})

test('an event file that no test sends would be found', () => {
  expect([isUsed('secret-nothing'), isUsed('secret-rotate', "'secret-rotate-regional'")]).toEqual([false, false])
})

const outcomeOf = (event: unknown): unknown => {
  try {
    const parsed = parseEvent(event)
    return parsed.kind === 'other' ? parsed.type : `rotate ${parsed.secret.resource}`
  } catch (e) {
    return `${(e as { code?: string }).code}: ${(e as Error).message}`
  }
}

test('the messages of a topic are told apart as Secret Manager means them', () => {
  const names = gcpEventNames().filter((name) => !('method' in gcpEventOf(name)))
  expect(Object.fromEntries(names.map((name) => [name, outcomeOf(gcpEventOf(name))]))).toEqual({
    'secret-rotate': 'rotate projects/123456789012/secrets/db-app',
    'secret-rotate-regional': 'rotate projects/123456789012/locations/europe-west1/secrets/db-app',
    'secret-rotate-other-project': 'rotate projects/999999999999/secrets/db-app',
    'secret-version-add': 'SECRET_VERSION_ADD',
    'secret-update': 'SECRET_UPDATE',
    'pubsub-push': 'rotate projects/123456789012/secrets/db-app',
    'pubsub-push-without-data': 'rotate projects/123456789012/secrets/db-app',
    'message-of-somebody-else': 'invalid/request: the message 11111111111111118 is none of Secret Manager’s'
  })
})

describe('a rotation', () => {
  test('has the message’s id and the time at which it was published', () => {
    const event = messagePublished('secret-rotate', { messageId: 'm', publishedAt: 1_772_330_400_000 })
    expect(parseEvent(event)).toMatchObject({ id: 'm', publishedAt: 1_772_330_400_000 })
  })

  test('is the same in the other spelling of both', () => {
    const { messageId, publishTime, ...message } = messagePublished('secret-rotate', { messageId: 'm', publishedAt: 0 }).data
      .message
    expect(message).toMatchObject({ message_id: messageId, publish_time: publishTime })
    expect(parseEvent({ message })).toMatchObject({ id: 'm', publishedAt: 0 })
  })

  test('has the event’s id where the message has none, and no time where it is none', () => {
    const { attributes } = messagePublished('secret-rotate').data.message
    const message = { attributes, publishTime: 'yesterday' }
    expect(parseEvent({ id: 'e', data: { message } })).toMatchObject({ id: 'e', publishedAt: undefined })
    expect(outcomeOf({ message })).toBe('invalid/request: a message without an id')
  })
})

describe('refused, and never quoted, is', () => {
  const attributes = { eventType: 'SECRET_ROTATE', secretId: 'projects/1/secrets/app' }
  const withSecret = (secretId: unknown): Json => ({ message: { messageId: 'm', attributes: { ...attributes, secretId } } })
  test.each([
    ['nothing', undefined],
    ['a text', 'hunter2'],
    ['an event without a message', { id: 'e', data: { hunter2: 'hunter2' } }],
    ['an event of another kind', { ...messagePublished('secret-rotate'), type: 'google.cloud.hunter2' }],
    ['a message whose attributes are a text', { message: { messageId: 'm', attributes: 'hunter2' } }],
    ['a message without a type', { message: { messageId: 'm', attributes: { hunter2: 'hunter2' } } }],
    ['a rotation of no secret', withSecret(undefined)],
    ['a rotation of a secret that is named without its project', withSecret('hunter2')],
    ['a rotation of a version', withSecret('projects/1/secrets/hunter2/versions/1')],
    ['a rotation of something by a path', withSecret('projects/1/secrets/../hunter2')],
    ['a rotation of a secret that is a number', withSecret(2)]
  ])('%s', (_, event) => {
    expect(outcomeOf(event)).toMatch(/^invalid\/request: (?!.*hunter2)/)
  })
})

test('a type that is not known is cut before it is logged', () => {
  expect(outcomeOf({ message: { messageId: 'm', attributes: { eventType: 'x'.repeat(1000) } } })).toBe('x'.repeat(80))
})
