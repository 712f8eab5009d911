import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Pubsub, type PubsubMessage, startPubsub } from './pubsub.ts'
import { until } from './until.ts'

/** What the tests rely on in the Pub/Sub emulator. */
export function pubsubSuite(): void {
  describe('the Pub/Sub emulator', () => {
    let pubsub: Pubsub
    beforeAll(async () => {
      pubsub = await startPubsub()
    })
    afterAll(() => pubsub.close())

    const attributes = { eventType: 'SECRET_ROTATE', secretId: 'projects/1/secrets/db', timestamp: '2025-01-31T12:00:00Z' }

    test('pushes a message with its attributes until the endpoint answers 2xx', async () => {
      const answers = [500, 503, 204]
      await using endpoint = await startEndpoint(() => answers.shift() ?? 500)
      const topic = await pubsub.topic('rotation')
      const subscription = await pubsub.pushSubscription(topic, `${endpoint.url}/push`)
      const messageId = await pubsub.publish(topic, attributes, 'a secret is due')
      await until('three deliveries', 30_000, () => endpoint.got.length === 3 || undefined)
      const delivery = {
        subscription,
        message: { messageId, attributes, data: Buffer.from('a secret is due').toString('base64') }
      }
      expect(endpoint.got).toMatchObject([delivery, delivery, delivery])
      // Another message is refused once and comes again: in that time the first one would have come, too.
      answers.push(500, 204)
      const next = await pubsub.publish(topic, attributes)
      const got = (id: string) => endpoint.got.filter(({ message }) => message.messageId === id)
      await until('another two', 30_000, () => got(next).length === 2 || undefined)
      expect(got(messageId)).toHaveLength(3)
    })
    test('delivers a message again that a puller gave back, until it is acknowledged', async () => {
      const topic = await pubsub.topic('pulled')
      const subscription = await pubsub.pullSubscription(topic)
      const messageId = await pubsub.publish(topic, attributes)
      const [first] = await pubsub.pull(subscription)
      expect(first?.message).toMatchObject({ messageId, attributes })
      expect(await pubsub.pull(subscription)).toEqual([])
      await pubsub.refuse(subscription, first?.ackId ?? '')
      const [second] = await pubsub.pull(subscription)
      expect(second?.message).toMatchObject({ messageId, attributes })
      await pubsub.acknowledge(subscription, second?.ackId ?? '')
      expect(await pubsub.pull(subscription)).toEqual([])
    })
    test('says which topic is not there', async () => {
      await expect(pubsub.publish(`projects/${pubsub.project}/topics/nowhere`, {})).rejects.toThrow('404')
    })
  })
}

type Delivery = { message: PubsubMessage; subscription: string }

async function startEndpoint(status: () => number) {
  const got: Delivery[] = []
  const server = createServer(async (request, response) => {
    got.push((await json(request)) as Delivery)
    response.writeHead(status()).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `http://127.0.0.1:${port}`, got, [Symbol.asyncDispose]: close }
}
