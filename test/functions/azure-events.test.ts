import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { eventsOf, isOfVault, type VaultEvent } from '../../functions/azure/events.ts'
import { hasCode } from '../../shared/errors.ts'
import { eventNames, eventOf } from './azure-events.ts'

const OWN = import.meta.filename
const sources = globSync(resolve(import.meta.dirname, 'azure-*.ts')).filter((file) => file !== OWN)
const text = sources.map((file) => readFileSync(file, 'utf8')).join('\n')
/** Named as a whole text: `near-expiry` is not used by a test of `near-expiry-cloudevents`. */
const isUsed = (name: string, by = text): boolean => by.includes(`'${name}'`)

test.each([...eventNames(), ...eventNames('audit-function')])('the event %s is sent to the function app by a test', (name) => {
  expect(isUsed(name)).toBe(true)
})

test('an event file that no test sends would be found', () => {
  expect([isUsed('create-nothing'), isUsed('near-expiry', "eventOf('near-expiry-cloudevents')")]).toEqual([false, false])
})

/** What each event of a message says, or the code with which it is refused. */
const told = (message: unknown): readonly unknown[] => {
  const of = (work: () => unknown): unknown => {
    try {
      return work()
    } catch (e) {
      if (hasCode(e, 'invalid/request')) return `${e.code}: ${e.message}`
      throw e
    }
  }
  const events = of(() => eventsOf(message))
  return Array.isArray(events) ? events.map((parse: () => VaultEvent) => of(parse)) : [events]
}

const NEAR_EXPIRY = {
  kind: 'expiring',
  id: '00eccf70-95a7-4e7c-8299-2eb17ee9ad64',
  type: 'Microsoft.KeyVault.SecretNearExpiry',
  vault: { host: 'sample-kv.vault.azure.net' },
  secret: 'db-app',
  version: 'ee059b2bb5bc48398a53b168c6cdcb10',
  at: Date.parse('2026-03-01T02:14:33.103Z')
}

describe('an event of Key Vault', () => {
  test.each(['near-expiry', 'near-expiry-cloudevents', 'near-expiry-as-the-page-spells-it'])('%s says the same', (name) => {
    expect(told(eventOf(name))).toEqual([NEAR_EXPIRY])
  })

  test('expired rotates as well, and a new version asks for nothing', () => {
    expect(told(eventOf('expired'))).toMatchObject([{ kind: 'expiring', type: 'Microsoft.KeyVault.SecretExpired' }])
    const created = { kind: 'other', type: 'Microsoft.KeyVault.SecretNewVersionCreated' }
    expect(told(eventOf('new-version-created'))).toMatchObject([created])
  })

  const event = eventOf('near-expiry')
  const data = event.data as Readonly<Record<string, unknown>>
  const FORMS: Readonly<Record<string, unknown>> = {
    'a text of JSON': JSON.stringify(event),
    'a text of JSON after blanks': `\r\n ${JSON.stringify(event)}`,
    base64: Buffer.from(JSON.stringify(event)).toString('base64'),
    'base64 of a list': Buffer.from(JSON.stringify([event])).toString('base64'),
    bytes: Buffer.from(JSON.stringify(event)),
    'a list of one': [event]
  }
  test.each(Object.entries(FORMS))('is taken as %s', (_, message) => {
    expect(told(message)).toEqual([NEAR_EXPIRY])
  })

  test('names its secret by the id alone, too', () => {
    expect(told({ ...event, data: { Id: data.Id } })).toEqual([NEAR_EXPIRY])
  })

  test('names its vault by the name where it has no id', () => {
    const { Id, ...rest } = data
    expect(told({ ...event, data: rest })).toEqual([{ ...NEAR_EXPIRY, vault: { name: 'sample-kv' } }])
  })

  test('without a version or a time is about the newest, now', () => {
    const { eventTime, ...timeless } = event
    const found = told({ ...timeless, data: { VaultName: 'sample-kv', ObjectName: 'db-app' } })
    expect(found).toMatchObject([{ version: undefined, at: undefined }])
  })

  test('that is bad does not hide the other events of its message', () => {
    const other = { ...event, eventType: undefined }
    expect(told([other, event])).toEqual(['invalid/request: an event without an id or a type', NEAR_EXPIRY])
  })
})

describe('a message that is none', () => {
  const event = eventOf('near-expiry')
  const BAD: Readonly<Record<string, readonly [unknown, string]>> = {
    'a number, which is what `123` comes as': [123, 'an event without an id or a type'],
    'a text that is neither JSON nor base64 of it': ['hunter2 hunter2', 'the message is not JSON'],
    'JSON that is cut off': ['{"id":"hunter2', 'the message is not JSON'],
    nothing: [undefined, 'an event without an id or a type'],
    null: [null, 'an event without an id or a type'],
    'an empty list': [[], 'the message holds no event'],
    'a list in a list': [[[event]], 'an event without an id or a type'],
    'an event without an id': [{ ...event, id: ' ' }, 'an event without an id or a type'],
    'an event without a type': [{ ...event, eventType: null }, 'an event without an id or a type'],
    'an event with a type that nobody could log': [
      { ...event, eventType: 'x'.repeat(5_000) },
      'an event without an id or a type'
    ],
    'an event without data': [{ ...event, data: undefined }, 'an event about no secret'],
    'an event of no vault': [{ ...event, data: { ObjectName: 'db-app' } }, 'an event that names no secret of a vault'],
    'an event whose secret is no name': [
      { ...event, data: { VaultName: 'sample-kv', ObjectName: '../hunter2' } },
      'an event that names no secret of a vault'
    ]
  }
  test.each(Object.entries(BAD))('%s is refused, and not quoted', (_, [message, says]) => {
    expect(told(message)).toEqual([`invalid/request: ${says}`])
  })
})

test('an event is this vault’s by the host of its id, or by the vault’s name where it has no id', () => {
  const url = 'https://sample-kv.vault.azure.net'
  const vaults = [
    { host: 'sample-kv.vault.azure.net' },
    { name: 'Sample-KV' },
    { host: 'other-kv.vault.azure.net' },
    { host: 'sample-kv.vault.azure.cn' },
    { name: 'sample' }
  ]
  expect(vaults.map((vault) => isOfVault(vault, url))).toEqual([true, true, false, false, false])
})
