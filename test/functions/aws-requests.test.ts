import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Report } from '../../shared/act.ts'
import type { Login, Owned } from './lambda-cloud.ts'
import { batchOf, eventOf } from './lambda-events.ts'
import { type BuiltFunction, builtFunction, lambdaRuntimes, type Outcome } from './lambda-runtime.ts'
import { DAY, errorOf, HOUR, type LambdaWorld, startLambdaWorld } from './lambda-world.ts'

let built: BuiltFunction
beforeAll(async () => {
  built = await builtFunction('aws/rotate-database')
})
afterAll(() => built.remove())

const reportOf = (outcome: Outcome): Report => {
  if ('error' in outcome) throw new Error(`${outcome.error.errorType}: ${outcome.error.errorMessage}`)
  return outcome.answer as Report
}
/** What a report says of one secret. */
const about = (outcome: Outcome, { name }: Owned) => reportOf(outcome).results.find((r) => r.secret === name)

describe.each(lambdaRuntimes().slice(0, 1))('the built bundle in %s, asked by the common request', (runtime) => {
  let world: LambdaWorld
  // One for each test: a sweep takes every secret that there is.
  beforeEach(async () => {
    world = await startLambdaWorld({ folder: built.folder, runtime })
  })
  afterEach(() => world.close())

  const versions = (secret: Owned): number => world.double.versions(secret.name).length
  /** The event with a request that names this secret, asked for now. */
  const asking = (name: string, secret: Owned) =>
    eventOf(name, { secretId: secret.name, ...(name === 'scheduler-rotate' && { requestedAt: new Date().toISOString() }) })

  test('EventBridge Scheduler’s Input rotates one secret, and both logins work afterwards', async () => {
    const secret = await world.secret()
    const before = await world.read(secret)
    const report = about(await world.invoke(asking('scheduler-rotate', secret)), secret)
    expect(report).toMatchObject({ ok: true, current: secret.b, previous: secret.a, phase: 'draining' })
    expect([await world.login(await world.read(secret)), await world.login(before)]).toEqual(['in', 'in'])
  })

  test('a sweep rotates what is due, and retires the old login with proof once the grace is over', async () => {
    const secret = await world.secret()
    const before = await world.read(secret)
    expect(about(await world.invoke(eventOf('scheduler-sweep')), secret)).toMatchObject({ phase: 'settled', done: [] })
    world.advance(31 * DAY)
    expect(about(await world.invoke(eventOf('scheduler-sweep')), secret)).toMatchObject({ phase: 'draining', current: secret.b })
    world.advance(HOUR)
    expect(about(await world.invoke(eventOf('scheduler-sweep')), secret)).toMatchObject({ phase: 'draining', done: [] })
    expect(await world.login(before)).toBe('in')
    world.advance(DAY)
    const retired = about(await world.invoke(eventOf('scheduler-sweep')), secret)
    const proof = { refusal: '28P01', at: expect.any(String), endpoint: expect.any(String), sessionsEnded: 0 }
    expect(retired).toMatchObject({ phase: 'settled', done: [{ step: 'retire', principal: secret.a, proof }] })
    expect([await world.login(before), await world.login(await world.read(secret))]).toEqual(['28P01', 'in'])
  })

  test('a rotation that Secrets Manager drove is retired by a sweep, too', async () => {
    const secret = await world.secret()
    const before = await world.read(secret)
    await world.rotate(secret)
    world.advance(25 * HOUR)
    const report = about(await world.invoke(eventOf('scheduler-sweep')), secret)
    expect(report?.ok && report.done.at(-1)).toMatchObject({ step: 'retire', principal: secret.a, proof: { refusal: '28P01' } })
    expect(await world.login(before)).toBe('28P01')
  })

  test.each(['scheduler-default-notification', 'rule-default-notification'])('%s is a sweep', async (name) => {
    const secret = await world.secret()
    const outcome = await world.invoke(eventOf(name))
    expect(reportOf(outcome)).toMatchObject({ action: 'sweep' })
    expect(about(outcome, secret)).toMatchObject({ ok: true, phase: 'settled' })
  })

  test('a sweep in which one secret fails goes on with the others, and fails as a whole', async () => {
    const [good, bad] = [await world.secret(), await world.secret({ more: { masterarn: 'nobody' } })]
    world.advance(31 * DAY)
    expect(errorOf(await world.invoke(eventOf('scheduler-sweep')))).toMatchObject({
      errorType: 'not-found/admin-secret',
      errorMessage: expect.stringContaining(`1 of 2 secrets failed: ${bad.name}`)
    })
    expect(await world.read(good)).toMatchObject({ username: good.b })
  })

  test('one invocation delivered twice has effect once, in the same process and in a new one', async () => {
    const secret = await world.secret()
    const [requestId, event] = [randomUUID(), asking('scheduler-rotate', secret)]
    await world.invoke(event, { requestId })
    const [after, count] = [await world.read(secret), versions(secret)]
    for (const how of ['warm', 'cold']) {
      if (how === 'cold') await world.restart()
      expect(about(await world.invoke(event, { requestId }), secret)).toMatchObject({
        note: expect.stringContaining('done already')
      })
    }
    expect([await world.read(secret), versions(secret)]).toEqual([after, count])
  })

  test('a request with a name of its own has effect once, whoever delivers it', async () => {
    const secret = await world.secret()
    await world.invoke(asking('direct-rotate', secret))
    const again = await world.invoke(asking('direct-rotate', secret))
    expect(about(again, secret)).toMatchObject({ ok: true, note: expect.stringContaining('done already') })
    expect(await world.read(secret)).toMatchObject({ username: secret.b })
  })

  test('of a batch only the failed messages come back, and those that were done have effect once', async () => {
    const secret = await world.secret()
    const batch = batchOf('sqs-rotate', [
      { id: 'good', secretId: secret.name },
      { id: 'nobody’s', secretId: 'db/nobody' },
      { id: 'no JSON', body: '{"action":"rot' }
    ])
    const answer = { batchItemFailures: [{ itemIdentifier: 'nobody’s' }, { itemIdentifier: 'no JSON' }] }
    expect(await world.invoke(batch)).toEqual({ answer })
    const [after, count] = [await world.read(secret), versions(secret)]
    expect(after).toMatchObject({ username: secret.b })
    expect(await world.invoke(batch)).toEqual({ answer })
    expect([await world.read(secret), versions(secret)]).toEqual([after, count])
  })

  test('a message that came through SNS is taken out of its wrapping', async () => {
    const secret = await world.secret()
    const outcome = await world.invoke(batchOf('sqs-sns-wrapped', [{ id: 'wrapped', secretId: secret.name }]))
    expect(outcome).toEqual({ answer: { batchItemFailures: [] } })
    expect(await world.read(secret)).toMatchObject({ username: secret.b })
  })

  test('a message that was sent before the last promotion is done already', async () => {
    const secret = await world.secret()
    const sentAt = Date.now() - HOUR
    await world.invoke(asking('direct-rotate', secret))
    const count = versions(secret)
    world.advance(2 * DAY)
    const late = await world.invoke(batchOf('sqs-rotate', [{ id: randomUUID(), secretId: secret.name, sentAt }]))
    expect(late).toEqual({ answer: { batchItemFailures: [] } })
    expect([versions(secret), (await world.read(secret)).username]).toEqual([count, secret.b])
  })

  test('retire is refused inside the grace; after it the old login’s sessions are ended, and it is proved dead', async () => {
    const secret = await world.secret()
    const before = await world.read(secret)
    await world.invoke(asking('direct-rotate', secret))
    expect(errorOf(await world.invoke(asking('direct-retire', secret)))).toMatchObject({ errorType: 'conflict/inside-grace' })
    const session = await sessionOf(world, before)
    world.advance(25 * HOUR)
    const report = about(await world.invoke(asking('direct-retire', secret)), secret)
    const proof = { refusal: '28P01', sessionsEnded: 1 }
    expect(report).toMatchObject({ done: [{ step: 'retire', principal: secret.a, proof }] })
    await expect(session.query('SELECT 1')).rejects.toThrow()
    expect(await world.login(before)).toBe('28P01')
  })

  test('an event of Secrets Manager’s own that asks for nothing is refused, and nothing is called', async () => {
    const error = errorOf(await world.invoke(eventOf('secrets-manager-label-updated')))
    expect(error.errorType).toBe('invalid/request')
    expect(world.double.calls.map((c) => c.op)).toEqual(['CreateSecret'])
  })
})

async function sessionOf({ server }: LambdaWorld, { username: user, password }: Login): Promise<Client> {
  const session = new Client({
    host: server.host,
    port: server.port,
    database: 'postgres',
    user,
    password,
    ssl: { ca: server.caPem }
  })
  session.on('error', () => {})
  await session.connect()
  return session
}
