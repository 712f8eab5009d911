import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../servers/until.ts'
import { startClients } from './gcp-clients.ts'
import type { Owned } from './gcp-cloud.ts'
import { httpEventOf, messagePublished } from './gcp-events.ts'
import { builtGcpFunction, type Framework } from './gcp-framework.ts'
import { deliveries, startTopic, type Topic } from './gcp-topics.ts'
import { about, asking, CONVERGENCE, DAY, type GcpWorld, HOUR, schedulerToken, startGcpWorld } from './gcp-world.ts'
import type { BuiltFunction } from './lambda-runtime.ts'

let built: BuiltFunction
beforeAll(async () => {
  built = await builtGcpFunction()
})
afterAll(() => built.remove())

describe.each(deliveries())(
  'Secret Manager’s SECRET_ROTATE, delivered by %s to the built bundle in functions-framework',
  (delivery) => {
    let world: GcpWorld
    let topic: Topic
    let events: Framework
    beforeEach(async () => {
      world = await startGcpWorld(built.folder)
      topic = await startTopic(delivery)
      events = await world.start('onSecretEvent')
    })
    afterEach(async () => {
      await topic.close()
      await world.close()
    })

    /** What Secret Manager publishes when the time that the owner set has come. */
    const publish = ({ name }: Owned) => topic.publish(messagePublished('secret-rotate', { secret: name }).data.message)
    const told = (event: string) => world.lines().filter((line) => line.event === event)
    /** Until it is answered 200, as the Scheduler does: a look that was shown an old state is refused where it would write. */
    const sweep = (scheduler: Framework) =>
      until('the job to succeed', 30_000, async () => {
        const answer = await scheduler.send(asking(httpEventOf('scheduler-sweep'), schedulerToken(world)))
        return answer.status === 200 ? answer : undefined
      })

    test('rotates while clients log in all the time, some of whom are shown the version before; the Scheduler’s sweep then retires the old login with proof', async () => {
      const secret = await world.secret()
      const before = await world.read(secret)
      const scheduler = await world.start('onRequest')
      world.double.setLag(HOUR, { seed: 7 })
      const clients = startClients(world, secret)
      await topic.subscribe(events)
      await publish(secret)
      await until('the rotation', 30_000, () => told('done').length === 1 || undefined)
      await until('both logins to be used', 30_000, () => clients.principals.size === 2 || undefined)
      const soFar = clients.least()
      await until('every client to go on', 30_000, () => clients.least() >= soFar + 5 || undefined)
      expect(about(await sweep(scheduler), secret)).toMatchObject({ ok: true, phase: 'draining', done: [] })
      expect(await clients.stop()).toEqual([])
      expect(clients.principals).toEqual(new Set([secret.a, secret.b]))

      world.advance(DAY + CONVERGENCE - HOUR)
      expect(about(await sweep(scheduler), secret)).toMatchObject({ phase: 'draining', done: [] })
      expect(await world.login(before)).toBe('in')

      world.advance(2 * HOUR)
      const later = startClients(world, secret)
      const retired = about(await sweep(scheduler), secret)
      await until('the clients to go on', 30_000, () => later.least() >= 5 || undefined)
      const proof = { refusal: '28P01', at: expect.any(String), endpoint: expect.any(String), sessionsEnded: 0 }
      expect(retired).toMatchObject({
        phase: 'settled',
        current: secret.b,
        done: [{ step: 'retire', principal: secret.a, proof }]
      })
      expect([await later.stop(), later.principals]).toEqual([[], new Set([secret.b])])
      expect(await world.login(before)).toBe('28P01')
    })

    test('is one rotation when five subscriptions deliver it', async () => {
      const secret = await world.secret()
      for (let i = 0; i < 5; i++) await topic.subscribe(events)
      const id = await publish(secret)
      await until('five acknowledgements', 30_000, () => told('done').length === 5 || undefined)
      const notes = told('done').map(({ note, steps }) => note ?? steps)
      const done = ['issue', 'promote', 'settle'].map((step) => `${step} ${secret.b}`)
      expect(notes.filter((note) => String(note).startsWith('done already'))).toHaveLength(4)
      expect(notes).toContainEqual(done)
      expect([world.versions(secret), (await world.read(secret)).username]).toEqual([2, secret.b])
      expect(id).toMatch(/^\d+$/)
    })

    test('is delivered again after a first attempt that failed, and then rotates', async () => {
      const secret = await world.secret()
      const before = await world.read(secret)
      world.double.setFault(({ op }) =>
        op === 'UpdateSecret' && told('failed').length === 0 ? { error: 'UNAVAILABLE' } : undefined
      )
      await topic.subscribe(events)
      await publish(secret)
      await until('the rotation', 30_000, () => told('done').length === 1 || undefined)
      expect(told('failed')).toMatchObject([{ severity: 'ERROR', code: 'unavailable/store', retryable: true }])
      expect([world.versions(secret), await world.login(before), await world.login(await world.read(secret))]).toEqual([
        2,
        'in',
        'in'
      ])
    })
  }
)
