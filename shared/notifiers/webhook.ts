import { createHmac } from 'node:crypto'
import type { Notice, Notifier } from '../ports/notifier.ts'
import type { SecretText } from '../types.ts'
import { type AddressSettings, addressed, remoteNotifier } from './remote.ts'
import { fitted, noticeJson } from './remote-text.ts'

export interface WebhookSettings extends AddressSettings {
  /** One or two, each `whsec_` and base64: while they are rotated the message is signed with both. */
  readonly secrets: readonly SecretText[]
}

/**
 * A webhook by the Standard Webhooks specification (standard-webhooks/standard-webhooks, spec/standard-webhooks.md, 1.0.0): the
 * receiver checks the signature and the time, and drops a repeat by `webhook-id`.
 */
export function webhook({ secrets, ...settings }: WebhookSettings): Notifier {
  const name = `webhook:${settings.place}`
  const post = addressed(name, settings)
  const { now = Date.now } = settings
  return remoteNotifier({
    name,
    needs: 'a receiver that knows the secret which signs',
    send: async (notice, signal) => {
      const body = textOf(fitted(notice, (less) => Buffer.byteLength(textOf(less)) <= MOST_BYTES))
      return post(body, { 'content-type': 'application/json', ...signed(notice.id, now(), body, secrets) }, signal)
    }
  })
}

/** “Payload size”: “usually smaller than 20kb”. */
const MOST_BYTES = 20_000

/** “Payload structure”: type, timestamp, data. */
const textOf = (notice: Notice): string =>
  JSON.stringify({ type: 'keyturn.notice', timestamp: new Date(notice.at).toISOString(), data: noticeJson(notice) })

/** “Signature scheme” and “Webhook headers”: `{msg_id}.{timestamp}.{payload}`, and a list of signatures with spaces between. */
function signed(id: string, ms: number, body: string, secrets: readonly SecretText[]): Readonly<Record<string, string>> {
  const seconds = Math.floor(ms / 1000)
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.reveal().replace(/^whsec_/, ''), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`
  })
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signatures.join(' ') }
}
