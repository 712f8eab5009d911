import { createRequire } from 'node:module'
import { SecretManagerServiceClient } from '@google-cloud/secret-manager'
import { OAuth2Client } from 'google-auth-library'
import { type GoogleSecretsDouble, type GoogleSecretsOptions, startGoogleSecrets } from '../doubles/google-secrets.ts'
import { requestOf } from '../doubles/google-secrets-json.ts'

export const PROJECT = 'projects/keyturn-test'
export const NUMBER = 'projects/123456789012'
export const START = Date.UTC(2030, 0, 1, 12, 0, 0, 250)

type Body = Readonly<Record<string, unknown>>
export interface Reply {
  readonly status: number
  readonly headers: Headers
  /** The answer, which the vendor's proto has read and written again without a difference; or the error's body. */
  readonly body: Body
  /** `error` of the body. */
  readonly error: {
    readonly code?: number
    readonly status?: string
    readonly message?: string
    readonly details?: readonly Body[]
  }
}

export interface Subject {
  readonly double: GoogleSecretsDouble
  /** The vendor's own client, in REST mode, as the owner. */
  readonly client: SecretManagerServiceClient
  advance(ms: number): void
  /** One request over plain HTTP; `path` below /v1/. */
  send(method: string, path: string, body?: unknown, token?: string): Promise<Reply>
  /** Creates a secret (automatic replication), by default named `app`, with these values as its versions. */
  create(values?: readonly string[], more?: Body, id?: string): Promise<Body>
  add(value: string, id?: string): Promise<Reply>
  close(): Promise<void>
}

export async function subject(options: GoogleSecretsOptions = {}): Promise<Subject> {
  let now = START
  const double = await startGoogleSecrets({ now: () => now, ...options })
  const client = clientOf(double.url, 'owner-token')
  const send: Subject['send'] = async (method, path, body, token = 'owner-token') => {
    const url = new URL(`${double.url}/v1/${path}`)
    const response = await fetch(url, {
      method,
      headers: { ...(token && { Authorization: `Bearer ${token}` }), 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) })
    })
    const answer = JSON.parse(await response.text()) as Body
    if (response.status === 200) checkShape(requestOf(method, url)?.route.op ?? '', answer)
    return { status: response.status, headers: response.headers, body: answer, error: (answer.error ?? {}) as Reply['error'] }
  }
  const add: Subject['add'] = (value, id = 'app') =>
    send('POST', `${PROJECT}/secrets/${id}:addVersion`, { payload: { data: Buffer.from(value).toString('base64') } })
  return {
    double,
    client,
    send,
    add,
    advance: (ms) => {
      now += ms
    },
    create: async (values = [], more = {}, id = 'app') => {
      const { body } = await send('POST', `${PROJECT}/secrets?secretId=${id}`, { replication: { automatic: {} }, ...more })
      for (const value of values) await add(value, id)
      return body
    },
    close: async () => {
      await client.close()
      await double.close()
    }
  }
}

export function clientOf(url: string, token: string): SecretManagerServiceClient {
  const authClient = new OAuth2Client()
  authClient.setCredentials({ access_token: token })
  const { hostname, port } = new URL(url)
  return new SecretManagerServiceClient({
    fallback: true,
    apiEndpoint: hostname,
    port: Number(port),
    protocol: 'http',
    authClient
  })
}

interface Gax {
  readonly protobuf: { readonly Root: { fromJSON(json: object): Root } }
  readonly serializer: { fromProto3JSON(type: unknown, json: unknown): unknown; toProto3JSON(message: unknown): unknown }
}
interface Root {
  lookupService(name: string): { readonly methods: Readonly<Record<string, { readonly responseType: string }>> }
  lookupType(name: string): unknown
}

const vendor = createRequire(createRequire(import.meta.url).resolve('@google-cloud/secret-manager'))
const { protobuf, serializer } = vendor('google-gax') as Gax
const root = protobuf.Root.fromJSON(vendor('../protos/protos.json') as object)
const PACKAGE = 'google.cloud.secretmanager.v1'

/**
 * The vendor's serializer drops what the message does not have and refuses what has the wrong type; so an answer that comes
 * back from it as it was is one that the proto can have.
 */
export function checkShape(op: string, answer: Body): void {
  const { responseType } = root.lookupService(`${PACKAGE}.SecretManagerService`).methods[op] ?? { responseType: '' }
  const type = root.lookupType(responseType.includes('.') ? responseType : `${PACKAGE}.${responseType}`)
  const again = serializer.toProto3JSON(serializer.fromProto3JSON(type, answer))
  const at = difference(answer, again)
  if (at !== undefined) throw new Error(`${op} answers what a ${responseType} is not: ${at || 'no object'}`)
}

/** Where two messages differ. The serializer writes every map, an empty one too. */
function difference(answer: unknown, again: unknown, path = ''): string | undefined {
  const [left, right] = [answer ?? {}, again ?? {}]
  if (typeof left !== 'object' || typeof right !== 'object') return answer === again ? undefined : path
  if (Array.isArray(left) !== Array.isArray(right)) return path
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const inner = difference((left as Body)[key], (right as Body)[key], `${path}.${key}`)
    if (inner !== undefined) return inner
  }
  return undefined
}

/** What a call of the vendor's client ended with: gRPC's code, or `done`. */
export const ending = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'done',
    (e: unknown) => (e as { code?: unknown }).code
  )

export const mask = (...paths: readonly string[]): string => `updateMask=${paths.join(',')}`
