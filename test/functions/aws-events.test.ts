import { globSync, readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { parseEvent } from '../../functions/aws/events.ts'
import { batchOf, eventNames, eventOf } from './lambda-events.ts'

const OWN = import.meta.filename
const sources = globSync(resolve(import.meta.dirname, '{aws,lambda}-*.ts')).filter((file) => file !== OWN)
const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n')

/** Named as a whole text: `create-secret` is not used by a test of `create-secret-as-the-guide-spells-it`. */
const isUsed = (name: string, by = text): boolean => by.includes(`'${name}'`)

test.each([...eventNames(), ...eventNames('audit-function')])('the event %s is sent to the function by a test', (name) => {
  expect(isUsed(basename(name))).toBe(true)
})

test('an event file that no test sends would be found', () => {
  expect([isUsed('create-nothing'), isUsed('create-secret', "eventOf('create-secret-as-spelled')")]).toEqual([false, false])
})

test('the events are told apart as the platform means them', () => {
  const kinds = Object.fromEntries(
    eventNames().map((name) => {
      try {
        const event = parseEvent(eventOf(name))
        return [name, event.kind === 'step' ? event.step : event.kind === 'request' ? event.request.action : event.kind]
      } catch (e) {
        return [name, (e as { code?: string }).code]
      }
    })
  )
  expect(kinds).toEqual({
    'create-secret': 'createSecret',
    'create-secret-as-the-guide-spells-it': 'createSecret',
    'set-secret': 'setSecret',
    'test-secret': 'testSecret',
    'finish-secret': 'finishSecret',
    'direct-retire': 'retire',
    'direct-rotate': 'rotate',
    'scheduler-rotate': 'rotate',
    'scheduler-sweep': 'sweep',
    'scheduler-default-notification': 'sweep',
    'rule-default-notification': 'sweep',
    'secrets-manager-label-updated': 'invalid/request',
    'sqs-rotate': 'batch',
    'sqs-sns-wrapped': 'batch'
  })
})

test('a message keeps the time at which it was sent, and the schedule’s notification its own', () => {
  const [batch, notification] = [
    parseEvent(batchOf('sqs-rotate', [{ id: 'm', sentAt: 1_772_330_400_000 }])),
    parseEvent(eventOf('scheduler-default-notification'))
  ]
  expect(batch).toMatchObject({ messages: [{ id: 'm', sentAt: 1_772_330_400_000 }] })
  expect(notification).toMatchObject({ sentAt: Date.UTC(2026, 2, 1, 2) })
})

test('the RotationToken of an event prints as [secret]', () => {
  const event = parseEvent(eventOf('create-secret', { RotationToken: 'planted' }))
  expect(JSON.stringify(event)).toContain('[secret]')
  expect(JSON.stringify(event)).not.toContain('planted')
})
