import { errorsOf, type Found, inside, isTime, onlyVersion, type Sight, statuses } from './vault-contract-subject.ts'

const reading: Readonly<Record<string, Sight>> = {
  'there is nothing at a path that was never written': [
    [404, [], 404],
    async (s) => {
      const { status, body } = await s.ask('GET', `data/${s.path}`)
      return [status, errorsOf(body), (await s.ask('GET', `metadata/${s.path}`)).status]
    }
  ],
  'a version is given as it was written, its names in order, its numbers as doubles': [
    '{"a":"ü<>&","b":{"x":[1,{}],"y":null},"big":12345678901234567000,"c":0.1}',
    async (s) => {
      await s.put({ c: 0.1, b: { y: null, x: [1, {}] }, big: 12_345_678_901_234_567_000, a: 'ü<>&' })
      return JSON.stringify(await s.read())
    }
  ],
  'each version is there under its number': [
    [{ n: 1 }, { n: 2 }, { n: 2 }, 404],
    async (s) => {
      await s.put({ n: 1 })
      await s.put({ n: 2 })
      return [await s.read(1), await s.read(2), await s.read(), await s.read(3)]
    }
  ],
  'a write says which version it made, and when': [
    { version: 1, created_time: true, deletion_time: '', destroyed: false, custom_metadata: null },
    async (s) => {
      const { created_time, ...rest } = inside((await s.ask('POST', `data/${s.path}`, { data: {} })).body)
      return { ...rest, created_time: isTime(created_time) }
    }
  ],
  'metadata show the versions and the settings, never a value': [
    {
      ...{ current_version: 2, oldest_version: 0, max_versions: 0, cas_required: false, delete_version_after: '0s' },
      ...{ custom_metadata: null, versions: ['1', '2'], times: [true, true] }
    },
    async (s) => {
      await s.put({ n: 1 })
      await s.put({ n: 2 })
      const { created_time, updated_time, versions, ...rest } = await s.metadata()
      const { current_metadata_version: _, metadata_cas_required: __, ...documented } = rest
      return { ...documented, versions: Object.keys(versions as object), times: [created_time, updated_time].map(isTime) }
    }
  ]
}

const writing: Readonly<Record<string, Sight>> = {
  'a write with cas is taken where it names the newest version, and refused elsewhere, in so many words': [
    [200, 400, 200, 400, ['check-and-set parameter did not match the current version']],
    async (s) => {
      const found = [await s.put({ n: 1 }, 0), await s.put({ n: 2 }, 0), await s.put({ n: 2 }, 1)]
      const { status, body } = await s.ask('POST', `data/${s.path}`, { data: {}, options: { cas: 1 } })
      return [...found, status, errorsOf(body)]
    }
  ],
  'of five writes with one cas at once exactly one is taken': [
    [200, 400, 400, 400, 400],
    async (s) => (await Promise.all([1, 2, 3, 4, 5].map((n) => s.put({ n }, 0)))).sort()
  ],
  'where cas is required a write without it is refused': [
    [400, 200],
    async (s) => {
      await s.ask('POST', `metadata/${s.path}`, { cas_required: true })
      return [await s.put({}), await s.put({}, 0)]
    }
  ],
  'metadata alone make no version: cas 0 writes the first one': [
    [204, 404, 0, 200],
    async (s) => [
      (await s.ask('POST', `metadata/${s.path}`, { max_versions: 1 })).status,
      await s.read(),
      (await s.metadata()).current_version,
      await s.put({}, 0)
    ]
  ],
  'more than a thousand texts in one request are taken': [
    200,
    (s) => s.put(Object.fromEntries(Array.from({ length: 600 }, (_, n) => [`k${n}`, 'v'])))
  ]
}

const ending: Readonly<Record<string, Sight>> = {
  'a deleted version answers 404 with its metadata, those before it their values, and its number stays taken': [
    [204, 404, { version: 2, deleted: true, destroyed: false, data: null }, { n: 1 }, 400, 200, { n: 3 }],
    async (s) => {
      await s.put({ n: 1 })
      await s.put({ n: 2 })
      const gone = await s.ask('DELETE', `data/${s.path}`)
      const { status, body } = await s.ask('GET', `data/${s.path}`)
      const { data, metadata } = inside(body) as { data: unknown; metadata: Found }
      const { version, deletion_time, destroyed } = metadata
      const shown = { version, deleted: isTime(deletion_time), destroyed, data }
      return [gone.status, status, shown, await s.read(1), await s.put({}, 1), await s.put({ n: 3 }, 2), await s.read()]
    }
  ],
  'what was deleted can be undeleted, what was destroyed cannot': [
    [[204, 204], { n: 1 }, [204, 204], 404, true],
    async (s) => {
      await s.put({ n: 1 })
      const versions = { versions: [1] }
      const how = (what: string) => () => s.ask('POST', `${what}/${s.path}`, versions)
      const found = [await statuses(how('delete'), how('undelete')), await s.read()]
      return [...found, await statuses(how('destroy'), how('undelete')), await s.read(), (await onlyVersion(s)).destroyed]
    }
  ],
  'destroying versions that never were is no error': [
    204,
    async (s) => (await s.ask('POST', `destroy/${s.path}`, { versions: [7, 8] })).status
  ],
  'ten versions are kept where nothing is set, and the oldest is gone for good': [
    [404, { n: 2 }, 2],
    async (s) => {
      for (let n = 1; n <= 11; n++) await s.put({ n })
      return [await s.read(1), await s.read(2), (await s.metadata()).oldest_version]
    }
  ],
  'a path’s max_versions of 1 leaves the newest value only': [
    [404, { n: 2 }, ['2']],
    async (s) => {
      await s.ask('POST', `metadata/${s.path}`, { max_versions: 1 })
      await s.put({ n: 1 })
      await s.put({ n: 2 })
      return [await s.read(1), await s.read(), Object.keys((await s.metadata()).versions as object)]
    }
  ],
  'a path’s max_versions does not lower the mount’s, it raises it': [
    [{ n: 1 }, 404],
    async (s) => {
      await s.ask('POST', `metadata/${s.path}`, { max_versions: 1 })
      return s.under({ max_versions: 2 }, async () => {
        await s.put({ n: 1 })
        await s.put({ n: 2 })
        const kept = await s.read(1)
        await s.put({ n: 3 })
        return [kept, await s.read(1)]
      })
    }
  ]
}

export const values: Readonly<Record<string, Sight>> = { ...reading, ...writing, ...ending }
