import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { leaveOut } from '../left-out.ts'
import { startProgram } from './cloud-program.ts'
import { pubsubTopics } from './pubsub-topics.ts'

export type PubsubMessage = {
  messageId: string
  publishTime: string
  /** Base64; a message may have attributes only. */
  data?: string
  attributes?: Record<string, string>
}

export type PulledMessage = { ackId: string; message: PubsubMessage; deliveryAttempt?: number }

/** Topics and subscriptions are named in full: `projects/PROJECT/topics/NAME`, `projects/PROJECT/subscriptions/NAME`. */
export type PubsubTopics = {
  topic(name: string): Promise<string>
  /** What is published is sent to the endpoint by HTTP POST. `settings` are those of the REST resource, e.g. `ackDeadlineSeconds`. */
  pushSubscription(topic: string, endpoint: string, settings?: Readonly<Record<string, unknown>>): Promise<string>
  pullSubscription(topic: string, settings?: Readonly<Record<string, unknown>>): Promise<string>
  /** The message's id. */
  publish(topic: string, attributes: Readonly<Record<string, string>>, data?: string | Uint8Array): Promise<string>
  /** What can be delivered now, ten at most; it does not wait for more. */
  pull(subscription: string): Promise<PulledMessage[]>
  acknowledge(subscription: string, ...ackIds: readonly string[]): Promise<void>
  /** Gives messages back at once: their deadline becomes 0. */
  refuse(subscription: string, ...ackIds: readonly string[]): Promise<void>
}

export type Pubsub = PubsubTopics & {
  /** http://127.0.0.1:PORT: its REST API, and gRPC on the same port. */
  readonly url: string
  readonly project: string
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export type PubsubProgram = { java: string; jar: string }

/**
 * Google's emulator out of the gcloud SDK on PATH (or KEYTURN_PUBSUB_JAR), and a java on PATH. It is in no package registry:
 * where it is missing, this says so among what the run left out.
 */
export function findPubsub(): PubsubProgram | undefined {
  const java = onPath('java')
  const named = process.env.KEYTURN_PUBSUB_JAR
  const jar = named === undefined ? jarOfSdk() : [named].find(existsSync)
  if (jar === undefined) leaveOut('Pub/Sub emulator', 'no gcloud SDK on PATH with the component pubsub-emulator')
  else if (java === undefined) leaveOut('Pub/Sub emulator', 'no java on PATH')
  return java !== undefined && jar !== undefined ? { java, jar } : undefined
}

/** The emulator on a free port, empty. */
export async function startPubsub(): Promise<Pubsub> {
  const program = findPubsub()
  if (program === undefined) throw new Error('the Pub/Sub emulator is not installed')
  const running = await startProgram({
    ...{ name: 'pubsub', command: program.java, ports: 1 },
    args: ([port]) => [...forATest, '-jar', program.jar, '--host=127.0.0.1', `--port=${port}`],
    ...{ ready: /Server started, listening on/, portTaken: /Address already in use/ }
  })
  const url = `http://127.0.0.1:${running.ports[0]}`
  const project = 'keyturn-test'
  return { url, project, ...pubsubTopics(url, project), close: running.close, [Symbol.asyncDispose]: running.close }
}

/** Little memory, no second compiler for a short life, and no file in /tmp/hsperfdata_* that outlives a kill. */
const forATest = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-XX:-UsePerfData']

function jarOfSdk(): string | undefined {
  const gcloud = onPath('gcloud')
  if (gcloud === undefined) return undefined
  // Packages of systems link /usr/bin/gcloud to the SDK's own bin/gcloud; asking gcloud for its root takes a second.
  const lib = join(realpathSync(gcloud), '../../platform/pubsub-emulator/lib')
  const jar = existsSync(lib) ? readdirSync(lib).find((file) => file.endsWith('.jar')) : undefined
  return jar === undefined ? undefined : join(lib, jar)
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file))
}
