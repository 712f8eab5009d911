import { SecretClient } from '@azure/keyvault-secrets'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Code } from '../../shared/errors.ts'
import { azureCredential } from '../doubles/azure-credential.ts'
import { findAzurite } from '../servers/azurite.ts'
import { lastRun, linesOf, readOf, STATE, signal, stage } from './azure-audit-world.ts'
import { eventOf } from './azure-events.ts'
import type { FunctionApp, Outcome } from './azure-host.ts'
import { storageQueue } from './azure-queue.ts'

const DONE: Outcome = { returned: undefined }
const FINDINGS = { low: 0, medium: 0, high: 0, critical: 0 }
/** Of a read of the decoy, with a token of a managed identity, which lives for more than a day. */
const FOUND = { ...FINDINGS, medium: 1, critical: 1 }
const LOG = 'resourceId=/SUBSCRIPTIONS/S/VAULTS/SAMPLE-KV/y=2026/m=03/d=01/h=02/m=00/PT1H.json'

/** What an event file says of a minute in March, an hour ago. */
const recent = (event: object): unknown =>
  JSON.parse(text(event).replaceAll('2026-03-01T02:14', new Date(Date.now() - 3_600_000).toISOString().slice(0, 16)))

const threw = (code: Code) => ({ exception: { message: expect.stringMatching(new RegExp(`^${code}: `)) } })
const text = (event: object): string => JSON.stringify(event)

if (findAzurite() !== undefined) describe('the built bundle of summarize-audit on Azure', auditTests)

function auditTests(): void {
  const on = stage()
  let app: FunctionApp
  beforeEach(async () => {
    app = await on.scene.start()
  })

  const timer = () => app.timer('audit', eventOf('timer'))
  const blob = (event: object) => app.message('audit-blobs', text(event))
  const reads = async () => (await on.scene.state()).tally.identities.values().next().value?.count

  test('reads what is new by the timer: people are told, state and reports are in their container', async () => {
    await on.scene.append(LOG, readOf('db-app'), readOf('db-decoy'))
    expect(await timer()).toEqual(DONE)
    expect(lastRun(app)).toMatchObject({ events: 2, malformed: 0, findings: FOUND, told: 1, untold: 0 })
    expect(await on.world.chat.arrived()).toHaveLength(1)
    expect([(await on.scene.state()).objects.size, await reads()]).toEqual([1, 2])
    const kinds = (await on.scene.reports()).map((name) => name.replace(/^reports\/(\d{4}-\d\d-\d\d\/\d{6}Z-[0-9a-f]{8})?/, ''))
    expect(kinds.sort()).toEqual(['.html', '.json.gz', '.ocsf.ndjson', 'latest.html'])
    expect(await on.scene.documents()).toMatchObject([
      { findings: [{ signal: 'decoy-read' }, { signal: 'long-ttl' }], inventory: [{}, {}] }
    ])
  })

  test.each(['audit-function/blob-created', 'audit-function/blob-created-cloudevents'])(
    'reads the blob that %s names, and once',
    async (name) => {
      await on.scene.append(LOG, readOf('db-app'))
      const event = on.scene.created(LOG, name)
      expect([await blob(event), await blob(event)]).toEqual([DONE, DONE])
      expect([lastRun(app)?.events, await reads()]).toEqual([0, 1])
    }
  )

  test('reads on in a blob that has grown, told of it or not', async () => {
    await on.scene.append(LOG, readOf('db-app'), readOf('db-app'))
    await blob(on.scene.created(LOG))
    await on.scene.append(LOG, readOf('db-app'))
    await blob(on.scene.created(LOG))
    expect([lastRun(app), await reads()]).toMatchObject([{ events: 1, records: 1 }, 3])
    await on.scene.append(LOG, readOf('db-decoy'))
    await timer()
    expect([lastRun(app), await reads()]).toMatchObject([{ events: 1, records: 1, findings: { critical: 1 } }, 4])
  })

  test('acknowledges a blob that was deleted, one that is gone, and one of an account that no setting names, which is sent no token', async () => {
    const elsewhere = { ...eventOf('audit-function/blob-created') }
    expect([await blob(eventOf('audit-function/blob-deleted')), await blob(elsewhere)]).toEqual([DONE, DONE])
    expect(linesOf(app)).toMatchObject([
      { event: 'ignored', type: 'Microsoft.Storage.BlobDeleted', why: 'asks for nothing' },
      { event: 'ignored', type: 'Microsoft.Storage.BlobCreated', why: 'another account' }
    ])
    expect(on.world.identity.calls.filter(({ resource }) => resource.includes('samplelogs'))).toEqual([])
    expect([await blob(on.scene.created('gone.json')), lastRun(app)?.events]).toEqual([DONE, 0])
  })

  test('reads the other blobs of a message beside one that is bad, and gives it up at last', async () => {
    const queue = await storageQueue(on.world.azurite, { name: 'keyturn-audit-blobs', trigger: 'audit-blobs' })
    await on.scene.append(LOG, readOf('db-app'))
    const bad = { ...on.scene.created(LOG), data: { url: 'https://hunter2@x.example/' } }
    await queue.put([bad, on.scene.created(LOG)])
    const outcomes = await queue.drain(app)
    expect([outcomes.length, await queue.poison(), await reads()]).toMatchObject([5, [[bad, {}]], 1])
    for (const outcome of outcomes) expect(outcome).toMatchObject(threw('invalid/request'))
    expect(on.scene.output()).not.toContain('hunter2')
  })

  describe('of an event hub', () => {
    const HUB = {
      KEYTURN_AUDIT_HUB__fullyQualifiedNamespace: 'hubs.servicebus.windows.net',
      KEYTURN_AUDIT_HUB_NAME: 'insights-logs-auditevent'
    }
    const BATCH = recent(eventOf('audit-function/event-hub-batch')) as readonly object[]
    beforeEach(async () => {
      app = await on.scene.start(HUB)
    })
    const batch = (...messages: readonly (string | Uint8Array)[]) => app.batch('audit-records', messages)

    test('reads the records of a batch, and counts once what is delivered twice', async () => {
      expect(await batch(...BATCH.map(text))).toEqual(DONE)
      expect(lastRun(app)).toMatchObject({ events: 3, findings: { critical: 1 }, told: 1 })
      expect(await batch(...BATCH.map((message) => Buffer.from(text(message))))).toEqual(DONE)
      expect([lastRun(app), await reads()]).toMatchObject([{ events: 0, duplicates: 3, findings: FINDINGS, told: 0 }, 3])
      expect(await on.world.chat.arrived()).toHaveLength(1)
    })

    test('counts what is no record, and does not hold up the hub for it', async () => {
      const [first = {}] = BATCH
      expect(await batch(text(first), 'hunter2', text({ records: [{ hunter2: 1 }] }))).toEqual(DONE)
      expect(lastRun(app)).toMatchObject({ events: 2, malformed: 2 })
      expect(await batch(Buffer.from('hunter2'))).toEqual(DONE)
      expect(lastRun(app)).toMatchObject({ events: 0, malformed: 1 })
      expect(on.scene.output()).not.toContain('hunter2')
    })

    test('holds up the hub until its state is mended', async () => {
      await on.scene.kept.put(STATE, Buffer.from('{"kind":"keyturn-audit-state","version":1}\n'), undefined, signal())
      expect(await batch(...BATCH.map(text))).toMatchObject(threw('invalid/state'))
    })
  })

  test('works in two processes at once, and loses nothing', async () => {
    const [one, other] = ['one.json', 'other.json']
    await on.scene.append(one, readOf('db-app'))
    await on.scene.append(other, readOf('db-app'), readOf('db-app'))
    const second = await on.scene.start()
    const told = (to: FunctionApp, name: string) => to.message('audit-blobs', text(on.scene.created(name)))
    expect(await Promise.all([told(app, one), told(second, other)])).toEqual([DONE, DONE])
    expect([(await on.scene.state()).objects.size, await reads()]).toEqual([2, 3])
  })

  test('leaves a state that is damaged, and writes nothing', async () => {
    await on.scene.append(LOG, readOf('db-decoy'))
    const damaged = Buffer.from('{"kind":"keyturn-audit-state","version":1}\nhunter2')
    await on.scene.kept.put(STATE, damaged, undefined, signal())
    expect(await timer()).toMatchObject(threw('invalid/state'))
    expect(await blob(on.scene.created(LOG))).toMatchObject(threw('invalid/state'))
    expect(Buffer.from((await on.scene.kept.get(STATE, 1_000, signal()))?.bytes ?? '')).toEqual(damaged)
    expect([await on.scene.reports(), await on.world.chat.arrived()]).toEqual([[], []])
    expect(on.scene.output()).not.toContain('hunter2')
  })

  describe('of a vault', () => {
    test('lists the secrets for the report of rotation, once an hour, with no right to read a value', async () => {
      const owner = new SecretClient(on.world.vault.url, azureCredential('owner'), {
        disableChallengeResourceVerification: true,
        tlsOptions: { ca: on.world.vault.caPem }
      })
      await owner.setSecret('db-app', '{}', { tags: { keyturn: 'kind=postgres;period=30d' } })
      await owner.setSecret('nobodys', '{}')
      on.world.vault.setRights('app', ['readMetadata'])
      app = await on.scene.start({ KEYTURN_KEY_VAULT_URL: on.world.vault.url })
      const calls = on.world.vault.calls.length
      await on.scene.append(LOG, readOf('db-app'))
      await blob(on.scene.created(LOG))
      await on.scene.append(LOG, readOf('db-app'))
      await timer()
      const ops = on.world.vault.calls.slice(calls).map(({ op }) => op)
      expect(ops).toEqual(['GetSecrets', 'GetSecretVersions'])
      const rotation = (await on.scene.documents()).map((document) => document.rotation)
      const row = { secret: 'db-app', state: 'in-time' }
      expect(rotation).toMatchObject([[row], [row]])
      expect(linesOf(app).filter(({ event }) => event === 'unlisted')).toEqual([])
    })

    test('that refuses to list is asked once an hour too, and the report says what it rests on', async () => {
      on.world.vault.setRights('app', [])
      app = await on.scene.start({ KEYTURN_KEY_VAULT_URL: on.world.vault.url })
      const calls = on.world.vault.calls.length
      await timer()
      await timer()
      on.world.vault.setRights('app', undefined)
      expect(on.world.vault.calls.slice(calls).map(({ op }) => op)).toEqual(['GetSecrets'])
      const gap = { code: 'unlisted', text: expect.stringContaining('denied/store') }
      const [first, second] = (await on.scene.documents()).map(({ coverage }) => coverage.gaps)
      expect([first, second]).toEqual([expect.arrayContaining([gap]), expect.arrayContaining([gap])])
    })
  })
}
