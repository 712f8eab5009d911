import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CODES, type Code } from '../../shared/errors.ts'
import type { Owned, SecretOptions } from './lambda-cloud.ts'
import { eventOf } from './lambda-events.ts'
import { type BuiltFunction, builtFunction, type FunctionError, lambdaRuntimes } from './lambda-runtime.ts'
import { errorOf, type LambdaWorld, type StepEvent, startLambdaWorld } from './lambda-world.ts'

let built: BuiltFunction
let world: LambdaWorld
beforeAll(async () => {
  built = await builtFunction('aws/rotate-database')
  world = await startLambdaWorld({ folder: built.folder, runtime: lambdaRuntimes()[0] ?? 'stand-in' })
})
afterAll(async () => {
  await world.close()
  built.remove()
})

/** The error has the code as its type, and says what to do. */
const refusal = (code: Code) => ({ errorType: code, errorMessage: expect.stringContaining(CODES[code][1]) })

/** Everything that a refusal must leave alone: labels and values, the roles and their passwords. */
async function standing({ name }: Owned): Promise<unknown> {
  const roles = await world.server.query('SELECT rolname, rolpassword, rolvaliduntil FROM pg_authid ORDER BY rolname')
  return [world.double.versions(name).filter((v) => v.stages.some((s) => ['AWSCURRENT', 'AWSPREVIOUS'].includes(s))), roles]
}

const pendings = ({ name }: Owned): number =>
  world.double.versions(name).filter((v) => v.stages.includes('AWSPENDING') && !v.stages.includes('AWSCURRENT')).length

const failedRotation = async (secret: Owned): Promise<FunctionError> => {
  const { error } = await world.rotate(secret)
  if (!(error instanceof Error)) throw new Error('the rotation did not fail')
  return { errorType: error.name, errorMessage: error.message }
}

describe('a rotation that can never succeed is refused with its own code, changes nothing, and leaves no AWSPENDING', () => {
  const SECRETS: Readonly<Record<string, readonly [Code, SecretOptions]>> = {
    'an engine that is not there': ['unsupported/engine', { more: { engine: 'oracle' } }],
    'a host that is no text': ['invalid/document', { more: { host: 7 } }],
    'a pair that the username is no part of': ['invalid/pair', { more: { pair: ['x', 'y'] } }],
    'ssl switched off': ['invalid/tls', { more: { ssl: false } }],
    'a grace that is longer than the period': ['invalid/grace', { metadata: { graceMs: 86_400_000 * 40 } }],
    'a hold': ['conflict/held', { metadata: { hold: { reason: 'an audit' } } }]
  }
  test.each(Object.entries(SECRETS))('%s', async (_, [code, options]) => {
    const secret = await world.secret(options)
    const before = await standing(secret)
    expect(await failedRotation(secret)).toMatchObject(refusal(code))
    expect([await standing(secret), pendings(secret)]).toEqual([before, 0])
  })

  const VALUES: Readonly<Record<string, readonly [Code, { readonly SecretString?: string; readonly SecretBinary?: Buffer }]>> = {
    'a value that is not JSON': ['invalid/document', { SecretString: 'hunter2 is no JSON' }],
    'a list': ['invalid/document', { SecretString: '["hunter2"]' }],
    'an empty text': ['invalid/document', { SecretString: ' ' }],
    bytes: ['unsupported/binary', { SecretBinary: Buffer.from('hunter2') }]
  }
  test.each(Object.entries(VALUES))('%s', async (_, [code, value]) => {
    const secret = await world.secret()
    await world.owner.putSecretValue({ SecretId: secret.name, ...value })
    const before = await standing(secret)
    expect(await failedRotation(secret)).toMatchObject(refusal(code))
    expect([await standing(secret), pendings(secret)]).toEqual([before, 0])
    expect(world.output()).not.toContain('hunter2')
  })
})

describe('a rotation that setSecret refuses', () => {
  test('for an admin secret that is not there leaves no AWSPENDING, so that a new one gets through when it is mended', async () => {
    const secret = await world.secret({ more: { masterarn: `admin-of-${randomUUID()}` } })
    const before = await standing(secret)
    expect(await failedRotation(secret)).toMatchObject(refusal('not-found/admin-secret'))
    expect([await standing(secret), pendings(secret)]).toEqual([before, 0])
    const { masterarn } = await world.read(secret)
    const { SecretString = '' } = await world.owner.getSecretValue({ SecretId: 'admin' })
    await world.owner.createSecret({ Name: String(masterarn), SecretString })
    expect(await world.rotate(secret)).not.toHaveProperty('error')
    expect(await world.login(await world.read(secret))).toBe('in')
  })

  test('for a host that cannot be reached keeps it, and Secrets Manager tries again', async () => {
    const secret = await world.secret({ mode: 'single', port: 9 })
    const before = await standing(secret)
    expect(await failedRotation(secret)).toMatchObject(refusal('unavailable/host'))
    expect([await standing(secret), pendings(secret)]).toEqual([before, 1])
  })
})

describe('a step out of order', () => {
  const step = async (name: StepEvent, secret: Owned, token: string) => errorOf(await world.step(name, secret, token))

  test.each(['set-secret', 'finish-secret'] as const)(
    '%s without createSecret is refused, and nothing is changed',
    async (name) => {
      const secret = await world.secret()
      const token = await world.registered(secret)
      const before = await standing(secret)
      expect(await step(name, secret, token)).toMatchObject(refusal('conflict/step-order'))
      expect(await standing(secret)).toEqual(before)
    }
  )

  test.each(['test-secret', 'finish-secret'] as const)(
    '%s without setSecret is refused, and nothing is promoted',
    async (name) => {
      const secret = await world.secret()
      const token = await world.registered(secret)
      await world.step('create-secret', secret, token)
      const before = await world.read(secret)
      expect(await step(name, secret, token)).toMatchObject(refusal('conflict/step-order'))
      expect(await world.read(secret)).toEqual(before)
    }
  )

  test('createSecret with a token that Secrets Manager did not register is refused', async () => {
    const secret = await world.secret()
    expect(await step('create-secret', secret, randomUUID())).toMatchObject(refusal('invalid/token'))
    expect(pendings(secret)).toBe(0)
  })

  test('a rotation that was switched off meanwhile is refused', async () => {
    const secret = await world.secret()
    const token = await world.registered(secret)
    await world.owner.cancelRotateSecret({ SecretId: secret.name })
    expect(await step('create-secret', secret, token)).toMatchObject(refusal('disabled/rotation'))
  })
})

describe('an event that is none', () => {
  test('an unknown step', async () => {
    const error = errorOf(await world.invoke(eventOf('create-secret', { Step: 'deleteSecret' })))
    expect(error).toMatchObject(refusal('invalid/step'))
  })

  test('a token that is too short', async () => {
    const error = errorOf(await world.invoke(eventOf('create-secret', { ClientRequestToken: 'short' })))
    expect(error).toMatchObject({ ...refusal('invalid/request'), errorMessage: expect.stringContaining('ClientRequestToken') })
  })

  test.each([null, 'rotate', 7, [], {}, { action: 'explode' }, { action: 'rotate' }, { action: 'sweep', secretId: 'db/app' }])(
    '%j',
    async (event) => {
      expect(errorOf(await world.invoke(event))).toMatchObject(refusal('invalid/request'))
    }
  )

  test('a field of no request, so that a typing error is no default', async () => {
    const error = errorOf(await world.invoke(eventOf('direct-rotate', { forse: true })))
    expect(error).toMatchObject({
      errorType: 'invalid/request',
      errorMessage: expect.stringContaining('forse is no field of a request')
    })
  })

  test('a secret that does not exist', async () => {
    const error = errorOf(await world.invoke(eventOf('direct-rotate', { secretId: 'db/nobody' })))
    expect(error).toMatchObject(refusal('not-found/secret'))
  })
})
