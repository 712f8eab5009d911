import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CODES, type Code } from '../../shared/errors.ts'
import { ADMIN_PASSWORD, type Owned } from './gcp-cloud.ts'
import { httpEventOf, type Json } from './gcp-events.ts'
import { builtGcpFunction, type Framework } from './gcp-framework.ts'
import { about, asking, DAY, type GcpWorld, HOUR, schedulerToken, startGcpWorld } from './gcp-world.ts'
import type { BuiltFunction } from './lambda-runtime.ts'

let built: BuiltFunction
let world: GcpWorld
let http: Framework
beforeAll(async () => {
  built = await builtGcpFunction()
  world = await startGcpWorld(built.folder)
  http = await world.start('onRequest')
})
afterAll(async () => {
  await world.close()
  built.remove()
})

const ask = (body: Json | string, name = 'on-demand-rotate') => http.send(asking(httpEventOf(name), schedulerToken(world), body))
const rotate = ({ name }: Owned, more: Json = {}) =>
  ask({ ...httpEventOf('on-demand-rotate').body, secretId: name, requestId: randomUUID(), ...more })

/** All that a failure says: fixed text of the code's table. */
const refusal = (status: number, code: Code) => ({
  status,
  json: { ok: false, code, retryable: CODES[code][0], todo: CODES[code][1] }
})

describe('the common request', () => {
  test('of Cloud Scheduler sweeps, under the content type that it sends by itself', async () => {
    const secret = await world.secret()
    const answer = await ask({ action: 'sweep' }, 'scheduler-sweep')
    expect(answer).toMatchObject({ status: 200, json: { action: 'sweep' } })
    expect(about(answer, secret)).toMatchObject({ ok: true, phase: 'settled', current: secret.a, done: [] })
  })

  test('of a person rotates one secret by its name, and both logins work afterwards', async () => {
    const secret = await world.secret()
    const before = await world.read(secret)
    const answer = await rotate(secret)
    expect(answer.status).toBe(200)
    expect(about(answer, secret)).toMatchObject({ ok: true, phase: 'draining', current: secret.b, previous: secret.a })
    expect([await world.login(await world.read(secret)), await world.login(before)]).toEqual(['in', 'in'])
  })

  test('with a name has effect once, in a new process too', async () => {
    const secret = await world.secret()
    const requestId = randomUUID()
    await rotate(secret, { requestId })
    const cold = await world.start('onRequest')
    const again = asking(httpEventOf('on-demand-rotate'), schedulerToken(world), {
      action: 'rotate',
      secretId: secret.name,
      requestId
    })
    for (const answer of [await http.send(again), await cold.send(again)])
      expect(about(answer, secret)).toMatchObject({ ok: true, note: expect.stringContaining('done already') })
    expect(world.versions(secret)).toBe(2)
  })

  test('rotates a secret that is named by its whole resource name', async () => {
    const secret = await world.secret()
    expect((await rotate(secret, { secretId: secret.resource })).status).toBe(200)
    expect(world.versions(secret)).toBe(2)
  })

  test('retires after the grace, with proof', async () => {
    const secret = await world.secret({ metadata: { graceMs: HOUR } })
    const before = await world.read(secret)
    await rotate(secret)
    expect(await rotate(secret, { action: 'retire' })).toMatchObject(refusal(409, 'conflict/inside-grace'))
    world.advance(DAY)
    const retired = about(await rotate(secret, { action: 'retire' }), secret)
    expect(retired).toMatchObject({
      phase: 'settled',
      done: [{ step: 'retire', principal: secret.a, proof: { refusal: '28P01' } }]
    })
    expect(await world.login(before)).toBe('28P01')
  })
})

describe('a request that is none is refused, and nothing is asked', () => {
  const refused = async (answer: ReturnType<Framework['send']>) => {
    const calls = world.calls().length
    const { status, json, headers } = await answer
    expect(world.calls().slice(calls)).toEqual([])
    return { status, json, headers }
  }

  test.each(['GET', 'PUT', 'DELETE', 'OPTIONS'])('%s', async (method) => {
    const asked = asking(httpEventOf('scheduler-sweep'), schedulerToken(world))
    const answer = await refused(http.send({ ...asked, method, body: undefined }))
    expect(answer).toMatchObject({ ...refusal(405, 'invalid/request'), headers: { allow: 'POST' } })
  })

  test.each(['null', '7', '"sweep"', '[]', '{}', '{"action":"explode"}', '{"action":"sweep","hunter2":1}', 'action=sweep', ''])(
    'a body that reads %s',
    async (body) => {
      expect(await refused(ask(body, 'scheduler-sweep'))).toMatchObject(refusal(400, 'invalid/request'))
    }
  )

  test('a body that is longer than any request of ours', async () => {
    const body = JSON.stringify({ action: 'sweep', reason: 'x'.repeat(16_384) })
    expect(await refused(ask(body))).toMatchObject(refusal(413, 'invalid/request'))
  })

  test('JSON that is none, to which functions-framework answers and tells nothing of it', async () => {
    const answer = await ask('{"action": "sweep", hunter2')
    expect([answer.status, answer.json]).toEqual([400, undefined])
    expect(answer.text).toContain('Bad Request')
    expect(answer.text).not.toMatch(/hunter2|node_modules|\.js|Error:/)
  })

  test('any, to a function that has no callers: an account of Google’s is no check', async () => {
    const nobody = await world.start('onRequest', { KEYTURN_AUDIENCE: undefined, KEYTURN_CALLERS: undefined })
    const answer = nobody.send(asking(httpEventOf('scheduler-sweep'), schedulerToken(world)))
    expect(await refused(answer)).toMatchObject(refusal(500, 'invalid/config'))
  })

  test('any, to a function whose NODE_ENV is not production', async () => {
    const process = await world.start('onRequest', { NODE_ENV: 'development' })
    const answer = process.send(asking(httpEventOf('scheduler-sweep'), schedulerToken(world)))
    expect(await refused(answer)).toMatchObject(refusal(500, 'invalid/config'))
    expect(await process.output()).toContain('NODE_ENV must be production')
  })
})

describe('a failure is answered by its code, and never by a message', () => {
  test.each([
    ['of a secret that is not there', { secretId: 'db-nobody' }, 404, 'not-found/secret'],
    ['of a name that is none', { secretId: 'db/nobody' }, 400, 'invalid/name']
  ] as const)('%s', async (_, more, status, code) => {
    const answer = await rotate(await world.secret(), more)
    expect(answer).toMatchObject(refusal(status, code))
    expect(answer.text).not.toContain('nobody')
  })

  test('with the time after which to ask again, where that may help', async () => {
    const secret = await world.secret()
    world.double.setFault(() => ({ error: 'UNAVAILABLE', message: 'hunter2' }))
    const answer = await rotate(secret)
    world.double.setFault(undefined)
    expect(answer).toMatchObject({ ...refusal(503, 'unavailable/store'), headers: { 'retry-after': '60' } })
    expect(answer.text).not.toContain('hunter2')
  })

  test('of one secret in a sweep is the whole answer’s, with the report of all beside it', async () => {
    const [good, bad] = [await world.secret(), await world.secret({ more: { masterarn: 'admin-that-is-missing' } })]
    world.advance(31 * DAY)
    const answer = await ask({ action: 'sweep' }, 'scheduler-sweep')
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.json).toMatchObject({ ok: false, code: 'not-found/admin-secret', report: { action: 'sweep' } })
    expect(about(answer, good)).toMatchObject({ ok: true, current: good.b })
    expect(about(answer, bad)).toEqual({ secret: bad.name, ...refusal(404, 'not-found/admin-secret').json })
    expect(answer.text).not.toContain('admin-that-is-missing')
  })

  test('of a function whose timeout no run fits in is its owner’s to mend', async () => {
    const short = await world.start('onRequest', { CLOUD_RUN_TIMEOUT_SECONDS: '59' })
    const answer = await short.send(asking(httpEventOf('scheduler-sweep'), schedulerToken(world)))
    expect(answer).toMatchObject({ status: 500, json: { code: 'invalid/config', retryable: false } })
  })
})

test('after all this the process is still there, and no password or token is in anything that was written or answered', async () => {
  expect(http.exitCode()).toBeUndefined()
  const secret = await world.secret()
  const before = await world.read(secret)
  const token = schedulerToken(world)
  const answer = await http.send(asking(httpEventOf('on-demand-rotate'), token, { action: 'rotate', secretId: secret.name }))
  const [role] = await world.server.query<{ rolpassword: string }>('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [
    secret.b
  ])
  const passwords = [before.password, (await world.read(secret)).password, ADMIN_PASSWORD, 'SCRAM-SHA-256$', role?.rolpassword]
  const said = (await world.output()) + answer.text
  expect([...passwords, 'ya29.', ...token.split('.')].map(String).filter((text) => said.includes(text))).toEqual([])
  expect(said).toContain('promote')
})
