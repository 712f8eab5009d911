import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mask, PROJECT, START, type Subject, subject } from './google-contract-subject.ts'

const APP = `${PROJECT}/secrets/app`
const many = (n: number, value: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [`k${i}`, value]))
const later = (seconds: number): string => new Date(START + seconds * 1000).toISOString()
const topics = [{ name: `${PROJECT}/topics/t` }]
const DAY = 86_400

describe('the double of Google Secret Manager, on what a secret may be set to', () => {
  let s: Subject
  beforeEach(async () => {
    s = await subject()
    await s.create(['one', 'two'])
  })
  afterEach(() => s.close())

  const patch = (body: object, ...paths: string[]) => s.send('PATCH', `${APP}?${mask(...paths)}`, body)
  const ending = async (body: object, ...paths: string[]) => {
    const { status, error } = await patch(body, ...paths)
    return status === 200 ? 'done' : error.message
  }

  it('takes annotations up to 16,384 bytes, keys and values together', async () => {
    expect(await ending({ annotations: { k: 'x'.repeat(16_383) } }, 'annotations')).toBe('done')
    expect(await ending({ annotations: { k: 'x'.repeat(16_384) } }, 'annotations')).toBe('Annotation map must not exceed 16kib.')
    expect(await ending({ annotations: { k: 'é'.repeat(8192) } }, 'annotations')).toContain('16kib')
  })

  it('takes annotation keys that begin and end with a letter or a digit', async () => {
    for (const key of ['a', 'A.b_c-9', 'x'.repeat(64)])
      expect(await ending({ annotations: { [key]: '' } }, 'annotations')).toBe('done')
    for (const key of ['', '-a', 'a.', 'example.com/owner', 'x'.repeat(65)]) {
      expect(await ending({ annotations: { [key]: '' } }, 'annotations')).toContain(`[${key}] must follow pattern`)
    }
  })

  it('takes 64 labels of lower-case letters, digits, hyphens and underscores', async () => {
    expect(await ending({ labels: many(64, 'a-1_é') }, 'labels')).toBe('done')
    expect(await ending({ labels: many(65, 'a') }, 'labels')).toContain('at most 64 entries allowed but found 65')
    for (const bad of [{ Key: 'a' }, { '1k': 'a' }, { k: 'A' }, { k: 'a.b' }, { k: 'a'.repeat(64) }]) {
      expect(await ending({ labels: bad }, 'labels')).toContain('does not conform')
    }
  })

  it('takes 50 aliases that begin with a letter, are neither latest nor NEW, and name a version that exists', async () => {
    expect(await ending({ versionAliases: many(50, '2') }, 'version_aliases')).toBe('done')
    expect(await ending({ versionAliases: many(51, '2') }, 'version_aliases')).toContain('50 aliases')
    for (const good of ['Latest', 'new', 'a'.repeat(63)]) {
      expect(await ending({ versionAliases: { [good]: 1 } }, 'versionAliases')).toBe('done')
    }
    for (const bad of ['latest', 'NEW', '1a', 'a.b', 'a'.repeat(64)]) {
      expect(await ending({ versionAliases: { [bad]: 1 } }, 'version_aliases')).toContain(`[${bad}] must follow pattern`)
    }
    for (const number of ['0', '3', '-1']) {
      expect(await ending({ versionAliases: { a: number } }, 'version_aliases')).toContain("versions that don't exist")
    }
  })

  it('takes a rotation of at least five minutes ahead and an hour’s period, with a topic', async () => {
    const rotation = (nextRotationTime: string | undefined, rotationPeriod?: string) => ({
      topics,
      rotation: { nextRotationTime, rotationPeriod }
    })
    expect(await ending(rotation(later(301), '3600s'), 'topics', 'rotation')).toBe('done')
    expect(await ending(rotation(later(299)), 'rotation')).toContain('at least [5m]')
    expect(await ending(rotation(later(400), '3599s'), 'rotation')).toContain('[1h]')
    expect(await ending(rotation(undefined, '3600s'), 'rotation')).toContain('Next rotation time must be set')
    expect(await ending({}, 'topics')).toContain('at least one topic')
    expect(s.double.secret('app')?.rotation).toEqual({ nextRotationTime: later(301), rotationPeriod: '3600s' })
  })

  it('moves the rotation’s time on by its period when it is due, and the etag with it', async () => {
    await patch({ topics, rotation: { nextRotationTime: later(3600), rotationPeriod: '7200s' } }, 'topics', 'rotation')
    const { etag } = s.double.secret('app') ?? {}
    s.advance(3_600_000)
    const { body } = await s.send('GET', APP)
    expect(body.rotation).toEqual({ nextRotationTime: later(10_800), rotationPeriod: '7200s' })
    expect(body.etag).not.toBe(etag)
    await patch({ rotation: { nextRotationTime: later(7200) } }, 'rotation')
    s.advance(3_600_000)
    expect((await s.send('GET', APP)).body.rotation).toBeUndefined()
  })

  it('shows a managed rotation that a test sets, and keeps it through updates that cannot', async () => {
    s.double.set('app', { managedRotation: 'ACTIVE' })
    await patch(
      { topics, rotation: { nextRotationTime: later(3600), managedRotationStatus: { state: 'INACTIVE' } } },
      'topics',
      'rotation'
    )
    expect((await s.send('GET', APP)).body.rotation).toEqual({
      nextRotationTime: later(3600),
      managedRotationStatus: { state: 'ACTIVE' }
    })
    s.double.set('app', { managedRotation: undefined })
    expect((await s.send('GET', APP)).body.rotation).toEqual({ nextRotationTime: later(3600) })
  })

  it('takes ten topics with different names', async () => {
    const named = (n: number) => Array.from({ length: n }, (_, i) => ({ name: `${PROJECT}/topics/t${i}` }))
    expect(await ending({ topics: named(10) }, 'topics')).toBe('done')
    expect(await ending({ topics: named(11) }, 'topics')).toContain('No more than 10')
    expect(await ending({ topics: [...topics, ...topics] }, 'topics')).toContain('distinct')
    expect(await ending({ topics: [{ name: 'rotations' }] }, 'topics')).toContain('Failed to Publish')
  })

  it('takes a delay before destruction of 1 to 1,000 days', async () => {
    for (const seconds of [DAY, 1000 * DAY])
      expect(await ending({ versionDestroyTtl: `${seconds}s` }, 'version_destroy_ttl')).toBe('done')
    for (const seconds of [DAY - 1, 1000 * DAY + 1]) {
      expect(await ending({ versionDestroyTtl: `${seconds}s` }, 'version_destroy_ttl')).toContain('Version destroy TTL')
    }
  })

  it('answers a time to live as the time of the end, and the secret is gone then', async () => {
    const { body } = await patch({ ttl: '3600s' }, 'ttl')
    expect([body.expireTime, body.ttl]).toEqual([later(3600), undefined])
    expect(await ending({ ttl: '59s' }, 'ttl')).toContain('at least [1m]')
    expect(await ending({ ttl: '90s', expireTime: later(90) }, 'ttl')).toContain("oneof field 'expiration' is already set")
    s.advance(3_600_000)
    expect((await s.send('GET', APP)).status).toBe(404)
  })

  it('changes what the mask names and nothing else: a map whole, and away when it is not sent', async () => {
    await patch({ annotations: { a: '1', b: '2' }, labels: { l: '1' } }, 'annotations', 'labels')
    await patch({ annotations: { c: '3' }, labels: { l: '2' } }, 'annotations')
    expect(s.double.secret('app')).toMatchObject({ annotations: { c: '3' }, labels: { l: '1' } })
    await patch({}, 'annotations')
    expect(s.double.secret('app')?.annotations).toBeUndefined()
  })

  it('wants a mask, and refuses map keys, a star, unknown paths and what cannot change', async () => {
    expect((await s.send('PATCH', APP, {})).error.message).toBe('Field [update_mask] is required.')
    for (const path of ['*', 'labels.team', 'annotations.a', 'bogus']) {
      expect(await ending({ labels: { team: 'x' } }, path)).toBe('Request contains an invalid argument.')
    }
    expect(await ending({ secretType: 'OTHER' }, 'secret_type')).toContain("Field 'secret_type' is immutable")
    expect(await ending({ replication: { userManaged: { replicas: [{ location: 'us-east1' }] } } }, 'replication')).toContain(
      'not supported'
    )
    const { etag } = s.double.secret('app') ?? {}
    expect(await ending({ name: 'x' }, 'name')).toBe('done')
    expect(s.double.secret('app')?.etag).not.toBe(etag)
  })

  it('leaves everything as it was when one part of an update is refused', async () => {
    const before = s.double.secret('app')
    expect((await patch({ annotations: { a: '1' }, labels: { L: '1' } }, 'annotations', 'labels')).status).toBe(400)
    expect(s.double.secret('app')).toEqual(before)
  })

  it('creates a secret only with an id that it takes, and with a replication', async () => {
    const create = async (path: string, body: object) => (await s.send('POST', path, body)).error.message
    const automatic = { replication: { automatic: {} } }
    expect(await create(`${PROJECT}/secrets`, automatic)).toBe('Secret ID must be provided.')
    expect(await create(`${PROJECT}/secrets?secretId=db.password`, automatic)).toContain('[db.password]')
    expect(await create(`${PROJECT}/secrets?secretId=new`, {})).toBe('Secret.replication must be provided.')
    expect(await create(`${PROJECT}/locations/us-east1/secrets?secretId=new`, automatic)).toBe(
      'Secret.replication should not be provided.'
    )
    expect(await create(`${PROJECT}/secrets?secretId=new`, { ...automatic, versionAliases: { a: 1 } })).toContain("don't exist")
  })

  describe('in lists', () => {
    const names = async (filter: string) => {
      const { body, error } = await s.send('GET', `${PROJECT}/secrets?filter=${encodeURIComponent(filter)}`)
      return error.message ?? ((body.secrets ?? []) as { name: string }[]).map((one) => one.name.replace(/.*\//, ''))
    }
    beforeEach(async () => {
      await s.create([], { labels: { env: 'prod', kind: 'postgres' }, annotations: { 'keyturn.kind': 'pair' } }, 'asecret')
      await s.create(
        [],
        { labels: { env: 'test' }, replication: { userManaged: { replicas: [{ location: 'us-east1' }] } } },
        'bsecret'
      )
    })

    it('filters as the vendor’s examples do', async () => {
      expect(await names('name:asecret OR name:bsecret')).toEqual(['bsecret', 'asecret'])
      expect(await names('labels.env=prod')).toEqual(['asecret'])
      expect(await names('labels.env:* AND NOT labels.env=prod')).toEqual(['bsecret'])
      expect(await names('labels.env=(prod OR test) AND labels.kind:post')).toEqual(['asecret'])
      expect(await names('replication.automatic:*')).toEqual(['asecret', 'app'])
      expect(await names('replication.user_managed.replicas.location=us-*')).toEqual(['bsecret'])
      expect(await names(`create_time>${later(-60)} AND create_time<2031-01-01T00:00:00Z`)).toHaveLength(3)
      expect(await names('-(name:asecret OR name:bsecret)')).toEqual(['app'])
      expect(await names('annotations:keyturn.kind')).toEqual(['asecret'])
    })

    it('refuses what is not a filter', async () => {
      expect(await names('labels.list():label1')).toBe("syntax error at line 1, column 11, token '('")
      for (const bad of ['owner=me', 'name ~ "secret.*"', 'labels.env', 'name:a AND'])
        expect(await names(bad)).toContain('syntax error')
    })

    it('filters versions by state', async () => {
      await s.send('POST', `${APP}/versions/1:disable`, {})
      const { body } = await s.send('GET', `${APP}/versions?filter=${encodeURIComponent('state:DISABLED')}`)
      expect(body.versions).toMatchObject([{ name: expect.stringMatching(/versions\/1$/) }])
    })

    it('counts all in the answer without a filter, and gives a token only while there is more', async () => {
      const first = (await s.send('GET', `${PROJECT}/secrets?pageSize=2`)).body
      expect([first.totalSize, (first.secrets as unknown[]).length]).toEqual([3, 2])
      const rest = (await s.send('GET', `${PROJECT}/secrets?pageSize=2&pageToken=${first.nextPageToken}`)).body
      expect([(rest.secrets as unknown[]).length, rest.nextPageToken]).toEqual([1, undefined])
      expect((await s.send('GET', `${PROJECT}/secrets?filter=name:secret`)).body.totalSize).toBeUndefined()
      for (const bad of ['pageToken=x', `pageToken=${first.nextPageToken}&filter=name:a`, 'pageSize=-1']) {
        expect((await s.send('GET', `${PROJECT}/secrets?${bad}`)).status).toBe(400)
      }
    })
  })
})
