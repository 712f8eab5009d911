import { GoogleAuth } from 'google-auth-library'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { KeyturnError } from '../../shared/errors.ts'
import type { GcpSecretManager } from '../../shared/stores/gcp-secret-manager.ts'
import { instant } from '../../shared/types.ts'
import { attemptFrom, expectSilence, planted, signal } from '../conformance/store-harness.ts'
import { startGoogleMetadata } from '../doubles/google-metadata.ts'
import type { GoogleStatus } from '../doubles/google-secrets.ts'
import { codeOf, type GcpPlace, gcpPlace, RIGHTS } from './gcp-harness.ts'

let place: GcpPlace
let id: string
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1 })
  id = await place.fresh('first')
})
afterEach(() => place.setFault(undefined))
afterAll(() => place.close())

const look = (store: GcpSecretManager = place.store()) => store.describe(id, signal())
const thrown = (work: Promise<unknown>): Promise<KeyturnError> =>
  work.then(
    () => {
      throw new Error('it was not refused')
    },
    (e: KeyturnError) => e
  )

describe('an answer of the service', () => {
  const CODES: readonly (readonly [GoogleStatus, string])[] = [
    ['INVALID_ARGUMENT', 'invalid/request'],
    ['FAILED_PRECONDITION', 'unsupported/store'],
    ['UNAUTHENTICATED', 'denied/store'],
    ['PERMISSION_DENIED', 'denied/store'],
    ['ALREADY_EXISTS', 'conflict/metadata-changed'],
    ['ABORTED', 'unavailable/store'],
    ['RESOURCE_EXHAUSTED', 'throttled/store'],
    ['INTERNAL', 'unavailable/store'],
    ['UNAVAILABLE', 'unavailable/store'],
    ['DEADLINE_EXCEEDED', 'unavailable/store']
  ]
  test.each(CODES)('%s is %s, and what it says besides is not passed on', async (error, code) => {
    place.setFault(() => ({ error, message: 'planted-7f3a9c' }))
    const e = await thrown(look())
    expect([e.code, e.vendor]).toEqual([code, error])
    expectSilence([e])
  })

  test.each([
    ['UpdateSecret', 'conflict/metadata-changed'],
    ['AddSecretVersion', 'denied/key']
  ])('FAILED_PRECONDITION means to %s what it can mean there: %s', async (op, code) => {
    const store = place.store()
    place.setFault((call) => (call.op === op ? { error: 'FAILED_PRECONDITION' } : undefined))
    const work =
      op === 'UpdateSecret' ? store.annotate(id, { owner: 'a' }, (await look(store))?.revision, signal()) : stage(store)
    expect(await codeOf(work)).toBe(code)
  })

  test('from before the service is none: a proxy’s 404 is not “there is no such secret”', async () => {
    for (const [page, code] of [
      [404, 'unavailable/store'],
      [502, 'unavailable/store'],
      [400, 'unavailable/store'],
      [403, 'denied/store'],
      [401, 'denied/store'],
      [429, 'throttled/store']
    ] as const) {
      place.setFault(() => ({ page }))
      expect([page, await codeOf(look())]).toEqual([page, code])
    }
    place.setFault(() => ({ page: 200 }))
    expect(await codeOf(look())).toBe('unavailable/store')
  })

  test('that the API is switched off is said as such', async () => {
    place.setFault(() => ({ error: 'PERMISSION_DENIED', message: 'x', reason: 'SERVICE_DISABLED' }))
    expect(await thrown(look())).toMatchObject({ code: 'denied/store', message: expect.stringContaining('API is not enabled') })
  })
})

const stage = (store: GcpSecretManager) => store.stage(id, attemptFrom('1'), planted('second'), signal())

describe('a right that is missing', () => {
  const WORK: Readonly<Record<string, (store: GcpSecretManager) => Promise<unknown>>> = {
    'secretmanager.secrets.get': look,
    'secretmanager.secrets.list': (store) => store.list(signal())[Symbol.asyncIterator]().next(),
    'secretmanager.secrets.update': (store) => store.annotate(id, { owner: 'a' }, undefined, signal()),
    'secretmanager.versions.get': look,
    'secretmanager.versions.access': (store) => store.read(id, '1', signal()),
    'secretmanager.versions.add': stage
  }
  test.each(Object.keys(WORK))('is named: %s', async (right) => {
    place.double.allow('keyturn@example.com', { '*': RIGHTS.filter((r) => r !== right) })
    try {
      const e = await thrown(WORK[right]?.(place.store()) ?? Promise.resolve())
      expect(e).toMatchObject({ code: 'denied/store', message: expect.stringContaining(right) })
    } finally {
      place.double.allow('keyturn@example.com', { '*': RIGHTS })
    }
  })

  test('is none of those that the manual does not name: a rotation, a retirement’s record and a sweep go by', async () => {
    const name = await place.fresh('first')
    const rights = (...which: string[]) => which.map((r) => `secretmanager.${r}`)
    place.double.allow('keyturn@example.com', {
      '*': rights('secrets.list', 'secrets.create'),
      [name]: rights('secrets.get', 'secrets.update', 'versions.get', 'versions.access', 'versions.add'),
      [`${name}-pending`]: rights('versions.get', 'versions.access', 'versions.add', 'versions.destroy')
    })
    try {
      const store = place.store()
      for (const base of ['1', '2']) {
        const attempt = attemptFrom(base)
        expect(await store.describe(name, signal())).toMatchObject({ current: base })
        await store.claim(name, attempt, [], signal())
        await store.stage(name, attempt, planted(`after ${base}`), signal())
        await store.promote(name, attempt, signal())
        expect(await store.drop(name, attempt.token, signal())).toBe('nothing pending')
        place.advance(16 * 60_000)
        const retired = { version: base, at: instant(0), refusal: '28P01' }
        await place.store().annotate(name, { retired }, undefined, signal())
      }
      const dropped = attemptFrom('3')
      await store.describe(name, signal())
      await store.stage(name, dropped, planted('dropped'), signal())
      await store.drop(name, dropped.token, signal())
    } finally {
      place.double.allow('keyturn@example.com', { '*': RIGHTS })
    }
  })

  test('is not told from a secret that is not there, by the service itself', async () => {
    place.double.allow('keyturn@example.com', {})
    try {
      expect(await thrown(place.store().describe('never-made', signal()))).toMatchObject({
        code: 'denied/store',
        message: expect.stringContaining('or there is no such secret')
      })
    } finally {
      place.double.allow('keyturn@example.com', { '*': RIGHTS })
    }
  })
})

describe('the network', () => {
  test('where nobody listens is unavailable', async () => {
    expect(await codeOf(look(place.store({ endpoint: 'http://127.0.0.1:9' })))).toBe('unavailable/store')
  })

  test('that is silent is given up after the time of a request, and at once when the run’s time is over', async () => {
    let release = (): void => {}
    place.setFault(() => new Promise<undefined>((resolve) => (release = () => resolve(undefined))))
    expect(await codeOf(look(place.store({ requestTimeoutMs: 50 })))).toBe('unavailable/store')
    release()
    expect(await codeOf(place.store().describe(id, AbortSignal.timeout(50)))).toBe('unavailable/store')
    release()
  })

  test('is asked again for reads, and never for a write that may have been done', async () => {
    const store = place.store({ maxAttempts: 3 })
    await look(store)
    place.setFault(() => 'before')
    expect(await place.calls(() => look(store).catch(() => {}))).toEqual(['GetSecret', 'GetSecret', 'GetSecret'])
    place.setFault(({ op }) => (op === 'UpdateSecret' ? 'lost' : undefined))
    expect(await place.calls(() => store.annotate(id, { owner: 'a' }, undefined, signal()).catch(() => {}))).toEqual([
      'GetSecret',
      'UpdateSecret'
    ])
    place.setFault(({ op }) => (op === 'UpdateSecret' ? { error: 'RESOURCE_EXHAUSTED' } : undefined))
    expect(await place.calls(() => store.annotate(id, { owner: 'a' }, undefined, signal()).catch(() => {}))).toEqual([
      'GetSecret',
      'UpdateSecret',
      'UpdateSecret',
      'UpdateSecret'
    ])
  })

  test('that is asked for more than its quota is asked until the second is over, and the next one', async () => {
    const store = place.store({ maxAttempts: 4 })
    await look(store)
    let since: number | undefined
    place.setFault(({ op }) => {
      if (op !== 'UpdateSecret') return undefined
      since ??= performance.now()
      return performance.now() - since < 2_000 ? { error: 'RESOURCE_EXHAUSTED' } : undefined
    })
    await store.annotate(id, { owner: 'b' }, undefined, signal())
  })

  test('that is asked for more than its quota is not waited for longer than the run may take, and that is what is said', async () => {
    place.setFault(() => ({ error: 'RESOURCE_EXHAUSTED' }))
    expect(await codeOf(place.store({ maxAttempts: 4 }).describe(id, AbortSignal.timeout(150)))).toBe('throttled/store')
  })

  test('does not carry the token to another address', async () => {
    place.setFault(() => ({ page: 307 }))
    expect(await codeOf(look())).toBe('unavailable/store')
  })
})

describe('the access token', () => {
  test('comes from the metadata server by the vendor’s library, once for many requests', async () => {
    const email = 'keyturn@example.com'
    const metadata = await startGoogleMetadata({ email, issued: (token, of, until) => place.double.accept(token, of, until) })
    const before = process.env.GCE_METADATA_HOST
    process.env.GCE_METADATA_HOST = metadata.host
    try {
      const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' })
      const store = place.store({ authorize: () => auth.getRequestHeaders() })
      expect(await look(store)).toMatchObject({ current: '1' })
      await look(store)
      expect(metadata.calls.filter((c) => c.path.includes('/token'))).toHaveLength(1)
    } finally {
      if (before === undefined) delete process.env.GCE_METADATA_HOST
      else process.env.GCE_METADATA_HOST = before
      await metadata.close()
    }
  })

  test('that Google does not accept is denied', async () => {
    const store = place.store({ authorize: async () => new Headers({ authorization: 'Bearer planted-7f3a9c' }) })
    const e = await thrown(look(store))
    expect(e).toMatchObject({ code: 'denied/store', message: expect.stringContaining('access token') })
    expectSilence([e])
  })

  const request = { headers: { authorization: 'Bearer planted-7f3a9c' } }
  test.each([
    ['refused', { status: 403, config: request }, 'denied/store'],
    ['refused, with the status in the response', { response: { status: 404, config: request } }, 'denied/store'],
    ['throttled', { status: 429, config: request }, 'unavailable/store'],
    ['the server’s failure', { code: '500', config: request }, 'unavailable/store'],
    ['a broken connection', { code: 'ECONNREFUSED', config: request }, 'unavailable/store'],
    ['not to be had at all', { message: 'Could not load the default credentials. planted-7f3a9c' }, 'denied/store']
  ])('that is %s is told apart, and the library’s error, which holds the request, is not passed on', async (_, fields, code) => {
    const authorize = async () => {
      throw Object.assign(new Error('planted-7f3a9c'), fields)
    }
    const e = await thrown(look(place.store({ authorize })))
    expect(e.code).toBe(code)
    expectSilence([e])
  })

  test('is not waited for longer than for a request', async () => {
    const authorize = () => new Promise<Headers>(() => {})
    expect(await codeOf(look(place.store({ authorize, requestTimeoutMs: 50 })))).toBe('unavailable/store')
  })
})
