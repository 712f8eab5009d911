import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IdTokenClaims, Signer } from '../doubles/google-metadata.ts'
import { AUDIENCE, SCHEDULER } from './gcp-cloud.ts'
import { httpEventOf } from './gcp-events.ts'
import { builtGcpFunction, type Framework } from './gcp-framework.ts'
import { asking, type GcpWorld, schedulerToken, startGcpWorld } from './gcp-world.ts'
import type { BuiltFunction } from './lambda-runtime.ts'

let built: BuiltFunction
let world: GcpWorld
/** Whoever reaches it may send what he likes. */
let open: Framework
/** Cloud Run's IAM check in front of it. */
let behindIam: Framework
beforeAll(async () => {
  built = await builtGcpFunction()
  world = await startGcpWorld(built.folder)
  open = await world.start('onRequest')
  behindIam = await world.start('onRequest', { KEYTURN_IAM_IN_FRONT: 'true' })
})
afterAll(async () => {
  await world.close()
  built.remove()
})

type Header = readonly [name: string, value: string]
const SWEEP = httpEventOf('scheduler-sweep')
const bearer = (token: string): Header => ['authorization', `Bearer ${token}`]
const serverless = (token: string): Header => ['x-serverless-authorization', `Bearer ${token}`]
const token = (claims: IdTokenClaims = {}, signer?: Signer): string => world.metadata.idToken(claims, signer)
/** What Cloud Run makes of a token that it has checked (run/docs/troubleshooting#signature-removed). */
const withoutSignature = (signed: string): string => signed.replace(/[^.]*$/, 'SIGNATURE_REMOVED_BY_GOOGLE')

/** The status of a sweep with these headers; nothing was asked where it was refused. */
async function statusOf(headers: readonly Header[], of: Framework = open): Promise<number> {
  const calls = world.calls().length
  const request = asking(SWEEP, undefined)
  const { status, headers: answered } = await of.send({ ...request, headers: [...(request.headers ?? []), ...headers] })
  if (status === 200) return status
  expect(world.calls().slice(calls)).toEqual([])
  expect(answered['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined)
  return status
}

const now = (): number => Math.floor(Date.now() / 1000)

describe('a caller', () => {
  test('is let in by an ID token for the audience, with a verified address among the callers', async () => {
    expect(await statusOf([bearer(schedulerToken(world))])).toBe(200)
    expect(await statusOf([bearer(token({ email: 'person@example.com' }))])).toBe(200)
    expect(await world.output()).toContain(`"event":"called","by":"${SCHEDULER}"`)
  })

  test('who is somebody else is refused with 403', async () => {
    expect(await statusOf([bearer(token({ email: 'stranger@example.com' }))])).toBe(403)
    expect(await statusOf([bearer(token({ email: `x${SCHEDULER}` }))])).toBe(403)
  })

  const TOKENS: Readonly<Record<string, () => readonly Header[]>> = {
    'no token': () => [],
    'a token that is none': () => [bearer('hunter2')],
    'another scheme': () => [['authorization', `Basic ${token()}`]],
    'two tokens, of which nobody knows which was checked': () => [bearer(token()), bearer(token())],
    'a token of two headers in one': () => [['authorization', `Bearer ${token()}, Bearer ${token()}`]],
    'a token for another audience': () => [bearer(token({ aud: 'https://another.example.run.app' }))],
    'a token for the audience and a slash': () => [bearer(token({ aud: `${AUDIENCE}/` }))],
    'a token without an audience': () => [bearer(token({ aud: undefined }))],
    'a token that has expired': () => [bearer(token({ iat: now() - 7200, exp: now() - 3600 }))],
    'a token of tomorrow': () => [bearer(token({ iat: now() + 86_400, exp: now() + 90_000 }))],
    'a token that lives for a month': () => [bearer(token({ exp: now() + 30 * 86_400 }))],
    'a token of another issuer': () => [bearer(token({ iss: 'https://accounts.example.com' }))],
    'a token of the issuer that the library takes beside Google’s': () => [bearer(token({ iss: 'googleapis.com' }))],
    'a token without an address': () => [bearer(token({ email: undefined }))],
    'a token with an address that nobody verified': () => [bearer(token({ email_verified: false }))],
    'a token that does not say whether': () => [bearer(token({ email_verified: undefined }))],
    'a token that a stranger signed with the name of Google’s key': () => [bearer(token({}, 'stranger'))],
    'a token that says that it needs no signature': () => [bearer(token({}, 'nobody'))],
    'a token with the claims of another': () => {
      const [head, , signature] = token({ email: 'stranger@example.com' }).split('.')
      return [bearer([head, token().split('.')[1], signature].join('.'))]
    },
    'the headers of Cloud Scheduler alone': () => [['x-cloudscheduler', 'true']]
  }
  test.each(Object.entries(TOKENS))('with %s is refused with 401', async (_, headers) => {
    expect(await statusOf(headers())).toBe(401)
    expect(await statusOf(headers(), behindIam)).toBe(401)
  })

  test('is refused with 503, to come again, while Google’s certificates are out of reach', async () => {
    const process = await world.start('onRequest', { TEST_CERTIFICATES: 'http://127.0.0.1:9/certs' })
    expect(await statusOf([bearer(schedulerToken(world))], process)).toBe(503)
    expect(await process.output()).toContain('unavailable/host')
  })
})

describe('a token from which the signature was removed', () => {
  const removed = (claims: IdTokenClaims = {}): Header => bearer(withoutSignature(token(claims)))

  test('is taken behind Cloud Run’s IAM check, which does that to every token', async () => {
    expect(await statusOf([removed()], behindIam)).toBe(200)
    expect(await statusOf([removed({ email: 'stranger@example.com' })], behindIam)).toBe(403)
  })

  test('is refused everywhere else, where anybody can write it, and the log says what to set', async () => {
    expect(await statusOf([removed()])).toBe(401)
    expect(await open.output()).toContain('set KEYTURN_IAM_IN_FRONT')
  })

  const CLAIMS: Readonly<Record<string, () => IdTokenClaims>> = {
    'another audience': () => ({ aud: 'https://another.example.run.app' }),
    'another issuer': () => ({ iss: 'https://accounts.example.com' }),
    'an address that nobody verified': () => ({ email_verified: false }),
    'an end that is past': () => ({ iat: now() - 7200, exp: now() - 3600 }),
    'a beginning that is to come': () => ({ iat: now() + 3600, exp: now() + 7200 })
  }
  test.each(Object.entries(CLAIMS))('is refused with %s all the same', async (_, claims) => {
    expect(await statusOf([removed(claims())], behindIam)).toBe(401)
  })

  test('is refused where another one was checked in its place: an invoker could write it', async () => {
    const invoker = serverless(withoutSignature(token({ email: 'stranger@example.com' })))
    expect(await statusOf([removed(), invoker], behindIam)).toBe(403)
    expect(await statusOf([removed(), ['x-serverless-authorization', 'hunter2']], behindIam)).toBe(401)
    expect(await statusOf([removed(), serverless(token())], behindIam)).toBe(401)
  })

  test('is taken from X-Serverless-Authorization, too', async () => {
    const checked = serverless(withoutSignature(token()))
    expect([await statusOf([checked], behindIam), await statusOf([checked])]).toEqual([200, 401])
  })

  test('need not be taken where a second one has its signature, whoever was checked', async () => {
    const invoker = serverless(withoutSignature(token({ email: 'invoker@example.com' })))
    expect(await statusOf([bearer(token()), invoker], behindIam)).toBe(200)
    expect(await statusOf([bearer(token({}, 'stranger')), invoker], behindIam)).toBe(401)
  })
})

test('no part of a token is in anything that was written', async () => {
  const output = await world.output()
  expect(output).toContain('called')
  expect(output).not.toContain(token().split('.')[0])
})
