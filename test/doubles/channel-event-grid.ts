import { eventGridTopic } from '../../shared/notifiers/azure-event-grid.ts'
import { SecretText } from '../../shared/types.ts'
import { type ChannelHarness, sinceLast } from '../conformance/notifier-harness.ts'
import { azureToken, principalOf } from './azure-credential.ts'
import { readable } from './channel-queue.ts'
import { startHttpProxy } from './http-proxy.ts'
import { type ProviderAnswer, type ProviderRequest, startProvider } from './provider-double.ts'

/** event-grid/post-to-custom-topic, “Event data”: 1 MB for the array. */
const MOST_BYTES = 1_000_000
const RESOURCE = 'https://eventgrid.azure.net'

export interface GridHarness extends ChannelHarness {
  /** The event that arrived last. */
  last(): Event | undefined
  /** Its endpoint with the words of the other schema behind it. */
  readonly other: string
  readonly token: (resource: string) => Promise<SecretText>
}

export type Event = Readonly<Record<string, unknown>> & { readonly id: string }

/** The same page, “Response”: the code is the status again. */
const refused = (status: number) => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    error: { code: String(status), message: 'in words', details: [{ code: String(status), message: 'in words' }] }
  })
})

/** A custom topic of one input schema, for whoever has a token of Event Grid’s (event-grid/authenticate-with-microsoft-entra-id). */
export async function startGrid(schema: 'EventGridSchema' | 'CloudEventSchemaV1_0'): Promise<GridHarness> {
  const kept: { readonly event: Event; readonly size: number }[] = []
  const fresh = sinceLast(kept)
  const answer = (request: ProviderRequest): ProviderAnswer => {
    const event = eventIn(request, schema)
    if (typeof event === 'number') return refused(event)
    kept.push({ event, size: Buffer.byteLength(request.text) })
    return { status: 200 }
  }
  const double = await startProvider({
    routes: [{ op: 'publish', method: 'POST', path: /^\/api\/events$/, answer }],
    unknown: refused(404)
  })
  const proxy = await startHttpProxy(double.url)
  const secret = azureToken({ principal: 'keyturn', resource: RESOURCE })
  const token = async (resource: string) => new SecretText(resource === RESOURCE ? secret : 'another')
  const hash = schema === 'EventGridSchema' ? '#EventGridSchema' : ''
  const topic = `${proxy.url}/api/events${hash}`
  return {
    make: (pace) => eventGridTopic({ topic, token, ...pace }),
    missing: eventGridTopic({ topic: `${proxy.url}/api/gone${hash}`, token }),
    other: `${proxy.url}/api/events${hash === '' ? '#EventGridSchema' : ''}`,
    token,
    arrived: async () => fresh().map(({ event, size }) => ({ id: event.id, text: readable(event.data), size })),
    last: () => kept.at(-1)?.event,
    ...{ most: MOST_BYTES, shows: (line) => line, proxy, needs: /EventGrid Data Sender/, secrets: [secret] },
    refusals: { denied: refused(401), throttled: refused(429), rejected: refused(413) },
    stop: async () => {
      await proxy.close()
      await double.close()
    }
  }
}

/** event-grid/cloud-event-schema and event-schema: what must be there. Or the status of the refusal. */
function eventIn({ url, headers, text }: ProviderRequest, schema: string): Event | number {
  const [, token = ''] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? []
  if (principalOf(token, RESOURCE) !== 'keyturn') return 401
  if (url.searchParams.get('api-version') !== '2018-01-01') return 400
  if (Buffer.byteLength(text) > MOST_BYTES) return 413
  const [event, ...more] = JSON.parse(text) as readonly Event[]
  if (event === undefined || more.length > 0) return 400
  const texts = (names: readonly string[]) => names.every((name) => typeof event[name] === 'string' && event[name] !== '')
  const isTime = (value: unknown) => new Date(String(value)).toISOString() === value
  if (schema === 'EventGridSchema') {
    const isRight = headers['content-type'] === 'application/json; charset=utf-8'
    return isRight && texts(['id', 'eventType', 'subject', 'dataVersion']) && isTime(event.eventTime) ? event : 400
  }
  const isRight = headers['content-type'] === 'application/cloudevents-batch+json; charset=utf-8'
  return isRight && event.specversion === '1.0' && texts(['id', 'type', 'source']) && isTime(event.time) ? event : 400
}
