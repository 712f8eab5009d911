import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { spree, trail } from '../audit/audit-scene.ts'
import { entriesOf } from '../audit/vault-lines.ts'
import { findMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'
import { type AuditBucket, type AuditWorld, LOG_KEY, startAuditWorld } from './lambda-audit-world.ts'
import { eventOf } from './lambda-events.ts'
import { type BuiltFunction, builtFunction, lambdaRuntimes, type Outcome, type Runtime } from './lambda-runtime.ts'
import { errorOf } from './lambda-world.ts'

const moto = findMoto()
const ANSWER = { action: 'summarize', malformed: 0, duplicates: 0, isCut: false }
/** The function's clock is the machine's. */
const hourAgo = Date.now() - 3_600_000
const logOf = (count: number, who = 'orders') => trail(spree(count, who, { eventTime: new Date(hourAgo).toISOString() }))
const FINDINGS = { low: 0, medium: 0, high: 0, critical: 0 }

if (moto === undefined) leaveOut('the audit on Lambda', 'moto_server is not installed')
else {
  let built: BuiltFunction
  beforeAll(async () => {
    built = await builtFunction('aws/summarize-audit')
  })
  afterAll(() => built.remove())
  describe.each(lambdaRuntimes())('the built bundle of summarize-audit in %s', (runtime) =>
    auditTests(() => built, runtime, moto)
  )
}

function auditTests(built: () => BuiltFunction, runtime: Runtime, motoServer: string): void {
  let world: AuditWorld
  let bucket: AuditBucket
  beforeAll(async () => {
    world = await startAuditWorld({ folder: built().folder, runtime, moto: motoServer })
  })
  afterAll(() => world.close())
  beforeEach(async () => {
    for (const { proxy } of [world, world.chat, world.hook]) proxy.setFault(undefined)
    bucket = await world.bucket()
    await arrived()
  })
  afterEach(async () => {
    await bucket.stop()
    for (const secret of [...world.chat.secrets, ...world.hook.secrets, 'planted-secret-of-the-role'])
      expect(bucket.output()).not.toContain(secret)
  })

  const arrived = async () => [(await world.chat.arrived()).length, (await world.hook.arrived()).length]
  const answerOf = (outcome: Outcome): unknown => {
    if ('error' in outcome) throw new Error(`${outcome.error.errorType}: ${outcome.error.errorMessage}`)
    return outcome.answer
  }
  const said = async (event: unknown): Promise<unknown> => answerOf(await bucket.once(event))
  const reports = async () => (await bucket.keys()).filter((key) => key.startsWith('reports/'))

  test('reads an object that was written: people are told, state and reports are in the bucket', async () => {
    await bucket.put(LOG_KEY, logOf(25))
    expect(await said(bucket.event('s3-object-created'))).toEqual({
      ...ANSWER,
      ...{ events: 25, records: 25, findings: { ...FINDINGS, critical: 1 }, told: 1, untold: 0 }
    })
    expect(await arrived()).toEqual([1, 1])
    expect((await bucket.state()).objects.size).toBe(1)
    const kinds = (await reports()).map((key) => key.replace(/^reports\/(\d{4}-\d\d-\d\d\/\d{6}Z-[0-9a-f]{8})?/, ''))
    expect(kinds.sort()).toEqual(['.html', '.json.gz', '.ocsf.ndjson', 'latest.html'])
    expect(await bucket.documents()).toMatchObject([{ schema: 'keyturn-audit/1', findings: [{ signal: 'mass-retrieval' }] }])
    const [ocsf = ''] = (await reports()).filter((key) => key.endsWith('.ndjson'))
    const lines = (await bucket.read(ocsf)).toString().trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line).class_uid)).toContain(2004)
    expect((await bucket.read('reports/latest.html')).toString()).toMatch(/^<!doctype html>[\s\S]*read 25 different secrets/)
    expect(bucket.output()).toContain('"event":"summarized"')
  })

  test('told of the same object again, changes nothing; records that came before count once', async () => {
    const log = logOf(25)
    await bucket.put(LOG_KEY, log)
    await said(bucket.event('s3-object-created'))
    const before = await reports()
    expect(await said(bucket.event('s3-object-created'))).toMatchObject({ events: 0, records: 0, findings: FINDINGS })
    expect(await reports()).toEqual(before)
    await bucket.put(LOG_KEY.replace('k9Xv2LqT0bYhWc3r', 'again'), log)
    const again = JSON.parse(JSON.stringify(bucket.event('s3-object-created')).replaceAll('k9Xv2LqT0bYhWc3r', 'again'))
    expect(await said(again)).toMatchObject({ events: 0, records: 25, duplicates: 25, findings: FINDINGS, told: 0 })
    expect(await arrived()).toEqual([1, 1])
  })

  test.each([
    's3-object-created',
    'eventbridge-object-created',
    'sqs-s3-object-created',
    'sns-s3-object-created',
    'sqs-sns-cloudtrail-notice'
  ])('reads the object that %s names', async (name) => {
    await bucket.put(LOG_KEY, logOf(2))
    expect(await said(bucket.event(name))).toMatchObject({ events: 2 })
  })

  test.each([
    ['logs-subscription', { events: 2, findings: { ...FINDINGS, high: 1 } }],
    ['cloudtrail-by-eventbridge', { events: 1, findings: { ...FINDINGS, high: 1 } }],
    ['logs-subscription-control', { events: 0, findings: FINDINGS }]
  ])('reads the records that %s carries', async (name, expected) => {
    expect(await said(bucket.event(name))).toMatchObject({ ...ANSWER, ...expected })
    expect(await arrived()).toEqual(expected.events > 0 ? [1, 1] : [0, 0])
    expect((await reports()).length > 0).toBe(expected.events > 0)
  })

  test('takes what S3 sends when a notification is set up, and what its own writing causes, and writes nothing', async () => {
    expect(await said(bucket.event('s3-test-event'))).toMatchObject({ ...ANSWER, events: 0, records: 0 })
    const written = (key: string) => ({ eventSource: 'aws:s3', s3: { bucket: { name: bucket.name }, object: { key } } })
    const own = ['keyturn/audit.state', 'reports/latest.html', 'reports/2026-07-01/130001Z-0a1b2c3d.json.gz']
    expect(await said({ Records: own.map(written) })).toMatchObject({ events: 0, records: 0, malformed: 0 })
    expect(await bucket.keys()).toEqual([])
  })

  test('begins anew when the state was written meanwhile, and tells people once', async () => {
    await bucket.put(LOG_KEY, logOf(25))
    const isState = (path: string): boolean => path.startsWith(`/${bucket.name}/keyturn/audit.state`)
    let writes = 0
    world.proxy.setFault(({ method, path }) =>
      method === 'PUT' && isState(path) && writes++ === 0 ? { status: 412, body: PRECONDITION_FAILED } : undefined
    )
    expect(await said(bucket.event('s3-object-created'))).toMatchObject({ events: 25, told: 1 })
    expect([writes, await arrived()]).toEqual([2, [1, 1]])
    expect(await bucket.documents()).toHaveLength(1)
  })

  test('works in two processes at once, and loses nothing', async () => {
    await bucket.put('a.json.gz', logOf(3, 'a'))
    await bucket.put('b.json.gz', logOf(4, 'b'))
    const written = (key: string) => ({
      Records: [{ eventSource: 'aws:s3', s3: { bucket: { name: bucket.name }, object: { key } } }]
    })
    const both = await Promise.all([bucket.start(), bucket.start()])
    const answers = await Promise.all(both.map((one, n) => one.invoke(written(n === 0 ? 'a.json.gz' : 'b.json.gz'))))
    expect(answers.map(answerOf)).toMatchObject([{ events: 3 }, { events: 4 }])
    const { objects, tally } = await bucket.state()
    expect([objects.size, [...tally.identities.values()].map(({ count }) => count).sort()]).toEqual([2, [3, 4]])
  })

  test('that a damaged state stops says so, and leaves it', async () => {
    await bucket.put(LOG_KEY, logOf(25))
    await bucket.put('keyturn/audit.state', Buffer.from('{"kind":"keyturn-audit-state","version":1}\nhunter2'))
    expect(errorOf(await bucket.once(bucket.event('s3-object-created')))).toMatchObject({
      errorType: 'invalid/state',
      errorMessage: expect.stringContaining('Restore it, or name another')
    })
    expect((await bucket.read('keyturn/audit.state')).toString()).toContain('hunter2')
    expect([await reports(), await arrived()]).toEqual([[], [0, 0]])
    expect(bucket.output()).not.toContain('hunter2')
  })

  test('tells a channel that failed with the next run, and that one alone', async () => {
    await bucket.put(LOG_KEY, logOf(25))
    world.chat.proxy.setFault(() => world.chat.refusals.denied)
    expect(await said(bucket.event('s3-object-created'))).toMatchObject({ told: 0, untold: 1 })
    expect(await arrived()).toEqual([0, 1])
    world.chat.proxy.setFault(undefined)
    expect(await said(bucket.event('logs-subscription'))).toMatchObject({ findings: { high: 1 }, told: 2, untold: 0 })
    expect(await arrived()).toEqual([2, 1])
  })

  test('lists Secrets Manager for the report of rotation, once an hour, and never reads a value', async () => {
    const credentials = { accessKeyId: 'AKIAOWNER', secretAccessKey: 'owner' }
    const store = new SecretsManager({ endpoint: world.url, region: 'us-east-1', credentials })
    const Name = `orders/0-${bucket.name}`
    await store.createSecret({ Name, SecretString: '{}', Tags: [{ Key: 'keyturn:kind', Value: 'postgres' }] })
    store.destroy()
    await bucket.put(LOG_KEY, logOf(1))
    const calls = world.proxy.calls.length
    const process = await bucket.start()
    for (const name of ['s3-object-created', 'cloudtrail-by-eventbridge'])
      expect(await process.invoke(bucket.event(name))).toMatchObject({ answer: { events: 1 } })
    const asked = world.proxy.calls.slice(calls).flatMap(({ headers }) => headers['x-amz-target'] ?? [])
    expect(asked).toEqual(['secretsmanager.ListSecrets'])
    for (const { rotation } of await bucket.documents())
      expect(rotation).toContainEqual(expect.objectContaining({ secret: Name }))
  })

  test('by a schedule reads what is new below its prefix, each log by its own format, and says what is none', async () => {
    await bucket.put(LOG_KEY, logOf(3))
    await bucket.put('vault/audit.log', Buffer.from(VAULT_LINES))
    await bucket.put('notes.txt', Buffer.from('Minutes of a meeting.\n'.repeat(30)))
    await bucket.put(LOG_KEY.replace('/CloudTrail/', '/CloudTrail-Digest/'), logOf(9))
    await bucket.put('old.json.gz', logOf(9), 'GLACIER')
    expect(await said(eventOf('rule-default-notification'))).toMatchObject({ events: 4, malformed: 2, isCut: false })
    const [document] = await bucket.documents()
    expect(document?.coverage.sources.map(({ format, problem }) => [format, problem])).toEqual([
      [null, 'invalid/log: nothing at its beginning is a record of any known log'],
      [null, expect.stringMatching(/^invalid\/object: .*old\.json\.gz: it lies in an archive class; restore it first$/)],
      ['cloudtrail', null],
      ['vault', null]
    ])
    expect(bucket.output()).toMatch(/"event":"damaged","source":"s3:[^"]+\/notes.txt","offset":0/)

    await bucket.put(LOG_KEY.replace('k9Xv2LqT0bYhWc3r', 'later'), logOf(2))
    const calls = world.proxy.calls.length
    expect(await said(eventOf('scheduler-default-notification'))).toMatchObject({ events: 2 })
    expect(await said(bucket.event('direct-summarize'))).toMatchObject({ events: 0 })
    const read = world.proxy.calls.slice(calls).flatMap(({ path }) => /([^/]*)\?x-id=GetObject/.exec(path)?.[1] ?? [])
    // What is none may become one, and is looked at again.
    const none = ['notes.txt', 'notes.txt', 'old.json.gz', 'old.json.gz']
    expect(read.filter((name) => name !== 'audit.state').sort()).toEqual([expect.stringMatching(/later\.json\.gz$/), ...none])
  })

  test('without its settings says all that is wrong with them, and quotes none', async () => {
    const other = await world.bucket({
      ...{ KEYTURN_AUDIT_STATE: '', KEYTURN_AUDIT_REPORTS: 'https://hunter2.example/', KEYTURN_AUDIT_ZONE: 'Mars/hunter2' },
      ...{ KEYTURN_AUDIT_HOURS: '19-7', KEYTURN_NOTIFY: 'mail:hunter2', KEYTURN_AUDIT_LOG: 'hunter2', KEYTURN_NOTIFY_FROM: 'bad' }
    })
    const { errorType, errorMessage } = errorOf(await other.once(eventOf('rule-default-notification')))
    expect(errorType).toBe('invalid/config')
    for (const problem of [
      ...['KEYTURN_AUDIT_STATE must be set', 'KEYTURN_AUDIT_REPORTS must read like', 'KEYTURN_AUDIT_ZONE must be a time zone'],
      ...['KEYTURN_AUDIT_HOURS must be two hours', 'part 1 of KEYTURN_NOTIFY', 'KEYTURN_AUDIT_LOG is no setting'],
      'KEYTURN_NOTIFY_FROM must be one of'
    ])
      expect(errorMessage).toContain(problem)
    expect(`${errorMessage}${other.output()}`).not.toContain('hunter2')
  })

  test.each([
    null,
    'summarize',
    [],
    {},
    { action: 'rotate', secretId: 'x' },
    { action: 'summarize', force: true },
    { Records: [{}] }
  ])('refuses %j', async (event) => {
    expect(errorOf(await bucket.once(event))).toMatchObject({ errorType: 'invalid/request' })
  })
}

const VAULT_LINES = entriesOf({ path: 'secret/data/app', at: hourAgo })
  .map((entry) => `${JSON.stringify(entry)}\n`)
  .join('')

const PRECONDITION_FAILED = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>PreconditionFailed</Code></Error>'
