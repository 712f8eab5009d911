import { pubsubTopic } from '../../shared/notifiers/gcp-pubsub.ts'
import { type Arrived, type ChannelHarness, sinceLast } from '../conformance/notifier-harness.ts'
import { type PubsubMessage, startPubsub } from '../servers/pubsub.ts'
import { readable } from './channel-queue.ts'
import { startHttpProxy } from './http-proxy.ts'
import { type ProviderAnswer, type ProviderRequest, startProvider } from './provider-double.ts'

/** pubsub/quotas, “Resource limits”: of a publish request. */
const MOST_BYTES = 10_000_000
const TOKEN = 'planted-google-token-91'
const TOPIC = 'projects/acme-1/topics/alerts'

export interface PubsubHarness extends ChannelHarness {
  last(): PubsubMessage | undefined
}

/** google.aip.dev/193. */
const refused = (code: number, status: string) => ({
  status: code,
  headers: { 'content-type': 'application/json; charset=UTF-8' },
  body: JSON.stringify({ error: { code, message: 'in words', status } })
})

const COMMON = {
  most: MOST_BYTES,
  shows: (line: string) => line,
  needs: /pubsub\.topics\.publish/,
  refusals: {
    denied: refused(403, 'PERMISSION_DENIED'),
    throttled: refused(429, 'RESOURCE_EXHAUSTED'),
    rejected: refused(400, 'INVALID_ARGUMENT')
  },
  secrets: [TOKEN]
}

const authorize = async () => new Headers({ authorization: `Bearer ${TOKEN}` })

/** projects.topics.publish (pubsub/docs/reference/rest/v1/projects.topics/publish), with the limits of the page of quotas. */
export async function startPubsubDouble(): Promise<PubsubHarness> {
  const kept: { readonly message: PubsubMessage; readonly size: number }[] = []
  const fresh = sinceLast(kept)
  const answer = (request: ProviderRequest): ProviderAnswer => {
    const found = messageIn(request)
    if ('status' in found) return found
    kept.push({ message: found, size: Buffer.byteLength(request.text) })
    return { status: 200, body: { messageIds: [String(kept.length)] } }
  }
  const double = await startProvider({
    routes: [{ op: 'publish', method: 'POST', path: /^\/v1\/(projects\/.+\/topics\/.+):publish$/, answer }],
    unknown: refused(404, 'NOT_FOUND')
  })
  const proxy = await startHttpProxy(double.url)
  return {
    ...COMMON,
    proxy,
    make: (pace) => pubsubTopic({ topic: TOPIC, authorize, endpoint: proxy.url, ...pace }),
    missing: pubsubTopic({ topic: 'projects/acme-1/topics/gone', authorize, endpoint: proxy.url }),
    arrived: async () => fresh().map(({ message, size }) => ({ ...arrivedIn(message), size })),
    last: () => kept.at(-1)?.message,
    stop: async () => {
      await proxy.close()
      await double.close()
    }
  }
}

function messageIn({ headers, params: [topic], text, json }: ProviderRequest): PubsubMessage | ProviderAnswer {
  if (headers.authorization !== `Bearer ${TOKEN}`) return refused(401, 'UNAUTHENTICATED')
  if (topic !== TOPIC) return refused(404, 'NOT_FOUND')
  const [message, ...more] = (json.messages ?? []) as readonly PubsubMessage[]
  const attributes = Object.entries(message?.attributes ?? {})
  const isRight =
    headers['content-type'] === 'application/json' &&
    Buffer.byteLength(text) <= MOST_BYTES &&
    attributes.length <= 100 &&
    attributes.every(([key, value]) => !/^goog|^$/.test(key) && Buffer.byteLength(key) <= 256 && Buffer.byteLength(value) <= 1024)
  return message && more.length === 0 && isRight ? message : refused(400, 'INVALID_ARGUMENT')
}

function arrivedIn({ data = '', attributes = {} }: PubsubMessage): Arrived {
  const size = Buffer.byteLength(JSON.stringify({ messages: [{ data, attributes }] }))
  return { id: attributes.id ?? '', text: readable(JSON.parse(Buffer.from(data, 'base64').toString())), size }
}

/** Google’s emulator, which asks nobody who he is. */
export async function startPubsubEmulator(): Promise<ChannelHarness> {
  const pubsub = await startPubsub()
  const topic = await pubsub.topic('alerts')
  const subscription = await pubsub.pullSubscription(topic)
  const proxy = await startHttpProxy(pubsub.url)
  return {
    ...COMMON,
    proxy,
    make: (pace) => pubsubTopic({ topic, authorize, endpoint: proxy.url, ...pace }),
    missing: pubsubTopic({ topic: topic.replace('alerts', 'gone'), authorize, endpoint: proxy.url }),
    arrived: async () => {
      const pulled = await pubsub.pull(subscription)
      if (pulled.length > 0) await pubsub.acknowledge(subscription, ...pulled.map(({ ackId }) => ackId))
      return pulled.map(({ message }) => arrivedIn(message))
    },
    stop: async () => {
      await proxy.close()
      await pubsub.close()
    }
  }
}
