import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Owned } from './gcp-cloud.ts'
import { builtGcpFunction, type Framework, type HttpRequest } from './gcp-framework.ts'
import { ACKNOWLEDGED, AGAIN, type GcpWorld, rotation, startGcpWorld } from './gcp-world.ts'
import type { BuiltFunction } from './lambda-runtime.ts'

let built: BuiltFunction
let world: GcpWorld
let events: Framework
beforeAll(async () => {
  built = await builtGcpFunction()
  world = await startGcpWorld(built.folder)
  events = await world.start('onSecretEvent')
})
afterAll(async () => {
  await world.close()
  built.remove()
})

const sent = (request: HttpRequest, to = events) => world.sent(request, to)

describe('what will last for hours or days is acknowledged with a warning, because the daily sweep comes by', () => {
  const putOff = (code: string) => expect.objectContaining({ severity: 'WARNING', event: 'put off', code })

  test('a rotation inside the grace', async () => {
    const secret = await world.secret()
    await events.send(rotation(secret))
    const again = await sent(rotation(secret, { messageId: `${secret.name}-again`, publishedAt: Date.now() + 60_000 }))
    expect(again).toMatchObject(ACKNOWLEDGED)
    expect(again.lines).toContainEqual(putOff('conflict/inside-grace'))
    expect(world.versions(secret)).toBe(2)
  })

  test('a rotation of a secret that a person holds', async () => {
    const secret = await world.secret({ metadata: { hold: { reason: 'an audit' } } })
    const held = await sent(rotation(secret))
    expect(held).toMatchObject(ACKNOWLEDGED)
    expect(held.lines).toContainEqual(putOff('conflict/held'))
    expect(world.versions(secret)).toBe(1)
  })
})

describe('what only a person can mend is acknowledged with an error in the log, and not delivered for a week', () => {
  const SECRETS: Readonly<Record<string, readonly [code: string, make: () => Promise<Owned>]>> = {
    'a document that names no engine of ours': ['unsupported/engine', () => world.secret({ more: { engine: 'oracle' } })],
    'an admin secret that is not there': ['not-found/admin-secret', () => world.secret({ more: { masterarn: 'nobody' } })],
    'a secret that is not there': ['not-found/secret', async () => ({ ...(await world.secret()), name: 'nobody' })]
  }
  test.each(Object.entries(SECRETS))('%s', async (_, [code, make]) => {
    const said = await sent(rotation(await make()))
    expect(said).toMatchObject(ACKNOWLEDGED)
    expect(said.lines.at(-1)).toMatchObject({ severity: 'ERROR', event: 'failed', code, retryable: false })
  })

  test('but a secret that keyturn does not manage is none of its business: the topic may be another service’s too', async () => {
    const said = await sent(rotation(await world.secret({ metadata: { kind: null } })))
    expect(said).toMatchObject(ACKNOWLEDGED)
    expect(said.lines.at(-1)).toMatchObject({ severity: 'INFO', event: 'ignored', code: 'conflict/unmanaged' })
  })

  test('a right that is missing', async () => {
    const secret = await world.secret()
    world.double.setFault(({ op }) => (op === 'AddSecretVersion' ? { error: 'PERMISSION_DENIED' } : undefined))
    const said = await sent(rotation(secret))
    world.double.setFault(undefined)
    expect(said).toMatchObject(ACKNOWLEDGED)
    expect(said.lines.at(-1)).toMatchObject({
      code: 'denied/store',
      message: expect.stringContaining('secretmanager.versions.add')
    })
  })
})

describe('what may pass by itself is refused, so that Pub/Sub delivers it again', () => {
  type Break = () => Promise<() => unknown> | (() => unknown)
  const fault =
    (set: Parameters<GcpWorld['double']['setFault']>[0]): Break =>
    () => {
      world.double.setFault(set)
      return () => world.double.setFault(undefined)
    }
  const BREAKS: Readonly<Record<string, readonly [code: string, Break]>> = {
    'Secret Manager is away': ['unavailable/store', fault(() => ({ error: 'UNAVAILABLE' }))],
    'its quota is used up': ['throttled/store', fault(() => ({ error: 'RESOURCE_EXHAUSTED' }))],
    'the answer of its commit is lost': [
      'unavailable/store',
      fault(({ op, name }) => (op === 'AddSecretVersion' && !name.endsWith('-pending') ? 'lost' : undefined))
    ],
    'a page is answered by something in between': ['unavailable/store', fault(() => ({ page: 502 }))],
    'the database server is down': [
      'unavailable/host',
      async () => {
        await world.server.kill()
        return () => world.server.restart()
      }
    ]
  }
  test.each(Object.entries(BREAKS))('when %s, and the same event then rotates once', async (_, [code, breakIt]) => {
    const secret = await world.secret()
    const mend = await breakIt()
    const failed = await sent(rotation(secret))
    await mend()
    expect(failed).toMatchObject(AGAIN)
    expect(failed.lines.at(-1)).toMatchObject({ severity: 'ERROR', event: 'failed', code, retryable: true })
    expect(await sent(rotation(secret))).toMatchObject(ACKNOWLEDGED)
    expect([world.versions(secret), (await world.read(secret)).username]).toEqual([2, secret.b])
  })

  test('when the function’s timeout is one that no run fits in, before anything was done', async () => {
    const secret = await world.secret()
    const short = await world.start('onSecretEvent', { CLOUD_RUN_TIMEOUT_SECONDS: '1' })
    expect(await sent(rotation(secret), short)).toMatchObject(AGAIN)
    expect(world.versions(secret)).toBe(1)
  })

  test('when the metadata server is away, and the same process rotates once it is back', async () => {
    const secret = await world.secret()
    await using server = await metadataServer(world.metadata.url)
    const process = await world.start('onSecretEvent', { GCE_METADATA_HOST: server.host })
    expect(await sent(rotation(secret), process)).toMatchObject(AGAIN)
    server.comeBack()
    expect(await sent(rotation(secret), process)).toMatchObject(ACKNOWLEDGED)
    expect(world.versions(secret)).toBe(2)
  })
})

describe('what functions-framework answers in our place', () => {
  const OTHERS: Readonly<Record<string, readonly [status: number, HttpRequest]>> = {
    'a body that is no JSON': [400, { headers: [['content-type', 'application/json']], body: '{"planted": hunter2' }],
    'an event that is no JSON': [400, { headers: [['content-type', 'application/cloudevents+json']], body: 'hunter2' }],
    'a GET': [500, { method: 'GET' }],
    'a text': [500, { headers: [['content-type', 'text/plain']], body: 'hunter2' }]
  }
  test.each(Object.entries(OTHERS))(
    'to %s tells nothing of the body and nothing of the machine',
    async (_, [status, request]) => {
      const answer = await events.send(request)
      expect(answer.status).toBe(status)
      expect(answer.text).not.toMatch(/hunter2|node_modules|\.js|Error:/)
    }
  )
})

test('after all this the process is still there', () => {
  expect(events.exitCode()).toBeUndefined()
})

/** A metadata server that is not there yet (404 from whatever is), and then passes everything on. */
async function metadataServer(url: string) {
  let isThere = false
  const server = createServer(async (request, response) => {
    if (!isThere) return void response.writeHead(404).end()
    const answer = await fetch(`${url}${request.url}`, { headers: { 'metadata-flavor': 'Google' } })
    response.writeHead(answer.status, { 'metadata-flavor': 'Google', 'content-type': answer.headers.get('content-type') ?? '' })
    response.end(await answer.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    comeBack: () => {
      isThere = true
    },
    [Symbol.asyncDispose]: close
  }
}
