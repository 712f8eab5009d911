import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { objectsSuite } from '../conformance/objects.ts'
import { all, bytesOf, CALLS, codeOf, signal } from '../conformance/objects-harness.ts'
import { type GoogleStorage, startGoogleStorage } from '../doubles/google-storage.ts'
import { type HttpProxy, type ProxyFault, startHttpProxy } from '../doubles/http-proxy.ts'
import { gcsRefusalOf, startGoogleObjects, storageAt } from './gcp-storage-harness.ts'

objectsSuite('Google Cloud Storage, by a double', startGoogleObjects)

describe('what Cloud Storage answers', () => {
  let google: GoogleStorage
  let proxy: HttpProxy
  beforeAll(async () => {
    google = await startGoogleStorage('logs')
    proxy = await startHttpProxy(google.url)
  })
  afterAll(async () => {
    await proxy.close()
    await google.close()
  })
  const put = () => storageAt(proxy.url).put('state', bytesOf('x'), '1', signal())

  test.each([
    ['of another state', 412, 'conditionNotMet', 'conflict/object-changed'],
    ['of a policy', 412, 'orgPolicyConstraintFailed', 'denied/archive'],
    ['of a retention', 403, 'retentionPolicyNotMet', 'denied/archive'],
    ['of a key that is disabled', 400, 'cloudKmsDisabledKey', 'denied/archive'],
    ['of a token', 401, 'authError', 'denied/archive'],
    ['of a right that is missing', 403, 'somethingNew', 'denied/archive'],
    ['of a rate', 403, 'rateLimitExceeded', 'throttled/archive'],
    ['of an object that is written too often', 429, 'rateLimitExceeded', 'throttled/archive'],
    ['of a bucket that is not there', 404, 'notFound', 'not-found/archive'],
    ['of a name that cannot be', 400, 'invalid', 'invalid/object'],
    ['of its own trouble', 503, 'backendError', 'unavailable/archive'],
    ['to go elsewhere', 302, 'temporaryRedirect', 'unavailable/archive']
  ])('to a write, %s (%i %s), is %s', async (_, status, reason, expected) => {
    proxy.setFault(() => gcsRefusalOf(status, reason))
    expect(await codeOf(put())).toBe(expected)
  })

  test('of a denial names the permission', async () => {
    proxy.setFault(() => gcsRefusalOf(403, 'forbidden'))
    const objects = storageAt(proxy.url)
    await expect(put()).rejects.toThrow('storage.objects.create')
    await expect(objects.get('state', 10, signal())).rejects.toThrow('storage.objects.get')
    await expect(all(objects.list('', signal()))).rejects.toThrow('storage.objects.list')
  })

  test('a download is asked for where it is given, and for what it is: compressed', async () => {
    google.write('log.gz', gzipSync('text'), 'gzip')
    const [before, fault]: [number, ProxyFault | undefined] = [proxy.calls.length, undefined]
    proxy.setFault(() => fault)
    await storageAt(proxy.url).get('log.gz', 100, signal())
    expect(proxy.calls.slice(before)).toMatchObject([
      { path: '/download/storage/v1/b/logs/o/log.gz?alt=media', headers: { 'accept-encoding': 'gzip' } }
    ])
  })

  test('a name is one part of the address, and `.` and `..` are none', async () => {
    const objects = storageAt(google.url)
    await objects.put('a/../b?c', bytesOf('x'), undefined, signal())
    expect((await objects.describe('a/../b?c', signal()))?.bytes).toBe(1)
    for (const name of ['', '.', '..']) {
      expect(await codeOf(objects.describe(name, signal()))).toBe('invalid/object')
      expect(await codeOf(objects.put(name, bytesOf('x'), undefined, signal()))).toBe('invalid/object')
    }
  })

  test('who has no token is denied', async () => {
    const authorize = async () => {
      throw new Error('Could not load the default credentials')
    }
    const objects = storageAt(google.url, { authorize })
    for (const [call, work] of CALLS) expect([call, await codeOf(work(objects, 'any'))]).toEqual([call, 'denied/archive'])
    const wrong = storageAt(google.url, { authorize: async () => new Headers() })
    for (const [call, work] of CALLS) expect([call, await codeOf(work(wrong, 'any'))]).toEqual([call, 'denied/archive'])
  })
})

describe('the double of Cloud Storage', () => {
  let google: GoogleStorage
  beforeAll(async () => {
    google = await startGoogleStorage('logs')
    google.write('log.gz', gzipSync('text'), 'gzip')
  })
  afterAll(() => google.close())
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${google.url}${path}`, { headers: { authorization: 'Bearer token', ...headers }, redirect: 'manual' })

  test('decompresses for who does not take gzip, whatever the range', async () => {
    const path = '/download/storage/v1/b/logs/o/log.gz?alt=media'
    const answer = await ask(path, { 'accept-encoding': 'identity', range: 'bytes=2-' })
    expect([answer.status, answer.headers.get('content-encoding'), await answer.text()]).toEqual([200, null, 'text'])
  })

  test('sends who asks for a medium elsewhere to where it is', async () => {
    const answer = await ask('/storage/v1/b/logs/o/log.gz?alt=media')
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/download/storage/v1/b/logs/o/log.gz?alt=media'])
  })
})
