import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type GcpSecretManagerSettings, gcpSecretManager } from '../../shared/stores/gcp-secret-manager.ts'
import { attemptFrom, planted, refusal, signal } from '../conformance/store-harness.ts'
import { type GcpPlace, gcpPlace, NUMBER, PROJECT } from './gcp-harness.ts'

const PROJECTS = [
  { id: PROJECT, number: '123456789012' },
  { id: 'example.com:other', number: '210987654321' }
]

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1 }, { projects: PROJECTS })
})
afterAll(() => place.close())

describe('an id', () => {
  test('may be a name, or name the project by its id or its number; the facts always give the number', async () => {
    const name = await place.fresh('first')
    for (const id of [name, `projects/${PROJECT}/secrets/${name}`, `${NUMBER}/secrets/${name}`])
      expect(await place.store().describe(id, signal())).toMatchObject({ id: `${NUMBER}/secrets/${name}`, name, current: '1' })
  })

  test('of either form names the same attempt, in one process and in another', async () => {
    const name = await place.fresh('first')
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.describe(name, signal())
    await store.stage(`${NUMBER}/secrets/${name}`, attempt, planted('second'), signal())
    await store.promote(`projects/${PROJECT}/secrets/${name}`, attempt, signal())
    await place.store().drop(name, attempt.token, signal())
    expect(await store.describe(name, signal())).toMatchObject({ current: '2', currentToken: attempt.token })
  })

  test('may be of another project, and its sibling is there too', async () => {
    const parent = 'projects/210987654321'
    const secret = { replication: { automatic: {} }, annotations: { 'keyturn-kind': 'postgres' } }
    await place.owner.createSecret({ parent, secretId: 'shared', secret })
    await place.owner.addSecretVersion({ parent: `${parent}/secrets/shared`, payload: { data: Buffer.from('first') } })
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage('projects/example.com:other/secrets/shared', attempt, planted('second'), signal())
    await store.promote(`${parent}/secrets/shared`, attempt, signal())
    expect(place.double.versions(`${parent}/secrets/shared-pending`)).toHaveLength(1)
    expect(await store.describe(`${parent}/secrets/shared`, signal())).toMatchObject({
      id: `${parent}/secrets/shared`,
      current: '2'
    })
    expect(await store.describe('shared', signal())).toBeUndefined()
  })

  test.each([
    '',
    'a b',
    'a/b',
    'a.b',
    'ünï',
    'x'.repeat(256),
    'projects/p/secrets/',
    'projects/p/secrets/a/versions/1',
    'projects/../secrets/a',
    'projects/p/locations/eu west/secrets/a',
    '//secretmanager.googleapis.com/projects/p/secrets/a'
  ])('like `%s` is refused before anything is asked', async (id) => {
    const store = place.store()
    const calls = await place.calls(async () => {
      await refusal(store.describe(id, signal()), 'invalid/name')
      await refusal(store.readCurrent(id, signal()), 'invalid/name')
    })
    expect(calls).toEqual([])
  })

  test('that leaves no room for its sibling’s is refused with the limit; one that is only read is not', async () => {
    const [most, more] = ['x'.repeat(247), 'y'.repeat(248)]
    for (const name of [most, more]) await place.create(name, 'first', { 'keyturn-kind': 'postgres' })
    const [store, attempt] = [place.store(), attemptFrom('1')]
    await store.stage(most, attempt, planted('second'), signal())
    await expect(store.describe(more, signal())).rejects.toMatchObject({
      code: 'invalid/name',
      message: expect.stringContaining('247')
    })
    await refusal(store.stage(more, attempt, planted('second'), signal()), 'invalid/name')
    expect((await store.readCurrent(more, signal())).text.reveal()).toBe('first')
    const all = async () => {
      for await (const _ of store.list(signal()));
    }
    await refusal(all(), 'invalid/name')
    await place.owner.deleteSecret({ name: `projects/${PROJECT}/secrets/${more}` })
  })

  test('of a version that Secret Manager cannot have is no version, and is not asked for', async () => {
    const name = await place.fresh('first')
    const calls = await place.calls(async () => {
      for (const version of ['latest', '0', '-1', '1.5', '01', 'pending-', 'pending-x', '9'.repeat(20), '../1', ''])
        expect(await place.store().read(name, version, signal())).toBeUndefined()
    })
    expect(calls).toEqual([])
  })
})

describe('a regional secret', () => {
  const parent = `projects/${PROJECT}/locations/europe-west3`

  test('has its sibling in its own location, without a replication and with its key', async () => {
    const kmsKeyName = `${parent}/keyRings/r/cryptoKeys/k`
    const secret = { annotations: { 'keyturn-kind': 'postgres' }, customerManagedEncryption: { kmsKeyName } }
    await place.owner.createSecret({ parent, secretId: 'near', secret })
    await place.owner.addSecretVersion({ parent: `${parent}/secrets/near`, payload: { data: Buffer.from('first') } })
    const [store, attempt] = [place.store({ location: 'europe-west3' }), attemptFrom('1')]
    await store.stage('near', attempt, planted('second'), signal())
    await store.promote('near', attempt, signal())
    const resource = `${NUMBER}/locations/europe-west3/secrets/near`
    expect(await store.describe('near', signal())).toMatchObject({ id: resource, name: 'near', current: '2' })
    const sibling = place.double.secret(`${resource}-pending`)
    expect(sibling).toMatchObject({ customerManagedEncryption: { kmsKeyName } })
    expect(sibling).not.toHaveProperty('replication')
    const listed: string[] = []
    for await (const facts of store.list(signal())) listed.push(facts.id)
    expect(listed).toEqual([resource])
  })

  const asked = async (id: string, settings: Partial<GcpSecretManagerSettings>) => {
    const seen: string[] = []
    const fetching = vi.spyOn(globalThis, 'fetch').mockImplementation(async (url) => {
      seen.push(String(url))
      throw new TypeError('fetch failed')
    })
    try {
      const authorize = async () => new Headers()
      const store = gcpSecretManager({ project: PROJECT, authorize, maxAttempts: 1, ...settings })
      await refusal(store.describe(id, signal()), 'unavailable/store')
    } finally {
      fetching.mockRestore()
    }
    return seen
  }

  test('is asked for at its location’s endpoint, and a global one at the global one', async () => {
    const regional = 'https://secretmanager.europe-west3.rep.googleapis.com/v1'
    expect(await asked(`${parent}/secrets/near`, {})).toEqual([`${regional}/${parent}/secrets/near`])
    expect(await asked('near', { location: 'europe-west3' })).toEqual([`${regional}/${parent}/secrets/near`])
    expect(await asked('app', {})).toEqual([`https://secretmanager.googleapis.com/v1/projects/${PROJECT}/secrets/app`])
    const endpoint = 'https://secretmanager.example.com'
    expect(await asked('app', { endpoint })).toEqual([`${endpoint}/v1/projects/${PROJECT}/secrets/app`])
  })
})

test.each([
  'http://secretmanager.example.com',
  'secretmanager.googleapis.com',
  'https://x.example/path',
  'https://x.example/?a=b',
  'ftp://x'
])('an endpoint like %s gets no token', (endpoint) => {
  const make = () => gcpSecretManager({ project: PROJECT, endpoint, authorize: async () => new Headers() })
  expect(make).toThrow(expect.objectContaining({ code: 'invalid/config' }))
})
