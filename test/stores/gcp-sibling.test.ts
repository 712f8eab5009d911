import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, planted, refusal, signal } from '../conformance/store-harness.ts'
import { type GcpPlace, gcpPlace, NUMBER, RIGHTS, resource } from './gcp-harness.ts'

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1 })
})
afterEach(() => place.setFault(undefined))
afterAll(() => place.close())

const fresh = (more: Readonly<Record<string, string>> = {}): Promise<string> => place.fresh('first', more)

describe('the sibling', () => {
  const sibling = (id: string) => place.double.secret(`${id}-pending`)

  test('is kept where the secret is kept, says whose it is, and has nothing of the secret’s beside', async () => {
    const id = `s-${randomUUID().slice(0, 8)}`
    const key = (location: string) => ({ kmsKeyName: `projects/p/locations/${location}/keyRings/r/cryptoKeys/k` })
    const replicas = ['europe-west1', 'europe-west4'].map((location) => ({ location, customerManagedEncryption: key(location) }))
    const secret = {
      replication: { userManaged: { replicas } },
      annotations: { 'keyturn-kind': 'postgres' },
      labels: { team: 'shop' },
      topics: [{ name: 'projects/keyturn-test/topics/t' }]
    }
    await place.owner.createSecret({ parent: 'projects/keyturn-test', secretId: id, secret })
    await place.add(id, 'first')
    await place.store().stage(id, attemptFrom('1'), planted('second'), signal())
    expect(sibling(id)).toEqual({
      name: `${NUMBER}/secrets/${id}-pending`,
      createTime: expect.any(String),
      etag: expect.any(String),
      labels: { keyturn: 'pending' },
      replication: { userManaged: { replicas } }
    })
  })

  test('may be made beforehand, and then keyturn need not be allowed to make secrets', async () => {
    const [id, without] = [await fresh(), await fresh()]
    await place.create(`${id}-pending`, undefined, {})
    place.double.allow('keyturn@example.com', { '*': RIGHTS.filter((r) => r !== 'secretmanager.secrets.create') })
    try {
      await place.store().stage(id, attemptFrom('1'), planted('second'), signal())
      const refused = place.store().stage(without, attemptFrom('1'), planted('second'), signal())
      await expect(refused).rejects.toMatchObject({ code: 'denied/store', message: expect.stringContaining('secrets.create') })
    } finally {
      place.double.allow('keyturn@example.com', { '*': RIGHTS })
    }
    expect(await place.pendingOf(without)).toBeUndefined()
  })

  test('that was deleted and made again counts from one again', async () => {
    const id = await fresh()
    const store = place.store()
    for (const n of [1, 2]) {
      const attempt = attemptFrom(String(n))
      await store.stage(id, attempt, planted(`value ${n}`), signal())
      await store.promote(id, attempt, signal())
      await store.drop(id, attempt.token, signal())
    }
    await place.owner.deleteSecret({ name: resource(`${id}-pending`) })
    const third = attemptFrom('3')
    expect(await store.stage(id, third, planted('third'), signal())).toMatchObject({ version: 'pending-1' })
    expect(await place.pendingOf(id)).toEqual({ token: third.token, value: 'third' })
  })

  test('keeps no value of an attempt that is over: destroyed after a promotion, and later after a drop', async () => {
    const id = await fresh()
    const store = place.store()
    const [first, second] = [attemptFrom('1'), attemptFrom('1')]
    await store.stage(id, first, planted('dropped'), signal())
    await store.drop(id, first.token, signal())
    await store.stage(id, second, planted('promoted'), signal())
    await store.promote(id, second, signal())
    await store.drop(id, second.token, signal())
    const values = () => place.double.versions(`${id}-pending`).flatMap((v) => (v.value?.includes('planted') ? [v.value] : []))
    expect(values()).toEqual([expect.stringContaining('dropped')])
    place.advance(20 * 60_000)
    await place.store().annotate(id, { owner: 'a' }, undefined, signal())
    expect(values()).toEqual([])
    expect(place.double.secret(id)?.annotations).not.toHaveProperty('keyturn-left')
  })

  test('keeps a copy where keyturn may not destroy, and a rotation goes on all the same', async () => {
    const id = await fresh()
    const attempt = attemptFrom('1')
    place.double.allow('keyturn@example.com', { '*': RIGHTS.filter((r) => r !== 'secretmanager.versions.destroy') })
    try {
      const store = place.store()
      await store.stage(id, attempt, planted('second'), signal())
      await store.promote(id, attempt, signal())
      await store.drop(id, attempt.token, signal())
      expect(await store.describe(id, signal())).toMatchObject({ currentToken: attempt.token, pendings: [] })
    } finally {
      place.double.allow('keyturn@example.com', { '*': RIGHTS })
    }
  })
})

describe('a secret of the sibling’s name that is somebody else’s', () => {
  const texts = (id: string) => place.double.versions(`${id}-pending`).map((v) => v.value)

  test('is not written to, and nothing else is: neither for a claim nor for a value', async () => {
    const id = await fresh()
    await place.create(`${id}-pending`, 'their settings', {})
    const before = place.double.secret(id)
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.describe(id, signal())
    await refusal(store.claim(id, attempt, [], signal()), 'conflict/pending-foreign')
    await refusal(store.stage(id, attempt, planted('second'), signal()), 'conflict/pending-foreign')
    expect(texts(id)).toEqual(['their settings'])
    expect(place.double.secret(id)).toEqual(before)
  })

  test('is not written to where they destroyed what they had, and only a label would make it keyturn’s', async () => {
    const id = await fresh()
    await place.create(`${id}-pending`, 'their settings', {})
    await place.owner.destroySecretVersion({ name: `${resource(`${id}-pending`)}/versions/1` })
    const attempt = attemptFrom('1')
    await refusal(place.store().stage(id, attempt, planted('second'), signal()), 'conflict/pending-foreign')
    const secret = { name: resource(`${id}-pending`), labels: { keyturn: 'pending' } }
    await place.owner.updateSecret({ secret, updateMask: { paths: ['labels'] } })
    await place.store().stage(id, attempt, planted('second'), signal())
    expect(await place.pendingOf(id)).toEqual({ token: attempt.token, value: 'second' })
  })

  test('is not written to where they made it in the moment that keyturn was about to', async () => {
    const id = await fresh()
    place.setFault(async ({ op }) => {
      if (op === 'CreateSecret') await place.create(`${id}-pending`, 'their settings', {})
      return undefined
    })
    await refusal(place.store().stage(id, attemptFrom('1'), planted('second'), signal()), 'conflict/pending-foreign')
    expect(texts(id)).toEqual(['their settings'])
  })

  test('is told from one that was made for keyturn, and that another process wrote to and did not record yet', async () => {
    const id = await fresh()
    await place.create(`${id}-pending`, undefined, {})
    const attempt = attemptFrom('1')
    place.setFault(({ op, name }) => (op === 'AddSecretVersion' && name.endsWith('-pending') ? 'lost' : undefined))
    await refusal(place.store().stage(id, attempt, planted('second'), signal()), 'unavailable/store')
    place.setFault(undefined)
    await place.store().drop(id, attempt.token, signal())
    const next = attemptFrom('1')
    await place.store().stage(id, next, planted('third'), signal())
    expect(await place.pendingOf(id)).toEqual({ token: next.token, value: 'third' })
  })
})

test('a sibling that was made, and is not shown yet, is there at the next run', async () => {
  const id = await fresh()
  let isMade = false
  place.setFault(({ op }) => {
    isMade ||= op === 'CreateSecret'
    return isMade && op === 'AddSecretVersion' ? { error: 'NOT_FOUND' } : undefined
  })
  const attempt = attemptFrom('1')
  await refusal(place.store().stage(id, attempt, planted('second'), signal()), 'unavailable/store')
  place.setFault(undefined)
  await place.store().stage(id, attempt, planted('second'), signal())
  expect(await place.pendingOf(id)).toEqual({ token: attempt.token, value: 'second' })
})
