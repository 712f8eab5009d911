import type { PubsubTopics, PulledMessage } from './pubsub.ts'

/** Pub/Sub's REST API, https://cloud.google.com/pubsub/docs/reference/rest, at a server that asks nobody who he is. */
export function pubsubTopics(url: string, project: string): PubsubTopics {
  const call = callOf(url)
  const topic = async (name: string) => {
    const path = `projects/${project}/topics/${name}`
    await call('PUT', path, {})
    return path
  }
  let subscriptions = 0
  const subscribe = async (settings: Readonly<Record<string, unknown>>) => {
    subscriptions += 1
    const path = `projects/${project}/subscriptions/subscription-${subscriptions}`
    await call('PUT', path, settings)
    return path
  }
  return {
    topic,
    pushSubscription: (of, pushEndpoint, settings) => subscribe({ topic: of, pushConfig: { pushEndpoint }, ...settings }),
    pullSubscription: (of, settings) => subscribe({ topic: of, ...settings }),
    publish: async (to, attributes, data = '') => {
      const message = { attributes, data: Buffer.from(data).toString('base64') }
      const { messageIds } = await call<{ messageIds: [string] }>('POST', `${to}:publish`, { messages: [message] })
      return messageIds[0]
    },
    pull: async (from) => {
      const now = { maxMessages: 10, returnImmediately: true }
      const answer = await call<{ receivedMessages?: PulledMessage[] }>('POST', `${from}:pull`, now)
      return answer.receivedMessages ?? []
    },
    acknowledge: async (from, ...ackIds) => {
      await call('POST', `${from}:acknowledge`, { ackIds })
    },
    refuse: async (from, ...ackIds) => {
      await call('POST', `${from}:modifyAckDeadline`, { ackIds, ackDeadlineSeconds: 0 })
    }
  }
}

function callOf(url: string) {
  return async <Answer>(method: 'PUT' | 'POST', path: string, body: unknown): Promise<Answer> => {
    const response = await fetch(`${url}/v1/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000)
    })
    if (!response.ok) throw new Error(`Pub/Sub answered ${response.status} to ${method} ${path}: ${await response.text()}`)
    return (await response.json()) as Answer
  }
}
