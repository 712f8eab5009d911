import { describe, expect, test } from 'vitest'
import { annotationsOf } from '../stores/gcp-harness.ts'
import { ACCOUNT, carrying, LOG, linesOf, readOf, STATE, signal, stage } from './gcp-audit-world.ts'
import { PROJECT } from './gcp-cloud.ts'
import { gcpEventOf, type Json } from './gcp-events.ts'
import type { Framework, HttpRequest } from './gcp-framework.ts'
import { ACKNOWLEDGED, AGAIN, binary, pushed, structured } from './gcp-world.ts'

const FINDINGS = { low: 0, medium: 0, high: 0, critical: 0 }
/** Of a read of the decoy. */
const FOUND = { ...FINDINGS, critical: 1 }

const on = stage()

const reads = async () => (await on.scene.state()).tally.identities.values().next().value?.count

/** What the process answers, and what it said of the run. */
async function sent(process: Framework, ...requests: readonly HttpRequest[]) {
  const before = (await linesOf(process)).length
  const answers = []
  for (const request of requests) {
    const { status, text } = await process.send(request)
    answers.push({ status, text })
  }
  const lines = (await linesOf(process)).slice(before)
  return { answers, lines, runs: lines.filter(({ event }) => event === 'summarized') }
}

describe('an entry that a sink sent to a topic', () => {
  test('is read: people are told, state and reports are in their bucket', async () => {
    const process = await on.scene.start('onLogEntry')
    const { answers, runs } = await sent(process, binary(carrying('audit-function/log-entry', readOf('db-decoy'))))
    expect([answers, runs]).toMatchObject([[ACKNOWLEDGED], [{ events: 1, malformed: 0, findings: FOUND, told: 1, untold: 0 }]])
    expect([await on.world.chat.arrived(), await reads()]).toMatchObject([[{}], 1])
    const kinds = (await on.scene.reports()).map((name) => name.replace(/^reports\/(\d{4}-\d\d-\d\d\/\d{6}Z-[0-9a-f]{8})?/, ''))
    expect(kinds.sort()).toEqual(['.html', '.json.gz', '.ocsf.ndjson', 'latest.html'])
    expect(await on.scene.documents()).toMatchObject([{ findings: [{ signal: 'decoy-read' }], inventory: [{}] }])
  })

  test('counts once, in whatever form and however often it is delivered, in a new process too', async () => {
    const entry = readOf('db-decoy')
    const forms = [
      binary(carrying('audit-function/log-entry', entry)),
      structured(carrying('audit-function/log-entry', entry)),
      pushed(carrying('audit-function/pubsub-push-log-entry', entry))
    ]
    const { answers, runs } = await sent(await on.scene.start('onLogEntry'), ...forms)
    expect(answers).toEqual([ACKNOWLEDGED, ACKNOWLEDGED, ACKNOWLEDGED])
    expect(runs).toMatchObject([{ events: 1 }, { duplicates: 1 }, { duplicates: 1 }])
    expect(await sent(await on.scene.start('onLogEntry'), ...forms)).toMatchObject({
      answers,
      runs: forms.map(() => ({ events: 0 }))
    })
    expect([await reads(), await on.world.chat.arrived()]).toMatchObject([1, [{}]])
  })

  test.each<readonly [string, Json]>([
    ['a message of somebody else', gcpEventOf('message-of-somebody-else')],
    ['a message of Secret Manager', gcpEventOf('secret-rotate')],
    ['a message without data', carrying('audit-function/log-entry', undefined)],
    ['a message whose data is no JSON', carrying('audit-function/log-entry', 'hunter2')],
    ['an object that was written', gcpEventOf('audit-function/object-finalized')]
  ])('is not %s, which is acknowledged with an error in the log, and not quoted', async (_, event) => {
    const { answers, lines } = await sent(await on.scene.start('onLogEntry'), structured(event))
    expect([answers, lines]).toMatchObject([[ACKNOWLEDGED], [{ severity: 'ERROR', code: 'invalid/request' }]])
    expect([await on.scene.reports(), await on.scene.output()]).toEqual([[], expect.not.stringContaining('hunter2')])
  })
})

describe('an object that a sink wrote', () => {
  const finalized = binary(gcpEventOf('audit-function/object-finalized'))

  test('is read, and once', async () => {
    on.scene.write(LOG, readOf('db-app'), readOf('db-decoy'))
    const { answers, runs } = await sent(await on.scene.start('onObject'), finalized, finalized)
    expect(answers).toEqual([ACKNOWLEDGED, ACKNOWLEDGED])
    expect(runs).toMatchObject([
      { events: 2, findings: FOUND, told: 1 },
      { events: 0, records: 0 }
    ])
    expect([await reads(), await on.scene.documents()]).toMatchObject([2, [{}]])
  })

  test('is read on where it has grown', async () => {
    const process = await on.scene.start('onObject')
    const entries = [readOf('db-app'), readOf('db-app'), readOf('db-decoy')]
    on.scene.write(LOG, ...entries.slice(0, 2))
    await sent(process, finalized)
    on.scene.write(LOG, ...entries)
    expect((await sent(process, finalized)).runs).toMatchObject([{ events: 1, records: 1, findings: FOUND }])
    expect(await reads()).toBe(3)
  })

  test('and is gone, or was deleted, or is this function’s own, is acknowledged, and nothing is written', async () => {
    const own = { ...gcpEventOf('audit-function/object-finalized'), data: { bucket: 'keyturn', name: STATE } }
    const { answers, lines } = await sent(
      await on.scene.start('onObject'),
      binary(gcpEventOf('audit-function/object-deleted')),
      binary(own)
    )
    expect([answers, lines]).toMatchObject([
      [ACKNOWLEDGED, ACKNOWLEDGED],
      [{ event: 'ignored', type: 'google.cloud.storage.object.v1.deleted' }]
    ])
    expect(await on.scene.kept.get(STATE, 1_000, signal())).toBeUndefined()
    expect((await sent(await on.scene.start('onObject'), finalized)).runs).toMatchObject([{ events: 0 }])
  })

  test.each<readonly [string, Json]>([
    ['a message of a topic', gcpEventOf('secret-rotate')],
    ['an event without an object', { ...gcpEventOf('audit-function/object-finalized'), data: { hunter2: 1 } }]
  ])('is not %s, which is acknowledged with an error in the log', async (_, event) => {
    const { answers, lines } = await sent(await on.scene.start('onObject'), structured(event))
    expect([answers, lines]).toMatchObject([[ACKNOWLEDGED], [{ severity: 'ERROR', code: 'invalid/request' }]])
    expect(await on.scene.output()).not.toContain('hunter2')
  })

  test('of another bucket that is not there comes again: it may be the only copy', async () => {
    const event = { ...gcpEventOf('audit-function/object-finalized'), data: { bucket: 'nowhere', name: LOG } }
    const { answers, lines } = await sent(await on.scene.start('onObject'), binary(event))
    expect([answers, lines]).toMatchObject([[AGAIN], [{ severity: 'ERROR', code: 'not-found/archive' }]])
  })
})

test('a state that is damaged is left, and what was delivered comes again', async () => {
  const damaged = Buffer.from('{"kind":"keyturn-audit-state","version":1}\nhunter2')
  await on.scene.kept.put(STATE, damaged, undefined, signal())
  const { answers, lines } = await sent(
    await on.scene.start('onLogEntry'),
    binary(carrying('audit-function/log-entry', readOf('db-decoy')))
  )
  expect([answers, lines]).toMatchObject([[AGAIN], [{ severity: 'ERROR', code: 'invalid/state' }]])
  expect(Buffer.from((await on.scene.kept.get(STATE, 1_000, signal()))?.bytes ?? '')).toEqual(damaged)
  expect([await on.scene.reports(), await on.world.chat.arrived()]).toEqual([[], []])
  expect(await on.scene.output()).not.toContain('hunter2')
})

test('two processes at once lose nothing', async () => {
  const both = [await on.scene.start('onLogEntry'), await on.scene.start('onLogEntry')]
  const answers = await Promise.all(both.map((one) => one.send(binary(carrying('audit-function/log-entry', readOf('db-app'))))))
  expect([answers.map(({ status }) => status), await reads()]).toEqual([[204, 204], 2])
})

describe('Secret Manager', () => {
  const owner = async (path: string, body: object) => {
    const headers = { authorization: 'Bearer owner-token', 'content-type': 'application/json' }
    const answer = await fetch(`${on.world.secrets.url}/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}`)
  }
  const calls = () => on.world.secrets.calls.flatMap(({ op, principal }) => (principal === ACCOUNT ? [op] : []))

  test('is listed for the report of rotation, once an hour, with no right to read a value', async () => {
    const annotations = annotationsOf({ kind: 'postgres', periodMs: 30 * 86_400_000 })
    const secrets = `projects/${PROJECT}/secrets`
    await owner(`${secrets}?secretId=db-app`, { replication: { automatic: {} }, annotations })
    await owner(`${secrets}/db-app:addVersion`, { payload: { data: Buffer.from('{}').toString('base64') } })
    await owner(`${secrets}?secretId=nobodys`, { replication: { automatic: {} } })
    const before = calls().length
    const process = await on.scene.start('onLogEntry')
    const { lines } = await sent(process, ...[1, 2].map(() => binary(carrying('audit-function/log-entry', readOf('db-app')))))
    expect(calls().slice(before)).toEqual(['ListSecrets', 'GetSecretVersion'])
    const row = { secret: 'db-app', state: 'in-time' }
    expect((await on.scene.documents()).map(({ rotation }) => rotation)).toMatchObject([[row], [row]])
    expect(lines.filter(({ event }) => event === 'unlisted')).toEqual([])
  })
})
