import type { Notice, Notifier } from '../ports/notifier.ts'
import { bearer, type CallSettings, providerApi } from '../provider-api.ts'
import type { SecretText } from '../types.ts'
import { remoteNotifier } from './remote.ts'
import { fitted, noticeJson } from './remote-text.ts'

export interface EventGridSettings extends CallSettings {
  /** `https://<topic>.<region>-1.eventgrid.azure.net/api/events`, with `#EventGridSchema` where that is the topic’s inputSchema. */
  readonly topic: string
  readonly token: (resource: string, signal: AbortSignal) => Promise<SecretText>
}

/** Of the data plane (Azure/azure-sdk-for-js, sdk/eventgrid/eventgrid, DEFAULT_EVENTGRID_SCOPE). */
const RESOURCE = 'https://eventgrid.azure.net'

/** Names what is told, for subscriptions that filter by it. */
const TYPE = 'keyturn.notice'

/** A custom topic of Azure Event Grid: one event, whose data is the notice’s JSON, under the notice’s own id. */
export function eventGridTopic({ topic, token, ...rest }: EventGridSettings): Notifier {
  const { origin, pathname, hostname, hash } = new URL(topic)
  const name = `eventgrid:${hostname.split('.')[0]}`
  const api = providerApi({ ...rest, peer: name, endpoint: origin, authorize: bearer((signal) => token(RESOURCE, signal)) })
  const { contentType, eventOf } = hash === '#EventGridSchema' ? EVENT_GRID : CLOUD_EVENTS
  const textOf = (notice: Notice): string => JSON.stringify([eventOf(notice)])
  return remoteNotifier({
    name,
    // event-grid/authenticate-with-microsoft-entra-id, “Permissions”.
    needs: 'the role EventGrid Data Sender on the topic, and a network path to it',
    send: async (notice, signal) => {
      const body = textOf(fitted(notice, (less) => Buffer.byteLength(textOf(less)) <= MOST_BYTES))
      const headers = { 'content-type': contentType }
      return api({ method: 'POST', path: `${pathname}?api-version=2018-01-01`, body, headers, repeatable: true }, signal)
    },
    // event-grid/post-to-custom-topic, “Response”: 200, with nothing in it. The code in another one’s body is the status again.
    isTaken: ({ status, isJson }) => status === 200 && isJson,
    says: {
      'invalid/notice': 'it does not take such an event; it may be a topic of the other schema: #EventGridSchema says which'
    }
  })
}

/** event-grid/post-to-custom-topic, “Event data”: 1 MB for the array. */
const MOST_BYTES = 1_000_000

const subjectOf = ({ severity, id }: Notice): string => `notices/${severity}/${id}`

interface Schema {
  readonly contentType: string
  readonly eventOf: (notice: Notice) => object
}

/** event-grid/cloud-event-schema, in a batch (sdk/eventgrid/eventgrid, publishCloudEventEvents). */
const CLOUD_EVENTS: Schema = {
  contentType: 'application/cloudevents-batch+json; charset=utf-8',
  eventOf: (notice) => ({
    specversion: '1.0',
    type: TYPE,
    source: '/keyturn',
    id: notice.id,
    time: new Date(notice.at).toISOString(),
    subject: subjectOf(notice),
    datacontenttype: 'application/json',
    data: noticeJson(notice)
  })
}

/** event-grid/event-schema. */
const EVENT_GRID: Schema = {
  contentType: 'application/json; charset=utf-8',
  eventOf: (notice) => ({
    id: notice.id,
    eventType: TYPE,
    subject: subjectOf(notice),
    eventTime: new Date(notice.at).toISOString(),
    data: noticeJson(notice),
    dataVersion: '1.0'
  })
}
