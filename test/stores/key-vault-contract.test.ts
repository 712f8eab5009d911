import { describe, expect, it } from 'vitest'
import { ending, type Subject, subjects, textOf, versionOf } from './key-vault-contract.ts'

const NOON = Date.UTC(2030, 0, 1, 12)
const BAD = { status: 400, code: 'BadParameter' }
const MISSING = { status: 404, code: 'SecretNotFound' }
const DISABLED = { status: 403, code: 'Forbidden', inner: 'SecretDisabled' }

describe('a secret of the double of Azure Key Vault', () => {
  const subject = subjects()

  /** A double with the secret `app`, which has had the values one, two, three. */
  async function withVersions(): Promise<Subject & { readonly ids: readonly string[] }> {
    const s = await subject()
    const ids: string[] = []
    for (const value of ['one', 'two', 'three']) ids.push(versionOf(await s.client.setSecret('app', value)))
    return { ...s, ids }
  }

  it('gives its newest version to whoever names none, and each version to whoever names it', async () => {
    const { client, ids } = await withVersions()
    const newest = await client.getSecret('app')
    expect([textOf(newest), versionOf(newest)]).toEqual(['three', ids[2]])
    const read = await Promise.all(ids.map((version) => client.getSecret('app', { version })))
    expect(read.map(textOf)).toEqual(['one', 'two', 'three'])
  })

  it('has versions of 32 hexadecimal characters that the vault chose, all different', async () => {
    const { ids } = await withVersions()
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
  })

  it('is there with value, tags, content type and attributes at once, and keeps them per version', async () => {
    const { client } = await subject({ now: () => NOON + 999 })
    const notBefore = new Date(NOON - 1000)
    const expiresOn = new Date(NOON + 86_400_000)
    await client.setSecret('app', 'one', { tags: { a: '1' }, contentType: 'application/json', notBefore, expiresOn })
    const first = await client.getSecret('app')
    await client.setSecret('app', 'two')
    const second = await client.getSecret('app')
    expect(first.properties).toMatchObject({
      tags: { a: '1' },
      contentType: 'application/json',
      notBefore,
      expiresOn,
      enabled: true
    })
    expect(second.properties.tags).toBeUndefined()
    expect(second.properties.expiresOn).toBeUndefined()
  })

  it('has dates in whole seconds of the clock of the vault', async () => {
    let now = NOON + 999
    const { client } = await subject({ now: () => now })
    await client.setSecret('app', 'one')
    now += 5000
    await client.updateSecretProperties('app', '', { tags: { a: '1' } })
    const { createdOn, updatedOn } = (await client.getSecret('app')).properties
    expect([createdOn, updatedOn]).toEqual([new Date(NOON), new Date(NOON + 5000)])
  })

  it('says for how long a deletion can be undone', async () => {
    const levels = []
    for (const recoverableDays of [90, 7]) {
      const { client } = await subject({ recoverableDays })
      const { properties } = await client.setSecret('app', 'one')
      levels.push([properties.recoveryLevel, properties.recoverableDays])
    }
    expect(levels).toEqual([
      ['Recoverable+Purgeable', 90],
      ['CustomizedRecoverable+Purgeable', 7]
    ])
  })

  it('has a name in which upper and lower case are the same', async () => {
    const { client, double } = await subject()
    await client.setSecret('App-One', 'one')
    await client.setSecret('app-one', 'two')
    expect(textOf(await client.getSecret('APP-ONE'))).toBe('two')
    expect(double.versions('aPP-oNE')).toHaveLength(2)
  })

  it('has a name of 1 to 127 letters, digits and hyphens', async () => {
    const { client } = await subject()
    const ends = []
    for (const name of ['a_b', 'a.b', 'a b', 'ä', 'x'.repeat(128), 'x'.repeat(127), '-0'])
      ends.push(await ending(client.setSecret(name, 'one')))
    expect(ends).toEqual([BAD, BAD, BAD, BAD, BAD, 'done', 'done'])
    expect(await ending(client.getSecret('a_b'))).toEqual(BAD)
  })

  it('has a value of at most 25,600 bytes, and may be empty', async () => {
    const { client } = await subject()
    const ends = []
    for (const value of ['', 'x'.repeat(25_600), 'x'.repeat(25_601), 'ä'.repeat(12_801)])
      ends.push(await ending(client.setSecret('app', value)))
    expect(ends).toEqual(['done', 'done', BAD, BAD])
    expect((await client.getSecret('app')).value).toHaveLength(25_600)
  })

  it('has at most 15 tags of 1 to 512 characters each way', async () => {
    const { client, double } = await subject()
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']))
    const long = 'x'.repeat(512)
    const ends = []
    for (const tags of [many(15), { [long]: long }, many(16), { [`${long}x`]: 'v' }, { k: `${long}x` }, { k: '' }]) {
      ends.push([
        await ending(client.setSecret('app', 'one', { tags })),
        await ending(client.updateSecretProperties('app', '', { tags }))
      ])
    }
    expect(ends).toEqual([
      ['done', 'done'],
      ['done', 'done'],
      [BAD, BAD],
      [BAD, BAD],
      [BAD, BAD],
      [BAD, BAD]
    ])
    expect(double.versions('app')).toHaveLength(2)
  })

  it('has a content type of at most 255 characters', async () => {
    const { client } = await subject()
    expect(await ending(client.setSecret('app', 'one', { contentType: 'x'.repeat(255) }))).toBe('done')
    expect(await ending(client.setSecret('app', 'one', { contentType: 'x'.repeat(256) }))).toEqual(BAD)
  })

  it('is refused an expiry after January 2038, which the client sends as a negative number', async () => {
    const { client } = await subject()
    expect(await ending(client.setSecret('app', 'one', { expiresOn: new Date('2038-01-19T03:14:07Z') }))).toBe('done')
    expect(await ending(client.setSecret('app', 'one', { expiresOn: new Date('2038-01-19T03:14:08Z') }))).toEqual(BAD)
  })

  it('that is not there, or has no such version, is SecretNotFound with HTTP 404', async () => {
    const { client } = await withVersions()
    const unknown = '0'.repeat(32)
    expect(await ending(client.getSecret('other'))).toEqual(MISSING)
    expect(await ending(client.getSecret('app', { version: unknown }))).toEqual(MISSING)
    expect(await ending(client.updateSecretProperties('other', '', {}))).toEqual(MISSING)
    expect(await ending(client.updateSecretProperties('app', unknown, {}))).toEqual(MISSING)
    expect(await ending(client.beginDeleteSecret('other'))).toEqual(MISSING)
  })

  it('can be read before its notBefore and after its expiresOn', async () => {
    const { client } = await subject({ now: () => NOON })
    await client.setSecret('early', 'one', { notBefore: new Date(NOON + 1_000_000) })
    await client.setSecret('late', 'two', { expiresOn: new Date(NOON - 1_000_000) })
    expect([textOf(await client.getSecret('early')), textOf(await client.getSecret('late'))]).toEqual(['one', 'two'])
  })

  it('cannot be read while its newest version is disabled, and no older one is given instead', async () => {
    const { client, ids } = await withVersions()
    await client.updateSecretProperties('app', ids[2] ?? '', { enabled: false })
    expect(await ending(client.getSecret('app'))).toEqual(DISABLED)
    expect(await ending(client.getSecret('app', { version: ids[2] ?? '' }))).toEqual(DISABLED)
    expect(textOf(await client.getSecret('app', { version: ids[1] ?? '' }))).toBe('two')
  })

  it('is read again when a new version is written, or the newest enabled', async () => {
    const { client } = await withVersions()
    await client.updateSecretProperties('app', '', { enabled: false })
    await client.updateSecretProperties('app', '', { enabled: true })
    expect(textOf(await client.getSecret('app'))).toBe('three')
    await client.setSecret('app', 'four', { enabled: false })
    expect(await ending(client.getSecret('app'))).toEqual(DISABLED)
    await client.setSecret('app', 'five')
    expect(textOf(await client.getSecret('app'))).toBe('five')
  })
})

describe('an update of properties in the double of Azure Key Vault', () => {
  const subject = subjects()

  it('replaces all tags, and leaves the value and what it does not name as they are', async () => {
    const { client, double } = await subject({ now: () => NOON })
    const expiresOn = new Date(NOON + 1_000_000)
    await client.setSecret('app', 'one', { tags: { a: '1', b: '2' }, contentType: 'text/plain', expiresOn })
    await client.updateSecretProperties('app', '', { tags: { c: '3' } })
    await client.updateSecretProperties('app', '', { notBefore: new Date(NOON) })
    const { properties, value } = await client.getSecret('app')
    expect(value).toBe('one')
    expect(properties).toMatchObject({ tags: { c: '3' }, contentType: 'text/plain', expiresOn, notBefore: new Date(NOON) })
    expect(double.versions('app')).toHaveLength(1)
  })

  it('removes every tag when it gives none', async () => {
    const { client } = await subject()
    await client.setSecret('app', 'one', { tags: { a: '1' } })
    await client.updateSecretProperties('app', '', { tags: {} })
    expect((await client.getSecret('app')).properties.tags).toEqual({})
  })

  it('changes the version that it names, the newest if it names none, and answers no value', async () => {
    const { client, double } = await subject()
    const first = versionOf(await client.setSecret('app', 'one'))
    await client.setSecret('app', 'two')
    const answered = await client.updateSecretProperties('app', first, { tags: { at: 'first' } })
    await client.updateSecretProperties('app', '', { tags: { at: 'newest' } })
    expect(double.versions('app').map((v) => v.tags.at)).toEqual(['first', 'newest'])
    expect(answered).not.toHaveProperty('value')
  })

  it('changes a disabled version too', async () => {
    const { client, double } = await subject()
    await client.setSecret('app', 'one', { enabled: false })
    await client.updateSecretProperties('app', '', { tags: { a: '1' } })
    expect(double.versions('app')).toMatchObject([{ enabled: false, tags: { a: '1' } }])
  })
})
