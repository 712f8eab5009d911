import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pubsubTopic } from '../../shared/notifiers/gcp-pubsub.ts'
import { notifierSuite } from '../conformance/notifier.ts'
import { failure, notice, PACE, soon } from '../conformance/notifier-harness.ts'
import { type PubsubHarness, startPubsubDouble, startPubsubEmulator } from '../doubles/channel-pubsub.ts'
import { findPubsub } from '../servers/pubsub.ts'

notifierSuite('a topic of Pub/Sub', startPubsubDouble)
if (findPubsub() !== undefined) notifierSuite('a topic of Pub/Sub, as Google’s emulator plays it', startPubsubEmulator)

describe('a topic of Pub/Sub', () => {
  let h: PubsubHarness
  beforeAll(async () => {
    h = await startPubsubDouble()
  })
  afterAll(() => h?.stop())

  it('has the id, the severity and the fields as attributes that subscriptions filter by, as far as they are taken', async () => {
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`field-${n}`, `value ${n}`]))
    const fields = { severity: 'low', event: 'broken', googclient: 'x', '': 'x', long: 'ü'.repeat(513), ...many }
    const said = notice({ fields })
    await h.make().send(said, soon())
    const { attributes = {} } = h.last() ?? {}
    expect(attributes).toMatchObject({ id: said.id, severity: 'critical', event: 'broken', 'field-0': 'value 0' })
    expect(Object.keys(attributes)).toHaveLength(100)
    expect((await h.arrived())[0]?.text).toContain('ü'.repeat(513))
  })

  it('of a project of a domain’s is reached', async () => {
    const topic = 'projects/example.com:acme/topics/al%20erts'
    const error = await failure(pubsubTopic({ topic, authorize: noToken, endpoint: h.proxy.url }).send(notice(), soon()), h)
    expect(error).toMatchObject({ code: 'denied/channel', vendor: 'UNAUTHENTICATED' })
    expect(h.proxy.calls.at(-1)?.path).toBe('/v1/projects/example.com%3Aacme/topics/al%2520erts:publish')
  })

  it('is not asked where there is no token', async () => {
    const calls = h.proxy.calls.length
    const authorize = async () => {
      throw new RangeError('planted-google-token-91 is no token')
    }
    const topic = pubsubTopic({ topic: 'projects/acme-1/topics/alerts', authorize, endpoint: h.proxy.url, ...PACE })
    expect(await failure(topic.send(notice(), soon()), h)).toMatchObject({ code: 'denied/channel', vendor: 'RangeError' })
    expect(h.proxy.calls.length).toBe(calls)
  })
})

const noToken = async () => new Headers()
