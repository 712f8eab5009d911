import * as v from 'valibot'
import { KeyturnError } from '../../shared/errors.ts'
import { type Instant, instantIn } from '../../shared/types.ts'

/**
 * What Secret Manager tells by a topic (secret-manager/docs/event-notifications), told apart once, here.
 * - `rotate`: the time that the secret's owner set for its rotation has come.
 * - `other`: what asks for nothing: every write of our own makes a SECRET_UPDATE or a SECRET_VERSION_ADD.
 */
export type TopicEvent =
  | { readonly kind: 'rotate'; readonly id: string; readonly publishedAt: Instant | undefined; readonly secret: TopicSecret }
  | { readonly kind: 'other'; readonly id: string; readonly type: string }

export interface TopicSecret {
  /** `projects/<number>[/locations/<location>]/secrets/<name>` */
  readonly resource: string
  /** The project's number. */
  readonly project: string
  /** Undefined: a global secret. */
  readonly location: string | undefined
}

const filled = v.pipe(v.string(), v.nonEmpty())

/** pubsub/docs/push: both spellings are sent. */
const Message = v.object({
  messageId: v.optional(filled),
  message_id: v.optional(filled),
  publishTime: v.optional(v.string()),
  publish_time: v.optional(v.string()),
  attributes: v.optional(v.unknown()),
  data: v.optional(v.unknown())
})

/**
 * google.events.cloud.pubsub.v1.MessagePublishedData in a CloudEvent. functions-framework makes one of a plain push, but not of
 * one whose message has attributes and no data: that comes as it was sent (pubsub_middleware.ts).
 */
const Event = v.object({
  type: v.optional(v.literal('google.cloud.pubsub.topic.v1.messagePublished')),
  id: v.optional(filled),
  data: v.optional(v.nullable(v.object({ message: v.optional(Message) }))),
  message: v.optional(Message)
})

const Attributes = v.object({ eventType: filled, secretId: v.optional(v.string()) })

/** resources.proto, Secret: the two patterns, with the project's number. */
const SECRET = /^projects\/(\d+)(?:\/locations\/([a-z0-9-]+))?\/secrets\/[A-Za-z0-9_-]{1,255}$/

/** A message of Pub/Sub's, in whatever it was delivered. */
export interface TopicMessage {
  readonly id: string
  readonly publishedAt: Instant | undefined
  readonly attributes: unknown
  /** base64, where it is what it should be. */
  readonly data: unknown
}

/** Throws `invalid/request`, and never quotes the event. */
export function messageIn(event: unknown): TopicMessage {
  const parsed = v.safeParse(Event, event)
  const message = parsed.success ? (parsed.output.data?.message ?? parsed.output.message) : undefined
  if (!parsed.success || message === undefined)
    throw new KeyturnError('invalid/request', 'an event that is no message of Pub/Sub')
  const id = message.messageId ?? message.message_id ?? parsed.output.id
  if (id === undefined) throw new KeyturnError('invalid/request', 'a message without an id')
  const { attributes, data } = message
  return { id, publishedAt: instantIn(message.publishTime ?? message.publish_time), attributes, data }
}

/** Throws `invalid/request`, and never quotes the event. What the message's data holds, the whole secret, is not needed. */
export function parseEvent(event: unknown): TopicEvent {
  const { id, publishedAt, ...message } = messageIn(event)
  const attributes = v.safeParse(Attributes, message.attributes)
  if (!attributes.success) throw new KeyturnError('invalid/request', `the message ${id} is none of Secret Manager’s`)
  const { eventType, secretId } = attributes.output
  // A type is logged, and comes from outside: no longer than the longest of Secret Manager's.
  if (eventType !== 'SECRET_ROTATE') return { kind: 'other', id, type: eventType.slice(0, 80) }
  return { kind: 'rotate', id, publishedAt, secret: secretOf(secretId, id) }
}

function secretOf(resource = '', id: string): TopicSecret {
  const [, project, location] = SECRET.exec(resource) ?? []
  if (project === undefined) throw new KeyturnError('invalid/request', `the message ${id} names no secret`)
  return { resource, project, location }
}
