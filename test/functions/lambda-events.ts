import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const EVENTS_FOLDER = resolve(import.meta.dirname, '../../events/aws')

/** In the folder itself, of the functions that rotate, or in one below it. */
export const eventNames = (of = ''): readonly string[] =>
  globSync(join(of, '*.json'), { cwd: EVENTS_FOLDER }).map((file) => file.replace(/\.json$/, ''))

/** An event as the platform sends it, with this test's own names in place of the example's. */
export function eventOf(name: string, own: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { ...(JSON.parse(readFileSync(join(EVENTS_FOLDER, `${name}.json`), 'utf8')) as object), ...own }
}

interface Batch {
  readonly Records: readonly { readonly messageId: string; readonly body: string }[]
}

/** A batch of SQS with the example's secret replaced; one record for each message. */
export function batchOf(
  name: string,
  messages: readonly { readonly id: string; readonly secretId?: string; readonly body?: string; readonly sentAt?: number }[]
): Batch {
  const [example] = (eventOf(name) as unknown as Batch).Records
  if (!example) throw new Error(`${name} has no record`)
  return {
    Records: messages.map(
      ({ id, secretId = 'db/app', body = example.body.replace('db/app', secretId), sentAt = Date.now() }) => ({
        ...example,
        messageId: id,
        body,
        attributes: { ApproximateReceiveCount: '1', SentTimestamp: String(sentAt) }
      })
    )
  }
}
