import { describe, expect, it } from 'vitest'
import { all, ending, subjects } from './key-vault-contract.ts'

describe('a list of the double of Azure Key Vault', () => {
  const subject = subjects()
  const names = Array.from({ length: 30 }, (_, i) => `s-${String(i).padStart(2, '0')}`)

  it('has every secret once, with attributes and tags of its newest version, and no value', async () => {
    const { client } = await subject()
    await client.setSecret('app', 'one', { tags: { at: 'old' }, contentType: 'old' })
    await client.setSecret('app', 'two', { tags: { at: 'new' }, enabled: false })
    await client.setSecret('other', 'one')
    const listed = await all(client.listPropertiesOfSecrets())
    expect(listed.map((p) => [p.name, p.version, p.enabled, p.tags?.at, p.contentType]).sort()).toEqual([
      ['app', undefined, false, 'new', undefined],
      ['other', undefined, true, undefined, undefined]
    ])
    expect(listed.flatMap((p) => Object.keys(p))).not.toContain('value')
  })

  it('has every version of a secret with its own attributes and tags, disabled ones too', async () => {
    const { client } = await subject()
    for (const at of ['1', '2', '3']) await client.setSecret('app', at, { tags: { at }, enabled: at !== '2' })
    const listed = await all(client.listPropertiesOfSecretVersions('app'))
    expect(listed.map((p) => [p.tags?.at, p.enabled]).sort()).toEqual([
      ['1', true],
      ['2', false],
      ['3', true]
    ])
  })

  it('is in no order that tells which is newest, and in the same one each time', async () => {
    const { client, double } = await subject()
    for (let i = 0; i < 12; i++) await client.setSecret('app', String(i))
    const made = double.versions('app').map((v) => v.id)
    const listed = (await all(client.listPropertiesOfSecretVersions('app'))).map((p) => p.version)
    expect([...listed].sort()).toEqual([...made].sort())
    expect(listed).not.toEqual(made)
    expect(listed).not.toEqual(made.toReversed())
    expect((await all(client.listPropertiesOfSecretVersions('app'))).map((p) => p.version)).toEqual(listed)
  })

  it('is in another order with another seed', async () => {
    const orders = []
    for (const seed of [1, 2]) {
      const { client } = await subject({ seed })
      for (const name of names) await client.setSecret(name, 'one')
      orders.push((await all(client.listPropertiesOfSecrets())).map((p) => p.name).join())
    }
    expect(orders[0]).not.toEqual(orders[1])
  })

  it('comes in pages of 25, or fewer if asked for, each with a link to the next', async () => {
    const { client } = await subject()
    for (const name of names) await client.setSecret(name, 'one')
    const pagesOf = async (maxPageSize?: number) =>
      all(client.listPropertiesOfSecrets().byPage(maxPageSize ? { maxPageSize } : {}))
    const sizes = async (maxPageSize?: number) => (await pagesOf(maxPageSize)).map((page) => page.length)
    expect([await sizes(), await sizes(12), await sizes(10)]).toEqual([
      [25, 5],
      [12, 12, 6],
      [10, 10, 10]
    ])
    expect(
      (await pagesOf(7))
        .flat()
        .map((p) => p.name)
        .sort()
    ).toEqual(names)
    expect(await ending(pagesOf(26))).toEqual({ status: 400, code: 'BadParameter' })
  })

  it('may begin with an empty page although there are more', async () => {
    const { client } = await subject({ emptyPages: true })
    await client.setSecret('app', 'one')
    expect((await all(client.listPropertiesOfSecrets().byPage())).map((page) => page.length)).toEqual([0, 1])
    expect(await all(client.listPropertiesOfSecretVersions('app'))).toHaveLength(1)
  })

  it('loses nothing and repeats nothing of what was there all the time when secrets come and go between pages', async () => {
    const { client } = await subject()
    for (const name of names) await client.setSecret(name, 'one')
    const seen: string[] = []
    for await (const page of client.listPropertiesOfSecrets().byPage({ maxPageSize: 10 })) {
      seen.push(...page.map((p) => p.name))
      await client.setSecret(`new-${seen.length}`, 'one')
      if (seen.length === 10) await client.beginDeleteSecret(seen[0] ?? '')
    }
    expect(seen.filter((name) => name.startsWith('s-')).sort()).toEqual(names)
  })

  it('is empty where there is nothing: a vault without secrets, a name without versions', async () => {
    const { client } = await subject()
    expect(await all(client.listPropertiesOfSecrets())).toEqual([])
    expect(await all(client.listPropertiesOfSecretVersions('app'))).toEqual([])
  })
})
