import { findPubsub, type Pubsub, startPubsub } from '../servers/pubsub.ts'
import { until } from '../servers/until.ts'
import type { Message } from './gcp-events.ts'
import type { FrameworkAnswer } from './gcp-framework.ts'
import { pushed } from './gcp-world.ts'

/** `emulator` is Google's own; the stand-in pushes the same body by the same rules, and needs nothing installed. */
export type Delivery = 'the Pub/Sub emulator' | 'a stand-in'

/** What a topic's subscriptions push to, and a process's own way to send. */
export interface Endpoint {
  readonly url: string
  send(request: ReturnType<typeof pushed>): Promise<FrameworkAnswer>
}

/** A topic with subscriptions that push each message until it is answered 2xx. */
export interface Topic {
  subscribe(endpoint: Endpoint): Promise<void>
  /** The message's id, the same at every subscription. */
  publish(message: Pick<Message, 'attributes' | 'data'>): Promise<string>
  close(): Promise<void>
}

/** The ways of delivery to test with: both, or the stand-in alone where the emulator is missing. */
export const deliveries = (): readonly Delivery[] => (findPubsub() ? ['the Pub/Sub emulator', 'a stand-in'] : ['a stand-in'])

export const startTopic = (delivery: Delivery): Promise<Topic> =>
  delivery === 'a stand-in' ? Promise.resolve(standIn()) : emulated()

async function emulated(): Promise<Topic> {
  const pubsub: Pubsub = await startPubsub()
  const topic = await pubsub.topic('rotation')
  return {
    // The path that functions-framework takes the topic's name from.
    subscribe: async ({ url }) => void (await pubsub.pushSubscription(topic, `${url}/${topic}`)),
    publish: ({ attributes = {}, data = '' }) => pubsub.publish(topic, attributes, Buffer.from(data, 'base64')),
    close: () => pubsub.close()
  }
}

function standIn(): Topic {
  const endpoints: Endpoint[] = []
  const under: Promise<unknown>[] = []
  let published = 0
  return {
    subscribe: async (endpoint) => void endpoints.push(endpoint),
    publish: async (own) => {
      const messageId = String(20_000_000 + ++published)
      const publishTime = new Date().toISOString()
      const message = { ...own, messageId, message_id: messageId, publishTime, publish_time: publishTime }
      const push = pushed({ message, subscription: 'projects/keyturn-test/subscriptions/rotation' })
      const deliver = async (endpoint: Endpoint) => ((await endpoint.send(push)).status < 300 ? true : undefined)
      under.push(...endpoints.map((endpoint) => until(`the delivery of ${messageId}`, 30_000, () => deliver(endpoint))))
      return messageId
    },
    close: async () => void (await Promise.all(under))
  }
}
