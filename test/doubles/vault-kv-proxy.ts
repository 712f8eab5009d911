import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { faultLine, questionOf, type VaultKvServer } from './vault-kv-wire.ts'

/**
 * A proxy on 127.0.0.1 in front of a real Vault or OpenBao: it records the calls, loses requests and answers as it is told,
 * and moves the clock that the server seems to have, because no process can be told another time.
 */
export async function startVaultKvProxy(serverUrl: string, mount: string): Promise<VaultKvServer> {
  const line = faultLine()
  const clock = movableClock()
  const server = createServer(async (asked, response) => {
    const body = await text(asked)
    const fault = await line.fateOf(questionOf(asked, mount).call)
    if (fault === 'before') return void response.destroy()
    if (typeof fault === 'object') {
      response.writeHead(fault.status, { Date: clock.httpDate(), 'Content-Type': 'application/json' })
      return void response.end(JSON.stringify({ errors: [fault.error] }))
    }
    const answer = await forwarded(serverUrl, asked, body)
    if (fault === 'lost') return void response.destroy()
    await pass(answer, response, clock)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...line.controls,
    advance: clock.advance,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}

async function forwarded(serverUrl: string, { method = 'GET', url = '', headers }: IncomingMessage, body: string) {
  const sent = request(`${serverUrl}${url}`, { method, headers: { ...headers, host: new URL(serverUrl).host } })
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  return answer
}

async function pass(answer: IncomingMessage, response: ServerResponse, clock: MovableClock): Promise<void> {
  const body = (await text(answer)).replaceAll(TIMES, (_, name: string, at: string) => `"${name}":"${clock.iso(at)}"`)
  const { 'content-length': _, ...headers } = answer.headers
  response.writeHead(answer.statusCode ?? 0, { ...headers, date: clock.httpDate() })
  response.end(body)
}

/** Where KV version 2 prints a time of its own. */
const TIMES = /"(created_time|updated_time|deletion_time)":"(\d[^"]*)"/g

type MovableClock = ReturnType<typeof movableClock>

/** Each time is moved by what the clock had been moved by when it was taken, so that a version's time stays the same for ever. */
function movableClock() {
  const steps: { readonly at: number; readonly ms: number }[] = []
  const moved = (real: number): number => steps.filter(({ at }) => at <= real).reduce((sum, { ms }) => sum + ms, real)
  return {
    advance: (ms: number): void => {
      // The next millisecond begins the new time: what the server dated before is before it, without a doubt.
      const began = Date.now()
      while (Date.now() === began);
      steps.push({ at: Date.now(), ms })
    },
    iso: (at: string): string => new Date(moved(Date.parse(at))).toISOString(),
    httpDate: (): string => new Date(moved(Date.now())).toUTCString()
  }
}
