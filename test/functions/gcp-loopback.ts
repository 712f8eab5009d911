import { Server } from 'node:net'

/**
 * Loaded into functions-framework's process before anything else (node --import): what it cannot be told. It listens on every
 * interface, so here on 127.0.0.1, and says on which port; and Google's certificates are those of the test's own signer, because
 * nothing that ships has a setting for them. Nothing else leaves this machine.
 */
type Listen = (port: number, host: string, ready: () => void) => Server
const listen: Listen = Server.prototype.listen

Server.prototype.listen = function (this: Server, port: string, ready: () => void) {
  return listen.call(this, Number(port), '127.0.0.1', () => {
    ready()
    process.send?.(this.address())
  })
} as typeof Server.prototype.listen

const CERTIFICATES = 'https://www.googleapis.com/oauth2/v1/certs'
const realFetch = globalThis.fetch

globalThis.fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input)
  if (url.href === CERTIFICATES) return realFetch(process.env.TEST_CERTIFICATES ?? 'http://127.0.0.1:1', init)
  if (!['127.0.0.1', 'localhost'].includes(url.hostname)) throw new TypeError(`fetch failed: ${url.host} is not this machine`)
  return realFetch(input, init)
}

// A mark, behind which nothing is that was written before.
process.on('message', (mark) => {
  process.stdout.write(`${mark}\n`)
  process.stderr.write(`${mark}\n`)
})
process.on('disconnect', () => process.exit())
