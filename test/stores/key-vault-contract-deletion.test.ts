import { describe, expect, it } from 'vitest'
import { all, ending, type Subject, subjects, textOf } from './key-vault-contract.ts'

const MISSING = { status: 404, code: 'SecretNotFound' }
const conflict = (inner: string) => ({ status: 409, code: 'Conflict', inner })
const NOON = Date.UTC(2030, 0, 1, 12)
const DAY_MS = 86_400_000

describe('a deletion in the double of Azure Key Vault', () => {
  const subject = subjects()

  async function deleted(): Promise<Subject> {
    const s = await subject({ now: () => NOON, recoverableDays: 7 })
    await s.client.setSecret('app', 'one')
    await s.client.setSecret('app', 'two', { tags: { a: '1' } })
    await s.client.beginDeleteSecret('app')
    return s
  }

  it('takes the secret with all its versions out of reach', async () => {
    const { client, double } = await deleted()
    const [{ id: version = '' } = {}] = double.versions('app')
    expect(await ending(client.getSecret('app'))).toEqual(MISSING)
    expect(await ending(client.getSecret('app', { version }))).toEqual(MISSING)
    expect(await ending(client.updateSecretProperties('app', '', {}))).toEqual(MISSING)
    expect(await ending(client.beginDeleteSecret('app'))).toEqual(MISSING)
    expect(await all(client.listPropertiesOfSecrets())).toEqual([])
    expect(await all(client.listPropertiesOfSecretVersions('app'))).toEqual([])
  })

  it('says when it was and when the secret will be gone, in the list of the deleted too', async () => {
    const { client } = await deleted()
    const dates = { deletedOn: new Date(NOON), scheduledPurgeDate: new Date(NOON + 7 * DAY_MS) }
    const one = await client.getDeletedSecret('app')
    expect(one).toMatchObject({ name: 'app', ...dates, properties: { tags: { a: '1' } } })
    expect(textOf(one)).toBeUndefined()
    const [listed] = await all(client.listDeletedSecrets())
    expect(listed).toMatchObject({ name: 'app', ...dates, properties: { tags: { a: '1' } } })
  })

  it('keeps the name from being used until it is recovered or purged', async () => {
    const { client, double } = await deleted()
    expect(await ending(client.setSecret('APP', 'three'))).toEqual(conflict('ObjectIsDeletedButRecoverable'))
    expect(double.versions('app')).toHaveLength(2)
  })

  it('is undone by a recovery, with all versions', async () => {
    const { client, double } = await deleted()
    await client.beginRecoverDeletedSecret('app')
    expect(textOf(await client.getSecret('app'))).toBe('two')
    expect(double.versions('app')).toHaveLength(2)
    expect(await ending(client.getDeletedSecret('app'))).toEqual(MISSING)
    expect(await ending(client.setSecret('app', 'three'))).toBe('done')
  })

  it('is made final by a purge, which frees the name', async () => {
    const { client, double } = await deleted()
    await client.purgeDeletedSecret('app')
    expect(await ending(client.getDeletedSecret('app'))).toEqual(MISSING)
    expect(await ending(client.purgeDeletedSecret('app'))).toEqual(MISSING)
    await client.setSecret('app', 'anew')
    expect(double.reveal('app').join()).toBe('anew')
  })

  it('is final by itself when the retention interval is over', async () => {
    let now = NOON
    const { client, double } = await subject({ now: () => now, recoverableDays: 7 })
    await client.setSecret('app', 'one')
    await client.beginDeleteSecret('app')
    now += 7 * DAY_MS - 1000
    expect(double.stateOf('app')).toBe('deleted')
    now += 1000
    expect(double.stateOf('app')).toBeUndefined()
    expect(await ending(client.getDeletedSecret('app'))).toEqual(MISSING)
    expect(await ending(client.setSecret('app', 'two'))).toBe('done')
  })

  it('of a secret that is not there cannot be undone', async () => {
    const { client } = await subject()
    expect(await ending(client.beginRecoverDeletedSecret('app'))).toEqual(MISSING)
    expect(await ending(client.purgeDeletedSecret('app'))).toEqual(MISSING)
  })
})

describe('a deletion that takes its time in the double of Azure Key Vault', () => {
  const subject = subjects()

  async function underWay(): Promise<Subject> {
    const s = await subject({ slowDeletion: true })
    await s.client.setSecret('app', 'one')
    await s.client.beginDeleteSecret('app')
    return s
  }

  it('is answered before the secret can be found among the deleted', async () => {
    const { client, double } = await underWay()
    expect(double.stateOf('app')).toBe('being deleted')
    expect(await ending(client.getSecret('app'))).toEqual(MISSING)
    expect(await ending(client.getDeletedSecret('app'))).toEqual(MISSING)
    double.settle()
    expect((await client.getDeletedSecret('app')).name).toBe('app')
  })

  it('keeps the name, and the secret from being purged, with a conflict of its own', async () => {
    const { client } = await underWay()
    expect(await ending(client.setSecret('app', 'two'))).toEqual(conflict('ObjectIsBeingDeleted'))
    expect(await ending(client.purgeDeletedSecret('app'))).toEqual(conflict('ObjectIsBeingDeleted'))
  })

  it('is followed by a recovery that takes its time: reads succeed, writes are a conflict', async () => {
    const { client, double } = await underWay()
    double.settle()
    await client.beginRecoverDeletedSecret('app')
    expect(double.stateOf('app')).toBe('being recovered')
    expect(textOf(await client.getSecret('app'))).toBe('one')
    for (const write of [client.setSecret('app', 'two'), client.updateSecretProperties('app', '', { enabled: true })]) {
      expect(await ending(write)).toEqual(conflict('ObjectIsBeingRecovered'))
    }
    double.settle()
    expect(await ending(client.setSecret('app', 'two'))).toBe('done')
  })

  it('is followed by a purge after which the name is not free at once', async () => {
    const { client, double } = await underWay()
    double.settle()
    await client.purgeDeletedSecret('app')
    expect(await ending(client.getDeletedSecret('app'))).toEqual(MISSING)
    expect(await ending(client.setSecret('app', 'two'))).toEqual(conflict('ObjectIsBeingDeleted'))
    double.settle()
    expect(await ending(client.setSecret('app', 'two'))).toBe('done')
    expect(double.versions('app')).toHaveLength(1)
  })
})
