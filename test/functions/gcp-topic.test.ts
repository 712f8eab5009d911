import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Owned } from './gcp-cloud.ts'
import { gcpEventOf, messagePublished, type OwnMessage, pushOf } from './gcp-events.ts'
import { builtGcpFunction, type Framework, type HttpRequest } from './gcp-framework.ts'
import { ACKNOWLEDGED, AGAIN, binary, type GcpWorld, pushed, rotation, startGcpWorld, structured } from './gcp-world.ts'
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

describe('SECRET_ROTATE rotates, and both logins work afterwards', () => {
  const MODES: Readonly<Record<string, (own: OwnMessage) => HttpRequest>> = {
    'as a CloudEvent in binary mode': (own) => binary(messagePublished('secret-rotate', own)),
    'as a CloudEvent in structured mode': (own) => structured(messagePublished('secret-rotate', own)),
    'pushed by a subscription of one’s own': (own) => pushed(pushOf('pubsub-push', own)),
    'pushed without data, which functions-framework makes no CloudEvent of': (own) =>
      pushed(pushOf('pubsub-push-without-data', own))
  }
  test.each(Object.entries(MODES))('%s', async (_, requestOf) => {
    const secret = await world.secret()
    const before = await world.read(secret)
    expect(await sent(requestOf({ secret: secret.name, messageId: secret.name }))).toMatchObject(ACKNOWLEDGED)
    const after = await world.read(secret)
    expect(after).toEqual({ ...before, username: secret.b, password: expect.not.stringContaining(before.password) })
    expect([await world.login(after), await world.login(before)]).toEqual(['in', 'in'])
  })
})

test.each(['secret-version-add', 'secret-update'])(
  '%s, which our own writes cause, is acknowledged, and nothing is asked',
  async (name) => {
    const { attributes } = messagePublished(name).data.message
    const said = { severity: 'INFO', event: 'ignored', type: attributes?.eventType }
    expect(await sent(binary(messagePublished(name)))).toMatchObject({ ...ACKNOWLEDGED, lines: [said], calls: [] })
  }
)

test('what is no message of Secret Manager’s is acknowledged, with an error in the log, and never quoted', async () => {
  const event = gcpEventOf('message-of-somebody-else')
  const line = { severity: 'ERROR', event: 'failed', code: 'invalid/request' }
  const said = await sent(structured(event))
  expect(said).toMatchObject({ ...ACKNOWLEDGED, lines: [line], calls: [] })
  expect(JSON.stringify(said.lines)).not.toContain('aGVsbG8')
})

describe('one event is one rotation', () => {
  test('however often it is delivered, one after the other or at once', async () => {
    const secret = await world.secret()
    const request = rotation(secret)
    const all = await Promise.all([1, 2, 3].map(() => events.send(request)))
    for (const answer of all) expect([204, 500]).toContain(answer.status)
    for (const answer of [await events.send(request), await events.send(request)]) expect(answer.status).toBe(204)
    expect([world.versions(secret), (await world.read(secret)).username]).toEqual([2, secret.b])
  })

  test('in a new process too', async () => {
    const secret = await world.secret()
    await events.send(rotation(secret))
    const cold = await world.start('onSecretEvent')
    const done = { severity: 'INFO', event: 'done', note: expect.stringContaining('done already') }
    expect((await sent(rotation(secret), cold)).lines).toContainEqual(expect.objectContaining(done))
    expect(world.versions(secret)).toBe(2)
  })

  test('and one that was published before the last rotation is old news', async () => {
    const secret = await world.secret()
    await events.send(rotation(secret, { messageId: `${secret.name}-new` }))
    const late = await sent(rotation(secret, { messageId: `${secret.name}-old`, publishedAt: Date.now() - 60_000 }))
    expect(late).toMatchObject(ACKNOWLEDGED)
    expect(late.lines.at(-1)).toMatchObject({ note: expect.stringContaining('older than the last promotion') })
    expect(world.versions(secret)).toBe(2)
  })
})

describe('a secret that the sweep of this deployment does not list is ignored with a warning, because nobody would retire it', () => {
  const ignored = { severity: 'WARNING', event: 'ignored', why: 'in another project or location than the sweep’s' }
  const ofOther = (secret: Owned, name: string) => binary(messagePublished(name, { secret: secret.name, messageId: secret.name }))

  test('one of another project', async () => {
    const secret = await world.secret({ parent: 'projects/somebody-else' })
    expect(secret.resource).toContain('projects/999999999999/')
    const said = await sent(ofOther(secret, 'secret-rotate-other-project'))
    expect(said).toMatchObject({ ...ACKNOWLEDGED, lines: [ignored], calls: [] })
  })

  test('one of a location, where the deployment is for global ones; and the other way round', async () => {
    const there = { parent: 'projects/keyturn-test/locations/europe-west1' }
    const [regional, global] = [await world.secret(there), await world.secret()]
    expect(await sent(ofOther(regional, 'secret-rotate-regional'))).toMatchObject({
      ...ACKNOWLEDGED,
      lines: [ignored],
      calls: []
    })
    const process = await world.start('onSecretEvent', { KEYTURN_LOCATION: 'europe-west1' })
    expect(await sent(rotation(global), process)).toMatchObject({ ...ACKNOWLEDGED, lines: [ignored], calls: [] })
    expect(world.versions(regional)).toBe(1)
  })

  test('but a project that GOOGLE_CLOUD_PROJECT names by its number is this deployment’s', async () => {
    const secret = await world.secret({
      parent: 'projects/somebody-else',
      more: { masterarn: 'projects/keyturn-test/secrets/admin' }
    })
    const process = await world.start('onSecretEvent', { GOOGLE_CLOUD_PROJECT: '999999999999' })
    expect(await sent(ofOther(secret, 'secret-rotate-other-project'), process)).toMatchObject(ACKNOWLEDGED)
    expect([world.versions(secret), await world.login(await world.read(secret))]).toEqual([2, 'in'])
  })
})

describe('settings that are wrong refuse every event, which comes again when they are right', () => {
  const invalid = expect.objectContaining({ severity: 'ERROR', event: 'failed', code: 'invalid/config' })

  test('a setting that is none', async () => {
    const process = await world.start('onSecretEvent', { KEYTURN_RUN_LIMIT: 'planted-setting' })
    const said = await sent(rotation(await world.secret()), process)
    expect(said).toMatchObject({ ...AGAIN, lines: [invalid], calls: [] })
    expect(await process.output()).not.toContain('planted-setting')
  })

  test('another project that GOOGLE_CLOUD_PROJECT does not name by its number, as events do', async () => {
    const process = await world.start('onSecretEvent', { GOOGLE_CLOUD_PROJECT: 'somebody-else' })
    expect(await sent(rotation(await world.secret()), process)).toMatchObject({ ...AGAIN, lines: [invalid], calls: [] })
  })

  test('NODE_ENV, because functions-framework then answers with the message of what was thrown', async () => {
    const process = await world.start('onSecretEvent', { NODE_ENV: 'development' })
    const said = await sent(rotation(await world.secret()), process)
    expect(said).toMatchObject({ status: 500, lines: [invalid], calls: [] })
    expect(said.text).toBe('NODE_ENV must be production. Correct the settings; the message lists every problem.')
  })
})

test('after all this the process is still there, and no password or token is in anything that was written', async () => {
  expect(events.exitCode()).toBeUndefined()
  const secret = await world.secret()
  const before = await world.read(secret)
  await events.send(rotation(secret))
  const [role] = await world.server.query<{ rolpassword: string }>('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [
    secret.b
  ])
  const planted = [
    before.password,
    (await world.read(secret)).password,
    ADMIN_PASSWORD,
    'ya29.',
    'SCRAM-SHA-256$',
    role?.rolpassword
  ]
  const output = await world.output()
  expect(planted.map(String).filter((text) => output.includes(text))).toEqual([])
  expect(output).toContain('promote')
})
