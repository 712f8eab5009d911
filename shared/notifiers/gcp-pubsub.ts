import type { Code } from '../errors.ts'
import { type GoogleSettings, googleApi, recordIn } from '../google-api.ts'
import type { Notice, Notifier } from '../ports/notifier.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { wordIn } from '../vendor-code.ts'
import { remoteNotifier } from './remote.ts'
import { attributesOf, fitted, noticeJson } from './remote-text.ts'

export interface PubsubSettings extends GoogleSettings {
  /** `projects/<project>/topics/<topic>` */
  readonly topic: string
  /** Default https://pubsub.googleapis.com. */
  readonly endpoint?: string | undefined
}

/** A topic of Pub/Sub: one message, the notice’s JSON, with attributes that subscriptions filter by. */
export function pubsubTopic({ topic, endpoint = 'https://pubsub.googleapis.com', ...rest }: PubsubSettings): Notifier {
  const name = `pubsub:${topic.split('/').at(-1)}`
  const api = googleApi(rest, name, endpoint)
  const path = `/v1/${topic.split('/').map(encodeURIComponent).join('/')}:publish`
  return remoteNotifier({
    name,
    needs: 'pubsub.topics.publish on the topic: the role roles/pubsub.publisher',
    send: async (notice, signal) =>
      api({ method: 'POST', path, body: bodyOf(notice), headers: JSON_TYPE, repeatable: true }, signal),
    isTaken: ({ status, json }) => status === 200 && Array.isArray(recordIn(json).messageIds),
    vendorIn,
    codes: CODES
  })
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** pubsub/quotas, “Resource limits”: 10 MB for a publish request, in which the data is base64. */
const MOST_BYTES = 10_000_000

function bodyOf(whole: Notice): string {
  const attributes = Object.fromEntries(attributesOf(whole, MOST_ATTRIBUTES, isAttribute))
  const textOf = (notice: Notice): string => {
    const data = Buffer.from(JSON.stringify(noticeJson(notice))).toString('base64')
    return JSON.stringify({ messages: [{ data, attributes }] })
  }
  return textOf(fitted(whole, (less) => Buffer.byteLength(textOf(less)) <= MOST_BYTES))
}

/** The same page: 100 attributes a message, 256 bytes a key, 1024 bytes a value. Keys of Google’s own begin with goog. */
const MOST_ATTRIBUTES = 100

const isAttribute = (key: string, value: string): boolean =>
  key !== '' && !/^goog/i.test(key) && Buffer.byteLength(key) <= 256 && Buffer.byteLength(value) <= 1024

const vendorIn = ({ json }: ApiAnswer): string | undefined => wordIn(recordIn(recordIn(json).error).status)

/** google/rpc/code.proto. 429 and 5xx are told by the status. */
const CODES: Readonly<Record<string, Code>> = {
  UNAUTHENTICATED: 'denied/channel',
  PERMISSION_DENIED: 'denied/channel',
  NOT_FOUND: 'not-found/channel',
  INVALID_ARGUMENT: 'invalid/notice'
}
