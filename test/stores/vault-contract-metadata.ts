import { type Found, inside, isTime, onlyVersion, type Sight, statuses } from './vault-contract-subject.ts'

const expiring: Readonly<Record<string, Sight>> = {
  'a mount’s delete_version_after shows in the answer of a write, and stays on the version': [
    [true, true, '1h0m0s'],
    async (s) => {
      const written = await s.under({ delete_version_after: '1h' }, async () => [
        inside((await s.ask('POST', `data/${s.path}`, { data: {} })).body).deletion_time,
        inside((await s.ask('GET', 'config')).body).delete_version_after
      ])
      return [isTime(written[0]), isTime((await onlyVersion(s)).deletion_time), written[1]]
    }
  ],
  'undelete takes a deletion_time away when the setting is gone, and begins it anew before': [
    [true, ''],
    async (s) => {
      const undelete = async () => {
        await s.ask('POST', `undelete/${s.path}`, { versions: [1] })
        return (await onlyVersion(s)).deletion_time
      }
      const before = await s.under({ delete_version_after: '1h' }, async () => {
        await s.put({})
        return undelete()
      })
      return [isTime(before), await undelete()]
    }
  ],
  'a mount’s negative delete_version_after overrules the path’s': [
    ['', '1h0m0s', '-1s'],
    async (s) => {
      await s.ask('POST', `metadata/${s.path}`, { delete_version_after: '1h' })
      return s.under({ delete_version_after: '-1s' }, async () => [
        inside((await s.ask('POST', `data/${s.path}`, { data: {} })).body).deletion_time,
        (await s.metadata()).delete_version_after,
        inside((await s.ask('GET', 'config')).body).delete_version_after
      ])
    }
  ]
}

const describing: Readonly<Record<string, Sight>> = {
  'a patch of custom metadata sets, removes and leaves, and makes no version': [
    [204, { kept: 'a', set: 'new' }, 1],
    async (s) => {
      await s.put({})
      await s.ask('POST', `metadata/${s.path}`, { custom_metadata: { kept: 'a', set: 'old', gone: 'x' } })
      const { status } = await s.ask('PATCH', `metadata/${s.path}`, { custom_metadata: { set: 'new', gone: null, never: null } })
      const { custom_metadata, current_version } = await s.metadata()
      return [status, custom_metadata, current_version]
    }
  ],
  'a write of metadata replaces all that is custom': [
    { b: '2' },
    async (s) => {
      await s.ask('POST', `metadata/${s.path}`, { custom_metadata: { a: '1' } })
      await s.ask('POST', `metadata/${s.path}`, { custom_metadata: { b: '2' } })
      return (await s.metadata()).custom_metadata
    }
  ],
  'there is nothing to patch where no metadata are': [
    404,
    async (s) => (await s.ask('PATCH', `metadata/${s.path}`, { custom_metadata: { a: '1' } })).status
  ],
  'custom metadata take 64 keys, 128 bytes a key, 512 a value, and nothing empty': [
    [204, 400, 204, 400, 204, 400, 400],
    async (s) => {
      const put = (custom_metadata: object) => () => s.ask('POST', `metadata/${s.path}`, { custom_metadata })
      const keys = (n: number) => Object.fromEntries(Array.from({ length: n }, (_, at) => [`k${at}`, 'v']))
      const long = (n: number) => ({ ['k'.repeat(n)]: 'v' })
      const value = (n: number) => ({ k: 'v'.repeat(n) })
      return statuses(
        ...[put(keys(64)), put(keys(65)), put(long(128)), put(long(129))],
        ...[put(value(512)), put(value(513)), put(value(0))]
      )
    }
  ],
  'the newest version’s read and every write show the custom metadata': [
    [{ a: '1' }, { a: '1' }],
    async (s) => {
      await s.ask('POST', `metadata/${s.path}`, { custom_metadata: { a: '1' } })
      const written = inside((await s.ask('POST', `data/${s.path}`, { data: {} })).body)
      const { metadata } = inside((await s.ask('GET', `data/${s.path}`)).body) as { metadata: Found }
      return [written.custom_metadata, metadata.custom_metadata]
    }
  ],
  'metadata have no compare-and-set': [
    204,
    async (s) => {
      await s.put({})
      return (await s.ask('PATCH', `metadata/${s.path}`, { metadata_cas: 99, custom_metadata: { a: '1' } })).status
    }
  ],
  'a list has the names of one folder, folders with a slash, and a name may be both': [
    [['a', 'a/', 'b'], ['c'], 404],
    async (s) => {
      for (const name of ['a', 'a/c', 'b']) await s.ask('POST', `data/${s.path}/${name}`, { data: {} })
      const names = async (folder: string) => inside((await s.ask('LIST', `metadata/${s.path}/${folder}`)).body).keys
      return [await names(''), await names('a/'), (await s.ask('LIST', `metadata/${s.path}/none/`)).status]
    }
  ],
  'deleting the metadata takes everything, and versions count from 1 again': [
    [204, 404, 1],
    async (s) => {
      await s.put({ n: 1 })
      await s.put({ n: 2 })
      const { status } = await s.ask('DELETE', `metadata/${s.path}`)
      const gone = await s.read()
      await s.put({ n: 3 }, 0)
      return [status, gone, (await s.metadata()).current_version]
    }
  ]
}

export const metadata: Readonly<Record<string, Sight>> = { ...expiring, ...describing }
