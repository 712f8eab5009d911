import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const EVENTS_FOLDER = resolve(import.meta.dirname, '../../events/gcp')

/** In the folder itself, of the functions that rotate, or in one below it. */
export const gcpEventNames = (of = ''): readonly string[] =>
  globSync(join(of, '*.json'), { cwd: EVENTS_FOLDER }).map((file) => file.replace(/\.json$/, ''))

export type Json = Readonly<Record<string, unknown>>

/** An event as the platform sends it. */
export const gcpEventOf = (name: string): Json => JSON.parse(readFileSync(join(EVENTS_FOLDER, `${name}.json`), 'utf8')) as Json

export interface Message extends Json {
  readonly messageId: string
  readonly publishTime: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly data?: string
}

/** A structured CloudEvent around a message of Pub/Sub's. */
export interface MessagePublished extends Json {
  readonly id: string
  readonly time: string
  readonly data: { readonly message: Message; readonly subscription: string }
}

export interface OwnMessage {
  /** In place of the example's secret, wherever that is named. */
  readonly secret?: string
  readonly messageId?: string
  readonly publishedAt?: number
}

/** The example with a test's own secret, id and time, and published now unless it is said. */
export function ownMessage(message: Message, { secret = 'db-app', messageId, publishedAt = Date.now() }: OwnMessage): Message {
  const id = messageId ?? message.messageId
  const at = new Date(publishedAt).toISOString()
  const own = JSON.parse(JSON.stringify(message).replaceAll('/secrets/db-app', `/secrets/${secret}`)) as Message
  return { ...own, messageId: id, message_id: id, publishTime: at, publish_time: at }
}

export function messagePublished(name: string, own: OwnMessage = {}): MessagePublished {
  const event = gcpEventOf(name) as MessagePublished
  const message = ownMessage(event.data.message, own)
  return { ...event, id: message.messageId, time: message.publishTime, data: { ...event.data, message } }
}

/** What a push subscription sends that is not Eventarc's. */
export function pushOf(name: string, own: OwnMessage = {}): Json {
  const push = gcpEventOf(name) as { readonly message: Message }
  return { ...push, message: ownMessage(push.message, own) }
}

/** An HTTP request as its sender sends it. */
export interface HttpEvent {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Json
}

export const httpEventOf = (name: string): HttpEvent => gcpEventOf(name) as unknown as HttpEvent
