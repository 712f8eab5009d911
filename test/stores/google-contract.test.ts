import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkShape, ending, NUMBER, PROJECT, type Subject, subject } from './google-contract-subject.ts'

/** google/rpc/code.proto. */
const [INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, FAILED_PRECONDITION, UNAUTHENTICATED] = [3, 5, 6, 7, 9, 16]
const APP = `${PROJECT}/secrets/app`
const data = (text: string) => ({ data: Buffer.from(text) })

describe('the double of Google Secret Manager, through the vendor’s own client', () => {
  let s: Subject
  beforeEach(async () => {
    s = await subject()
  })
  afterEach(() => s.close())

  const create = (secretId = 'app', more: object = {}) =>
    s.client.createSecret({ parent: PROJECT, secretId, secret: { replication: { automatic: {} }, ...more } })
  const add = async (text: string, id = 'app') =>
    (await s.client.addSecretVersion({ parent: `${PROJECT}/secrets/${id}`, payload: data(text) }))[0]
  const read = async (version: string) => {
    const [{ name, payload }] = await s.client.accessSecretVersion({ name: `${APP}/versions/${version}` })
    return [name?.slice(name.lastIndexOf('/') + 1), String(payload?.data), String(payload?.dataCrc32c)]
  }

  it('finds out an answer that the proto does not have', () => {
    expect(() => checkShape('GetSecret', { name: 'n', etag: '"1"' })).not.toThrow()
    expect(() => checkShape('GetSecret', { name: 'n', owner: 'x' })).toThrow('is not: .owner')
    expect(() => checkShape('GetSecret', { name: 'n', rotation: { period: '1s' } })).toThrow('is not: .rotation.period')
    expect(() => checkShape('ListSecrets', { secrets: [{ replication: {} }, { version: 1 }] })).toThrow(
      'is not: .secrets.1.version'
    )
    expect(() => checkShape('AccessSecretVersion', { payload: { dataCrc32c: 5 } })).toThrow('is not: .payload.dataCrc32c')
  })

  it('names a secret by project number, whichever way it is asked for', async () => {
    await create()
    for (const project of [PROJECT, NUMBER]) {
      const [{ name }] = await s.client.getSecret({ name: `${project}/secrets/app` })
      expect(name).toBe(`${NUMBER}/secrets/app`)
    }
  })

  it('keeps what a secret was created with', async () => {
    const rotation = { nextRotationTime: { seconds: 1_900_000_000 }, rotationPeriod: { seconds: 7200 } }
    await create('app', {
      annotations: { a: 'b' },
      labels: { team: 'x' },
      topics: [{ name: `${PROJECT}/topics/t` }],
      rotation,
      versionDestroyTtl: { seconds: 86_400 },
      secretType: 'OTHER_DB_CREDENTIALS'
    })
    const [got] = await s.client.getSecret({ name: APP })
    expect(got).toMatchObject({
      annotations: { a: 'b' },
      labels: { team: 'x' },
      topics: [{ name: `${PROJECT}/topics/t` }],
      replication: { replication: 'automatic' },
      versionDestroyTtl: { seconds: '86400' },
      secretType: 'OTHER_DB_CREDENTIALS',
      createTime: { seconds: '1893499200', nanos: 250_057_000 }
    })
    expect(got.rotation).toMatchObject({ nextRotationTime: { seconds: '1900000000' }, rotationPeriod: { seconds: '7200' } })
  })

  it('numbers versions from 1, and gives each its value and checksum', async () => {
    await create()
    expect((await add('s3cr3t')).name).toBe(`${NUMBER}/secrets/app/versions/1`)
    expect((await add('more')).state).toBe('ENABLED')
    expect(await read('1')).toEqual(['1', 's3cr3t', '825573743'])
  })

  it('verifies a checksum that is sent with a version, and says that there was one', async () => {
    await create()
    const send = (dataCrc32c: number) => s.client.addSecretVersion({ parent: APP, payload: { ...data('s3cr3t'), dataCrc32c } })
    expect((await send(825_573_743))[0].clientSpecifiedPayloadChecksum).toBe(true)
    expect((await add('s3cr3t')).clientSpecifiedPayloadChecksum).toBe(false)
    expect(await ending(send(825_573_744))).toBe(INVALID_ARGUMENT)
    expect(s.double.versions('app')).toHaveLength(2)
  })

  it('takes 65,536 bytes and refuses 65,537, and none', async () => {
    await create()
    expect((await add('x'.repeat(65_536))).state).toBe('ENABLED')
    expect(await ending(add('x'.repeat(65_537)))).toBe(INVALID_ARGUMENT)
    expect(await ending(add(''))).toBe(INVALID_ARGUMENT)
  })

  it('reads as latest the newest version, and does not fall back when that is disabled or destroyed', async () => {
    await create()
    await add('one')
    await add('two')
    expect((await read('latest')).slice(0, 2)).toEqual(['2', 'two'])
    const [off] = await s.client.disableSecretVersion({ name: `${APP}/versions/2` })
    expect(off.state).toBe('DISABLED')
    expect(await ending(read('latest'))).toBe(FAILED_PRECONDITION)
    expect((await s.client.getSecretVersion({ name: `${APP}/versions/latest` }))[0].state).toBe('DISABLED')
    await s.client.enableSecretVersion({ name: `${APP}/versions/2` })
    expect((await read('latest'))[1]).toBe('two')
    const [gone] = await s.client.destroySecretVersion({ name: `${APP}/versions/2` })
    expect([gone.state, gone.destroyTime?.seconds]).toEqual(['DESTROYED', '1893499200'])
    expect(await ending(read('latest'))).toBe(FAILED_PRECONDITION)
    expect(await ending(s.client.enableSecretVersion({ name: `${APP}/versions/2` }))).toBe(FAILED_PRECONDITION)
    expect((await read('1'))[1]).toBe('one')
  })

  it('reads by alias, case and all, and moves several aliases in one update', async () => {
    await create()
    await add('one')
    await add('two')
    const alias = (versionAliases: Record<string, number>) =>
      s.client.updateSecret({ secret: { name: APP, versionAliases }, updateMask: { paths: ['version_aliases'] } })
    await alias({ current: 1, Current: 2 })
    expect([(await read('current'))[1], (await read('Current'))[1]]).toEqual(['one', 'two'])
    await alias({ current: 2, previous: 1 })
    expect([(await read('current'))[1], (await read('previous'))[1]]).toEqual(['two', 'one'])
    expect(await ending(read('Current'))).toBe(NOT_FOUND)
    expect(await ending(alias({ next: 3 }))).toBe(INVALID_ARGUMENT)
    expect(await ending(s.client.disableSecretVersion({ name: `${APP}/versions/current` }))).toBe(INVALID_ARGUMENT)
  })

  it('gives a secret and each of its versions an etag of its own, and every write moves only its own', async () => {
    await create()
    const secret = async () => (await s.client.getSecret({ name: APP }))[0].etag ?? ''
    const version = async () => (await s.client.getSecretVersion({ name: `${APP}/versions/1` }))[0].etag ?? ''
    const fresh = await secret()
    await add('one')
    const first = await version()
    expect(await secret()).toBe(fresh)
    await s.client.enableSecretVersion({ name: `${APP}/versions/1` })
    expect([await secret(), (await version()) === first]).toEqual([fresh, false])
    const same = await version()
    await s.client.updateSecret({ secret: { name: APP }, updateMask: { paths: [] } })
    expect([(await secret()) === fresh, await version()]).toEqual([false, same])
    expect(first).toMatch(/^"[0-9a-f]{14}"$/)
  })

  it('refuses a write with a stale etag, changes nothing, and asks for none', async () => {
    const [{ etag }] = await create()
    const { etag: one } = await add('one')
    const update = (annotations: Record<string, string>, with_?: string | null) =>
      s.client.updateSecret({
        secret: { name: APP, annotations, ...(with_ && { etag: with_ }) },
        updateMask: { paths: ['annotations'] }
      })
    expect(await ending(update({ a: '1' }, etag))).toBe('done')
    expect(await ending(update({ a: '2' }, etag))).toBe(FAILED_PRECONDITION)
    expect(await ending(s.client.deleteSecret({ name: APP, etag: etag ?? '' }))).toBe(FAILED_PRECONDITION)
    await s.client.disableSecretVersion({ name: `${APP}/versions/1`, etag: one ?? '' })
    for (const call of ['enable', 'disable', 'destroy'] as const) {
      const args = { name: `${APP}/versions/1`, etag: one ?? '' }
      expect(await ending(s.client[`${call}SecretVersion`](args))).toBe(FAILED_PRECONDITION)
    }
    expect(s.double.secret('app')?.annotations).toEqual({ a: '1' })
    expect(s.double.versions('app').map((v) => v.state)).toEqual(['DISABLED'])
    expect(await ending(update({ a: '3' }))).toBe('done')
  })

  it('schedules a destruction where the secret has a delay, and enabling undoes it', async () => {
    await create('app', { versionDestroyTtl: { seconds: 86_400 } })
    await add('one')
    await add('two')
    const destroy = async (n: number) => (await s.client.destroySecretVersion({ name: `${APP}/versions/${n}` }))[0]
    const scheduled = await destroy(1)
    expect([scheduled.state, scheduled.scheduledDestroyTime?.seconds]).toEqual(['DISABLED', '1893585600'])
    expect(await ending(destroy(1))).toBe(FAILED_PRECONDITION)
    const [back] = await s.client.enableSecretVersion({ name: `${APP}/versions/1` })
    expect([back.state, back.scheduledDestroyTime]).toEqual(['ENABLED', null])
    await destroy(2)
    s.advance(86_400_000)
    const [gone] = await s.client.getSecretVersion({ name: `${APP}/versions/2` })
    expect([gone.state, gone.destroyTime?.seconds]).toEqual(['DESTROYED', '1893585600'])
    expect((await read('1'))[1]).toBe('one')
  })

  it('keeps regional secrets apart from global ones of the same name', async () => {
    await create()
    await add('global')
    const parent = `${PROJECT}/locations/europe-west3`
    await s.client.createSecret({ parent, secretId: 'app', secret: {} })
    await s.client.addSecretVersion({ parent: `${parent}/secrets/app`, payload: data('regional') })
    const [{ name, payload }] = await s.client.accessSecretVersion({ name: `${parent}/secrets/app/versions/latest` })
    expect([name, String(payload?.data)]).toEqual([`${NUMBER}/locations/europe-west3/secrets/app/versions/1`, 'regional'])
    expect((await read('latest'))[1]).toBe('global')
    expect((await s.client.listSecrets({ parent: PROJECT }))[0]).toHaveLength(1)
    expect((await s.client.listSecrets({ parent }))[0]).toHaveLength(1)
  })

  it('says where each replica of a version is, and by which key it is encrypted', async () => {
    const kmsKeyName = `${PROJECT}/locations/us-east1/keyRings/r/cryptoKeys/k`
    const replicas = [{ location: 'us-east1', customerManagedEncryption: { kmsKeyName } }]
    await s.client.createSecret({ parent: PROJECT, secretId: 'app', secret: { replication: { userManaged: { replicas } } } })
    expect((await add('one')).replicationStatus?.userManaged?.replicas).toEqual([
      { location: 'us-east1', customerManagedEncryption: { kmsKeyVersionName: `${kmsKeyName}/cryptoKeyVersions/1` } }
    ])
  })

  it('lists newest first, page by page, to the end', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await create(id)
    for (const text of ['one', 'two', 'three']) await add(text, 'a')
    type Page = [{ name?: string | null }[], object | null, unknown]
    const pages = async (parent: string, list: (request: object) => Promise<Page>) => {
      const seen: string[] = []
      for (let request: object | null = { parent, pageSize: 2 }; request; ) {
        const [items, next]: Page = await list(request)
        seen.push(items.map((item) => item.name?.slice(-1)).join(''))
        request = next
      }
      return seen
    }
    const byHand = { autoPaginate: false }
    expect(await pages(PROJECT, (request) => s.client.listSecrets(request, byHand))).toEqual(['ed', 'cb', 'a'])
    expect(await pages(`${PROJECT}/secrets/a`, (request) => s.client.listSecretVersions(request, byHand))).toEqual(['32', '1'])
  })

  it('gives the codes that the vendor’s client turns into gRPC’s', async () => {
    await create()
    expect(await ending(create())).toBe(ALREADY_EXISTS)
    expect(await ending(s.client.getSecret({ name: `${PROJECT}/secrets/none` }))).toBe(NOT_FOUND)
    expect(await ending(read('latest'))).toBe(NOT_FOUND)
    expect(await ending(s.client.getSecret({ name: 'projects/other/secrets/app' }))).toBe(PERMISSION_DENIED)
    s.double.accept('short', 'owner@example.com', 0)
    const raw = await s.send('GET', APP, undefined, 'short')
    expect([raw.status, raw.error.status, UNAUTHENTICATED]).toEqual([401, 'UNAUTHENTICATED', 16])
  })
})
