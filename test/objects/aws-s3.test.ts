import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { objectsSuite } from '../conformance/objects.ts'
import { all, bytesOf, CALLS, codeOf, namesOf, PAGE, signal, textFrom } from '../conformance/objects-harness.ts'
import { type HttpProxy, type ProxyFault, startHttpProxy } from '../doubles/http-proxy.ts'
import { findMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'
import { bucketAt, type MotoObjects, s3Refusal, startMotoObjects } from './aws-s3-harness.ts'

const moto = findMoto()
if (moto === undefined) leaveOut('objects in Amazon S3', 'moto_server is not installed')
else {
  objectsSuite('Amazon S3, by moto', () => startMotoObjects(moto))
  describe('a bucket of S3, by moto', () => motoTests(moto))
}

describe('what S3 answers', () => {
  let server: HttpProxy
  beforeAll(async () => {
    server = await startHttpProxy('http://127.0.0.1:1')
  })
  afterAll(() => server.close())
  const put = (expected: string | undefined) => bucketAt(server.url).put('state', bytesOf('x'), expected, signal())
  const answers = (...faults: readonly ProxyFault[]): void => {
    const left = [...faults]
    server.setFault(() => (left.length > 1 ? left.shift() : left[0]))
  }
  const done: ProxyFault = { status: 200, headers: { etag: '"2"' } }

  test.each([
    ['of a write that came first', 409, 'ConditionalRequestConflict', 'conflict/object-changed'],
    ['of another state', 412, 'PreconditionFailed', 'conflict/object-changed'],
    ['of an object that was deleted', 404, 'NoSuchKey', 'conflict/object-changed'],
    ['of a bucket that is not there', 404, 'NoSuchBucket', 'not-found/archive'],
    ['of a bucket in another region', 301, 'PermanentRedirect', 'not-found/archive'],
    ['of a name that is too long', 400, 'KeyTooLongError', 'invalid/object'],
    ['of a key that is disabled', 400, 'KMS.DisabledException', 'denied/archive'],
    ['of credentials that ran out', 400, 'ExpiredToken', 'denied/archive'],
    ['of a right that is missing', 403, 'SomethingNew', 'denied/archive'],
    ['of its own trouble', 500, 'InternalError', 'unavailable/archive'],
    ['as a server that has no such writes', 501, 'NotImplemented', 'unsupported/store'],
    ['of a request that is ours to mend', 400, 'SomethingNew', 'bug/internal']
  ])('to a write, %s (%i %s), is %s', async (_, status, code, expected) => {
    answers(s3Refusal(status, code))
    expect(await codeOf(put('"1"'))).toBe(expected)
  })

  test('of a bucket in another region names the region', async () => {
    answers(s3Refusal(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'eu-west-1' }))
    await expect(put(undefined)).rejects.toThrow('the bucket lies in eu-west-1')
    answers(s3Refusal(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'somewhere else' }))
    await expect(put(undefined)).rejects.toThrow('s3://logs/state: PermanentRedirect')
  })

  test('of a denial names the permission', async () => {
    answers(s3Refusal(403, 'AccessDenied'))
    await expect(put(undefined)).rejects.toThrow('s3:PutObject')
    await expect(bucketAt(server.url).get('state', 10, signal())).rejects.toThrow('s3:GetObject')
    await expect(all(bucketAt(server.url).list('', signal()))).rejects.toThrow('s3:ListBucket')
  })

  test.each(['SlowDown', 'RequestTimeTooSkewed'])('a write that S3 did not take (%s) is sent again', async (code) => {
    const before = server.calls.length
    answers(s3Refusal(503, code), done)
    expect(await put('"1"')).toBe('"2"')
    const sent = server.calls.slice(before)
    expect(sent.map(({ headers }) => headers['if-match'])).toEqual(['"1"', '"1"'])
  })

  test('a write says what it expects, and never writes over what it does not know', async () => {
    const before = server.calls.length
    answers(done)
    await put(undefined)
    await put('"1"')
    const said = server.calls.slice(before).map(({ headers }) => [headers['if-none-match'], headers['if-match']])
    expect(said).toEqual([
      ['*', undefined],
      [undefined, '"1"']
    ])
  })
})

test('who has no credentials is denied', async () => {
  const noCredentials = async () => {
    throw Object.assign(new Error('none'), { name: 'CredentialsProviderError' })
  }
  const bucket = bucketAt('http://127.0.0.1:1', { credentials: noCredentials })
  for (const [call, work] of CALLS) expect([call, await codeOf(work(bucket, 'any'))]).toEqual([call, 'denied/archive'])
})

test('where nobody listens, nothing is there to be told', async () => {
  const bucket = bucketAt('http://127.0.0.1:1', { maxAttempts: 1 })
  for (const [call, work] of CALLS) expect([call, await codeOf(work(bucket, 'any'))]).toEqual([call, 'unavailable/archive'])
})

function motoTests(file: string): void {
  let harness: MotoObjects
  beforeAll(async () => {
    harness = await startMotoObjects(file)
  })
  afterAll(() => harness.close())

  test('an object that was moved to an archive class is not readable, and the error says so', async () => {
    await harness.writeAs('old.gz', 'GLACIER')
    const bucket = harness.open()
    expect(await codeOf(all(bucket.read('old.gz', 0, signal())))).toBe('invalid/object')
    await expect(bucket.get('old.gz', 10, signal())).rejects.toThrow('restore it first')
    expect((await bucket.describe('old.gz', signal()))?.bytes).toBe(1)
  })

  test('names that go up, or have parts without a letter, are names like others', async () => {
    const bucket = harness.open()
    for (const name of ['../up', 'a/../b', './here', 'a//b']) {
      await bucket.put(name, bytesOf(name), undefined, signal())
      expect(await textFrom(bucket, name, 0)).toBe(name)
    }
  })

  test('names that XML cannot hold are listed too', async () => {
    const names = ['odd/\u0001', 'odd/a b+c%20', 'odd/\uFFFE']
    for (const name of names) await harness.write(name, bytesOf('x'))
    expect(await namesOf(harness.open(), 'odd/')).toEqual(names)
    // moto prints them bare, and the SDK takes it; S3 is asked for a form that every parser takes.
    expect(harness.network.proxy.calls.at(-1)?.path).toContain('encoding-type=url')
  })

  test('a list asks for a page when the one before was read, and not earlier', async () => {
    for (let n = 0; n < 3 * PAGE; n++) await harness.write(`page/${n}`, bytesOf('x'))
    const before = harness.network.proxy.calls.length
    let seen = 0
    for await (const _ of harness.open().list('page/', signal())) if (++seen === PAGE + 1) break
    expect(harness.network.proxy.calls.length - before).toBe(2)
  })
}
