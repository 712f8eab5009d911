import type { Azurite } from '../servers/azurite.ts'
import { askHttps, type HttpsAnswer } from '../servers/cloud-https.ts'
import type { FunctionApp, Outcome } from './azure-host.ts'

const QUEUE = { name: 'keyturn-near-expiry', trigger: 'near-expiry' }
/** host.json, `maxDequeueCount`, where nothing is set (azure-functions/functions-bindings-storage-queue). */
const MAX_DEQUEUE_COUNT = 5

export interface StorageQueue {
  /** As Event Grid does: one event a message, base64. */
  put(event: object): Promise<void>
  /** As the host's listener does: takes every message that is visible, at once, and what succeeded off the queue. */
  deliver(app: FunctionApp): Promise<readonly Outcome[]>
  /** Until there is nothing left to deliver. */
  drain(app: FunctionApp): Promise<readonly Outcome[]>
  /** What was given up. */
  poison(): Promise<readonly unknown[]>
}

interface Message {
  readonly id: string
  readonly receipt: string
  readonly count: number
  readonly text: string
}

/** The queue of the storage trigger, with the poison queue beside it. */
export async function storageQueue(azurite: Azurite, { name: queue, trigger } = QUEUE): Promise<StorageQueue> {
  const ask = async (method: string, path: string, text?: string): Promise<HttpsAnswer> => {
    const headers = { authorization: `Bearer ${(await azurite.credential.getToken()).token}`, 'x-ms-version': '2025-01-05' }
    const body = text === undefined ? '' : `<QueueMessage><MessageText>${text}</MessageText></QueueMessage>`
    const answer = await askHttps({ method, url: `${azurite.queueUrl}/${path}`, headers, body, caPem: azurite.caPem })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status}`)
    return answer
  }
  for (const name of [queue, `${queue}-poison`]) await ask('PUT', name)
  const take = async (name: string) =>
    messagesIn((await ask('GET', `${name}/messages?numofmessages=32&visibilitytimeout=600`)).text)
  const at = ({ id, receipt }: Message) => `${queue}/messages/${id}?popreceipt=${encodeURIComponent(receipt)}`
  const give = async (app: FunctionApp, message: Message): Promise<Outcome> => {
    const outcome = await app.message(trigger, decoded(message.text), metadataOf(message))
    if ('exception' in outcome && message.count < MAX_DEQUEUE_COUNT)
      await ask('PUT', `${at(message)}&visibilitytimeout=0`, message.text)
    else {
      if ('exception' in outcome) await ask('POST', `${queue}-poison/messages`, message.text)
      await ask('DELETE', at(message))
    }
    return outcome
  }
  const deliver = async (app: FunctionApp) => Promise.all((await take(queue)).map((message) => give(app, message)))
  return {
    deliver,
    put: async (event) => void (await ask('POST', `${queue}/messages`, Buffer.from(JSON.stringify(event)).toString('base64'))),
    drain: async (app) => {
      const outcomes: Outcome[] = []
      for (let some = await deliver(app); some.length > 0; some = await deliver(app)) outcomes.push(...some)
      return outcomes
    },
    poison: async () => (await take(`${queue}-poison`)).map(({ text }) => JSON.parse(decoded(text)) as unknown)
  }
}

/** The listener decodes base64 unless host.json says `messageEncoding: none`. */
const decoded = (text: string): string => Buffer.from(text, 'base64').toString('utf8')

const metadataOf = ({ id, receipt, count }: Message) => ({
  Id: { string: id },
  PopReceipt: { string: receipt },
  DequeueCount: { json: String(count) }
})

function messagesIn(xml: string): readonly Message[] {
  return [...xml.matchAll(/<QueueMessage>(.*?)<\/QueueMessage>/gs)].map(([, one = '']) => {
    const tag = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(one)?.[1] ?? ''
    return { id: tag('MessageId'), receipt: tag('PopReceipt'), count: Number(tag('DequeueCount')), text: tag('MessageText') }
  })
}
