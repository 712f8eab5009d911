import { type GcpCloud, type Owned, SCHEDULER, startGcpCloud } from './gcp-cloud.ts'
import { type HttpEvent, type Json, messagePublished, type OwnMessage } from './gcp-events.ts'
import { type Framework, type FrameworkAnswer, type HttpRequest, startFramework, type Target } from './gcp-framework.ts'

type Env = Readonly<Record<string, string | undefined>>
export type Line = Readonly<Record<string, unknown>>

/** The functions as they ship, in processes of functions-framework, with doubles and a real database server around them. */
export interface GcpWorld extends GcpCloud {
  /** A process more, with an environment of its own; ended with the world. */
  start(target: Target, env?: Env): Promise<Framework>
  /** Everything that the processes have written until now. */
  output(): Promise<string>
  /** The function's own lines of the log, as far as they have arrived. */
  lines(): readonly Line[]
  /** What one event was answered, what the process logged for it, and what Secret Manager was asked. */
  sent(request: HttpRequest, to: Framework): Promise<Sent>
  /** How many versions the secret has: one more for each rotation. */
  versions(secret: Owned): number
}

export interface Sent {
  readonly status: number
  readonly text: string
  readonly lines: readonly Line[]
  readonly calls: readonly string[]
}

export const ACKNOWLEDGED = { status: 204, text: '' }
/** All that Pub/Sub sees of a failure: it delivers again. */
export const AGAIN = { status: 500, text: 'Internal Server Error' }

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** The store's: until then `latest` may be the version before (secret-manager/docs/reference/consistency). */
export const CONVERGENCE = 3 * HOUR

export async function startGcpWorld(folder: string): Promise<GcpWorld> {
  const cloud = await startGcpCloud()
  const processes: Framework[] = []
  return {
    ...cloud,
    output: async () => (await Promise.all(processes.map((p) => p.output()))).join(''),
    lines: () => linesIn(processes.map((p) => p.arrived()).join('')),
    sent: (request, to) => send(cloud, request, to),
    versions: ({ resource }) => cloud.double.versions(resource).length,
    start: async (target, env = {}) => {
      const started = await startFramework({ folder, target, env: { ...cloud.env, ...env } })
      processes.push(started)
      return started
    },
    close: async () => {
      await Promise.all(processes.map((p) => p.stop()))
      await cloud.close()
    }
  }
}

async function send(cloud: GcpCloud, request: HttpRequest, to: Framework): Promise<Sent> {
  const lines = async () => linesIn(await to.output())
  const [before, calls] = [(await lines()).length, cloud.calls().length]
  const { status, text } = await to.send(request)
  return { status, text, lines: (await lines()).slice(before), calls: cloud.calls().slice(calls) }
}

export const linesIn = (output: string): readonly Line[] =>
  output.split('\n').flatMap((line) => (line.startsWith('{"severity"') ? [JSON.parse(line) as Line] : []))

/** Structured mode: the body is the event (cloudevents HTTP binding, 3.2). */
export const structured = (event: Json): HttpRequest => ({
  headers: [['content-type', 'application/cloudevents+json; charset=utf-8']],
  body: event
})

/** Binary mode: the attributes are headers, the body is the data (3.1). Eventarc sends this one. */
export function binary({ data, datacontenttype, ...attributes }: Json): HttpRequest {
  const headers = Object.entries(attributes).map(([name, value]) => [`ce-${name}`, String(value)] as const)
  return { headers: [['content-type', String(datacontenttype)], ...headers], body: data as Json }
}

/** A push subscription of one's own. */
export const pushed = (push: Json): HttpRequest => ({ headers: [['content-type', 'application/json']], body: push })

export const rotation = (secret: Owned, own: OwnMessage = {}): HttpRequest =>
  binary(messagePublished('secret-rotate', { secret: secret.name, messageId: secret.name, ...own }))

/** The event's request, as the Scheduler's account or with another token; `body` in place of the event's. */
export function asking(event: HttpEvent, token: string | undefined, body: Json | string = event.body): HttpRequest {
  const authorization = token === undefined ? [] : [['authorization', `Bearer ${token}`] as const]
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { method: event.method, headers: [...Object.entries(event.headers), ...authorization], body: text }
}

export const schedulerToken = ({ metadata }: GcpCloud): string => metadata.idToken({ email: SCHEDULER })

/** What a report says of one secret. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert.
export const about = ({ json }: FrameworkAnswer, { name }: Owned): any =>
  (json.results ?? json.report?.results)?.find((r: { secret: string }) => r.secret === name)
