import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { Identity } from './certificates.ts'

export type HttpsQuestion = {
  method: string
  url: string
  headers?: Readonly<Record<string, string>>
  body?: string
  /** Whom the caller trusts, PEM, and the client certificate that it shows. */
  caPem: string
  identity?: Identity
}

export type HttpsAnswer = { status: number; headers: IncomingMessage['headers']; text: string }

/** fetch takes no authority and no client certificate; this does, and uses every connection once. */
export async function askHttps({ method, url, headers, body, caPem, identity }: HttpsQuestion): Promise<HttpsAnswer> {
  const sent = request(url, {
    method,
    headers: { ...headers, 'content-length': String(Buffer.byteLength(body ?? '')) },
    agent: false,
    ca: caPem,
    ...identity
  })
  sent.end(body)
  const [answer] = (await once(sent, 'response', { signal: AbortSignal.timeout(30_000) })) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) }
}
