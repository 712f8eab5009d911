import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A port of 127.0.0.1 that nobody listens on, below the range from which systems take the ports of outgoing connections
 * (32768 on Linux, 49152 elsewhere): a server that restarts finds it free again. The server itself must still notice a
 * port that was taken since.
 */
export async function freePort(): Promise<number> {
  const port = 15_000 + Math.floor(Math.random() * 17_000)
  const probe = createServer()
  try {
    probe.listen({ host: '127.0.0.1', port, exclusive: true })
    await once(probe, 'listening')
    return port
  } catch {
    return freePort()
  } finally {
    await new Promise((resolve) => probe.close(resolve))
  }
}
