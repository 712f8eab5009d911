import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, type Bench, bench, expectSilence, planted, refusal, signal } from '../conformance/store-harness.ts'
import { type GcpHarness, resource, startGcp } from './gcp-harness.ts'

let gcp: GcpHarness
let b: Bench
beforeAll(async () => {
  gcp = await startGcp(0, { maxAttempts: 1 })
  b = bench(gcp)
})
afterEach(() => expectSilence(b.heard.splice(0)))
afterAll(() => gcp.close())

const version = (id: string, number: number) => ({ name: `${resource(id)}/versions/${number}` })
const disable = (id: string, number: number) => gcp.place.owner.disableSecretVersion(version(id, number))
const destroy = (id: string, number: number) => gcp.place.owner.destroySecretVersion(version(id, number))
const look = (id: string) => b.store.describe(id, signal())
const read = (id: string, which: string) => b.store.read(id, which, signal())

async function promoted(id: string, base: string): Promise<void> {
  const attempt = attemptFrom(base)
  await b.store.stage(id, attempt, planted(`after ${base}`), signal())
  await b.store.promote(id, attempt, signal())
  await b.store.drop(id, attempt.token, signal())
}

describe('a current version that readers are refused', () => {
  test.each([
    ['disabled', disable],
    ['destroyed', destroy]
  ] as const)('because it is %s is said with its number', async (state, change) => {
    const id = await gcp.place.fresh('first')
    await promoted(id, '1')
    await gcp.place.add(id, 'a person')
    await change(id, 3)
    const said = {
      code: 'disabled/secret',
      message: expect.stringContaining(`version 3 of projects/123456789012/secrets/${id} is ${state}`)
    }
    await expect(look(id)).rejects.toMatchObject(said)
    await expect(gcp.place.latest(id)).rejects.toMatchObject({ code: 9 })
  })

  test.each([
    ['disabled', disable],
    ['destroyed', destroy]
  ] as const)('because keyturn’s own was %s is said when it is read', async (state, change) => {
    const id = await gcp.place.fresh('first')
    await promoted(id, '1')
    await change(id, 2)
    expect(await look(id)).toMatchObject({ current: '2' })
    await expect(read(id, '2')).rejects.toMatchObject({ code: 'disabled/secret', message: expect.stringContaining(`version 2`) })
    await expect(read(id, '2')).rejects.toMatchObject({ message: expect.stringContaining(state) })
  })

  test('because of its key is denied, and is no matter of its state', async () => {
    const id = await gcp.place.fresh('first')
    await promoted(id, '1')
    gcp.place.double.set(id, { kmsUnavailable: true })
    await look(id)
    await refusal(read(id, '2'), 'denied/key')
    await gcp.place.add(`${id}-pending`, 'x')
    gcp.place.double.set(`${id}-pending`, { kmsUnavailable: true })
    await refusal(b.store.stage(id, attemptFrom('2'), planted('third'), signal()), 'denied/key')
  })
})

describe('a version that is not current', () => {
  test('and was disabled or destroyed long ago holds nobody up: it has no value', async () => {
    const id = await gcp.place.fresh('first')
    for (const text of ['second', 'third', 'fourth']) await gcp.place.add(id, text)
    await disable(id, 2)
    await destroy(id, 3)
    expect(await look(id)).toMatchObject({ current: '4', previous: '3' })
    expect([await read(id, '2'), await read(id, '3')]).toEqual([undefined, undefined])
  })

  test('but is the one that readers may still hold is said when it is disabled: it has to be retired first', async () => {
    const id = await gcp.place.fresh('first')
    await promoted(id, '1')
    await disable(id, 1)
    expect(await look(id)).toMatchObject({ current: '2', previous: '1' })
    await refusal(read(id, '1'), 'disabled/secret')
    await destroy(id, 1)
    expect(await read(id, '1')).toBeUndefined()
  })
})

test('a secret without a version has no current, and can get one', async () => {
  const id = `empty-${Math.random().toString(36).slice(2, 10)}`
  await gcp.place.create(id, undefined, { 'keyturn-kind': 'postgres' })
  expect(await look(id)).toMatchObject({ current: undefined, previous: undefined, pendings: [] })
  await gcp.place.add(id, 'first')
  expect(await look(id)).toMatchObject({ current: '1' })
})

test('a value that is not text is unsupported', async () => {
  const id = await gcp.place.fresh('first')
  await gcp.place.owner.addSecretVersion({ parent: resource(id), payload: { data: Buffer.from([0xff, 0xfe, 0x00]) } })
  await refusal(read(id, '2'), 'unsupported/binary')
  const [store, attempt] = [gcp.place.store(), attemptFrom('2')]
  await store.stage(id, attempt, planted('third'), signal())
  await store.promote(id, attempt, signal())
  await gcp.place.owner.addSecretVersion({ parent: resource(id), payload: { data: Buffer.from([0xff, 0xfe, 0x00]) } })
  await refusal(look(id), 'unsupported/binary')
})

test('a byte order mark is a part of the text, and stays', async () => {
  const id = await gcp.place.fresh('\uFEFF{"a": 1}')
  await look(id)
  expect((await read(id, '1'))?.text.reveal()).toBe('\uFEFF{"a": 1}')
})

test('an annotation that names a version which never was is said, and how to mend it', async () => {
  const id = await gcp.place.fresh('first', { 'keyturn-current': '17' })
  expect(await look(id)).toMatchObject({ current: '17' })
  await expect(read(id, '17')).rejects.toMatchObject({
    code: 'not-found/version',
    message: expect.stringContaining('keyturn-current')
  })
})

test('a secret that Google rotates by itself is somebody else’s, and only as long as it does', async () => {
  const id = await gcp.place.fresh('first')
  gcp.place.double.set(id, { managedRotation: 'ACTIVE' })
  expect(await look(id)).toMatchObject({ managedBy: 'Google managed rotation' })
  gcp.place.double.set(id, { managedRotation: 'INACTIVE' })
  expect(await look(id)).toMatchObject({ managedBy: undefined })
})

test('a secret whose versions are destroyed with a delay, that expires, and that has its own rotation is as any other', async () => {
  const id = `busy-${Math.random().toString(36).slice(2, 10)}`
  const soon = { seconds: Math.floor(Date.now() / 1000) + 86_400 }
  await gcp.place.owner.createSecret({
    parent: 'projects/keyturn-test',
    secretId: id,
    secret: {
      replication: { automatic: {} },
      annotations: { 'keyturn-kind': 'postgres' },
      versionDestroyTtl: { seconds: 86_400 },
      expireTime: soon,
      topics: [{ name: 'projects/keyturn-test/topics/t' }],
      rotation: { nextRotationTime: soon, rotationPeriod: { seconds: 86_400 } }
    }
  })
  await gcp.place.add(id, 'first')
  await promoted(id, '1')
  await promoted(id, '2')
  expect(await look(id)).toMatchObject({ current: '3', previous: '2', pendings: [] })
  expect(gcp.place.double.secret(id)).toMatchObject({ rotation: { rotationPeriod: '86400s' }, versionDestroyTtl: '86400s' })
})

test('what current is of an admin secret takes one call, and no look before', async () => {
  const id = await gcp.place.fresh('first')
  await gcp.place.add(id, 'second')
  const calls = await gcp.place.calls(async () => {
    expect(await gcp.store.readCurrent(id, signal())).toMatchObject({ id: `projects/123456789012/secrets/${id}`, version: '2' })
  })
  expect(calls).toEqual(['AccessSecretVersion'])
  expect((await gcp.store.readCurrent(id, signal())).text.reveal()).toBe('second')
  await refusal(gcp.store.readCurrent('never-made', signal()), 'not-found/secret')
  await disable(id, 2)
  await refusal(gcp.store.readCurrent(id, signal()), 'disabled/secret')
})

test('a payload that is not what was kept is asked for again, and never given', async () => {
  const id = await gcp.place.fresh('planted-7f3a9c whole')
  let spoiled = 0
  const proxy = createServer(async (request, response) => {
    const url = `${gcp.place.double.url}${request.url}`
    const headers = { authorization: String(request.headers.authorization) }
    const answer = await fetch(url, { method: request.method ?? 'GET', headers })
    const text = await answer.text()
    const isSpoiled = request.url?.endsWith(':access') && spoiled-- > 0
    const data = Buffer.from('planted-7f3a9c whale').toString('base64')
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(isSpoiled ? text.replace(/"data": "[^"]+"/, `"data": "${data}"`) : text)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  try {
    const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    const store = gcp.place.store({ endpoint })
    spoiled = 1
    expect((await store.read(id, '1', signal()))?.text.reveal()).toBe('planted-7f3a9c whole')
    spoiled = Number.POSITIVE_INFINITY
    const said = await store.read(id, '1', signal()).catch((e: unknown) => e)
    expect(said).toMatchObject({ code: 'unavailable/store', message: expect.stringContaining('checksum') })
    expectSilence([said])
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
})
