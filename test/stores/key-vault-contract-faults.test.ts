import { describe, expect, it } from 'vitest'
import { azureToken } from '../doubles/azure-credential.ts'
import { askHttps, type HttpsQuestion } from '../servers/cloud-https.ts'
import { all, ending, type Subject, subjects, textOf } from './key-vault-contract.ts'

const READ_ONLY = { status: 503, code: 'ServiceUnavailable' }

describe('what goes wrong with the double of Azure Key Vault', () => {
  const subject = subjects()

  /** The secret `app` with the value one, and the hook set only then. */
  async function withSecret(): Promise<Subject> {
    const s = await subject()
    await s.client.setSecret('app', 'one')
    return s
  }

  it('loses the request, the answer, or neither, as the fault hook says', async () => {
    const { double, client } = await withSecret()
    const count = () => double.versions('app').length
    double.setFault(() => 'before')
    expect([await ending(client.setSecret('app', 'two')), count()]).toEqual(['no answer', 1])
    double.setFault(() => 'lost')
    expect([await ending(client.setSecret('app', 'two')), count()]).toEqual(['no answer', 2])
    double.setFault(() => 'after')
    expect([await ending(client.setSecret('app', 'three')), count()]).toEqual(['done', 3])
    double.setFault(undefined)
    expect([await ending(client.setSecret('app', 'four')), count()]).toEqual(['done', 4])
  })

  it('lets one write of many be ambiguous, told by its place, its tags or its principal', async () => {
    const { double, client } = await withSecret()
    double.setFault(({ index, op, tags }) => (index === 1 || (op === 'UpdateSecret' && tags?.rid === 'r2') ? 'lost' : undefined))
    const ends = [
      await ending(client.setSecret('app', 'two')),
      await ending(client.updateSecretProperties('app', '', { tags: { rid: 'r1' } })),
      await ending(client.updateSecretProperties('app', '', { tags: { rid: 'r2' } }))
    ]
    expect(ends).toEqual(['no answer', 'done', 'no answer'])
    expect(double.versions('app').map((v) => v.tags)).toEqual([{}, { rid: 'r2' }])
  })

  it('doubles a write whose answer is lost when the client retries by itself', async () => {
    const { double, clientOf } = await withSecret()
    double.setFault(({ index }) => (index === 1 ? 'lost' : undefined))
    await clientOf('owner', { retryOptions: { maxRetries: 1, retryDelayInMs: 1 } }).setSecret('app', 'two')
    expect(double.versions('app')).toHaveLength(3)
  })

  it('holds a late write back until the test lets it land, after whatever was written meanwhile', async () => {
    const { double, client } = await withSecret()
    double.setFault(({ tags }) => (tags?.rid === 'slow' ? 'late' : undefined))
    expect(await ending(client.setSecret('app', 'slow', { tags: { rid: 'slow' } }))).toBe('no answer')
    expect(double.versions('app')).toHaveLength(1)
    await client.setSecret('app', 'fast', { tags: { rid: 'fast' } })
    expect(textOf(await client.getSecret('app'))).toBe('fast')
    expect(double.landLate()).toEqual([{ op: 'SetSecret', name: 'app', status: 200 }])
    const newest = await client.getSecret('app')
    expect([textOf(newest), newest.properties.tags?.rid]).toEqual(['slow', 'slow'])
    expect(double.landLate()).toEqual([])
  })

  it('judges a late write when it lands, by what is true then', async () => {
    const { double, client, clientOf } = await withSecret()
    double.setFault(({ principal }) => (principal === 'keyturn' ? 'late' : undefined))
    await ending(clientOf('keyturn').setSecret('app', 'slow'))
    await ending(clientOf('keyturn').setSecret('other', 'slow'))
    await client.beginDeleteSecret('app')
    expect(double.landLate().map((l) => [l.name, l.status])).toEqual([
      ['app', 409],
      ['other', 200]
    ])
  })

  it('waits, without effect, as long as the fault hook does', async () => {
    const { double, client } = await withSecret()
    let asked = (): void => {}
    let release = (): void => {}
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    const isReleased = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    double.setFault(({ op }) => {
      if (op !== 'SetSecret') return undefined
      asked()
      return isReleased
    })
    const writing = client.setSecret('app', 'two')
    await isAsked
    expect(textOf(await client.getSecret('app'))).toBe('one')
    release()
    await writing
    expect(textOf(await client.getSecret('app'))).toBe('two')
  })

  it('answers with the vendor error that the fault hook names, without effect', async () => {
    const { double, client } = await withSecret()
    const faults = [
      { error: 'Forbidden', inner: 'ForbiddenByRbac' },
      { error: 'Forbidden', inner: 'SecretDisabled' },
      { error: 'Conflict', inner: 'ObjectIsBeingDeleted' },
      { error: 'Throttled' },
      { error: 'ServiceUnavailable' },
      { error: 'InternalServerError' },
      { error: 'BadGateway', status: 502 }
    ]
    const seen = []
    for (const fault of faults) {
      double.setFault(() => fault)
      seen.push(await ending(client.setSecret('app', 'two')))
    }
    expect(seen).toEqual([
      { status: 403, code: 'Forbidden', inner: 'ForbiddenByRbac' },
      { status: 403, code: 'Forbidden', inner: 'SecretDisabled' },
      { status: 409, code: 'Conflict', inner: 'ObjectIsBeingDeleted' },
      { status: 429, code: 'Throttled' },
      { status: 503, code: 'ServiceUnavailable' },
      { status: 500, code: 'InternalServerError' },
      { status: 502, code: 'BadGateway' }
    ])
    expect(double.versions('app')).toHaveLength(1)
  })

  it('throttles with a Retry-After, after which the client asks again', async () => {
    const { double, clientOf } = await withSecret()
    double.setFault(({ index }) => (index === 1 ? { error: 'Throttled', retryAfterSeconds: 0 } : undefined))
    const patient = clientOf('owner', { retryOptions: { maxRetries: 1 } })
    expect(textOf(await patient.getSecret('app'))).toBe('one')
    expect(double.calls.map((c) => c.op)).toEqual(['SetSecret', 'GetSecret', 'GetSecret'])
    double.setFault(() => ({ error: 'Throttled', retryAfterSeconds: 7 }))
    const raw = await askHttps(question(double, 'GET', '/secrets/app'))
    expect([raw.status, raw.headers['retry-after']]).toEqual([429, '7'])
  })

  it('in a failover reads and lists, and refuses every change with 503 until it has failed back', async () => {
    const { double, client } = await withSecret()
    await client.setSecret('gone', 'one')
    await client.beginDeleteSecret('gone')
    double.setReadOnly(true)
    expect(textOf(await client.getSecret('app'))).toBe('one')
    expect(await all(client.listPropertiesOfSecrets())).toHaveLength(1)
    expect((await client.getDeletedSecret('gone')).name).toBe('gone')
    const changes = [
      client.setSecret('app', 'two'),
      client.updateSecretProperties('app', '', { enabled: false }),
      client.beginDeleteSecret('app'),
      client.beginRecoverDeletedSecret('gone'),
      client.purgeDeletedSecret('gone')
    ]
    expect(await Promise.all(changes.map((change) => ending(change)))).toEqual(changes.map(() => READ_ONLY))
    double.setReadOnly(false)
    expect(await ending(client.setSecret('app', 'two'))).toBe('done')
    expect([double.versions('app').length, double.stateOf('gone')]).toEqual([2, 'deleted'])
  })

  it('tells the time of its own clock in every answer', async () => {
    const { double } = await subject({ now: () => Date.UTC(2030, 0, 1, 12, 0, 0, 250) })
    const raw = await askHttps(question(double, 'GET', '/secrets'))
    expect([raw.status, raw.headers.date]).toEqual([200, 'Tue, 01 Jan 2030 12:00:00 GMT'])
    const challenge = await askHttps({ ...question(double, 'GET', '/secrets'), headers: {} })
    expect([challenge.status, challenge.headers.date]).toEqual([401, 'Tue, 01 Jan 2030 12:00:00 GMT'])
  })

  it('refuses a request that is not well formed, and one that it does not know', async () => {
    const { double } = await withSecret()
    const ask = async (q: HttpsQuestion) => {
      const { status, text } = await askHttps(q)
      return [status, JSON.parse(text).error.code]
    }
    const bad = [400, 'BadParameter']
    for (const body of [
      'not json',
      '[]',
      '{}',
      '{"value":7}',
      '{"value":null}',
      '{"value":"x","tags":[]}',
      '{"value":"x","attributes":{"enabled":"no"}}',
      '{"value":"x","attributes":{"exp":1.5}}'
    ]) {
      expect(await ask({ ...question(double, 'PUT', '/secrets/app'), body }), body).toEqual(bad)
    }
    expect(await ask({ ...question(double, 'GET', '/secrets'), url: `${double.url}/secrets` })).toEqual(bad)
    expect(await ask({ ...question(double, 'GET', '/secrets'), url: `${double.url}/secrets?api-version=1` })).toEqual(bad)
    expect(await ask(question(double, 'GET', '/secrets', '&maxresults=0'))).toEqual(bad)
    expect(await ask(question(double, 'GET', '/secrets', '&$skiptoken=x'))).toEqual(bad)
    expect(await ask(question(double, 'GET', '/secrets/%E0%A4%A'))).toEqual(bad)
    expect(await ask(question(double, 'PUT', '/secrets/'))).toEqual([405, 'MethodNotAllowed'])
    expect(await ask(question(double, 'POST', '/secrets/app/backup'))).toEqual([501, 'NotImplemented'])
    expect(await ask(question(double, 'GET', '/keys/app'))).toEqual([501, 'NotImplemented'])
    expect(double.versions('app')).toHaveLength(1)
  })
})

function question(
  { url, caPem }: { readonly url: string; readonly caPem: string },
  method: string,
  path: string,
  more = ''
): HttpsQuestion {
  const authorization = `Bearer ${azureToken({ principal: 'owner', resource: 'https://vault.azure.net' })}`
  return { method, url: `${url}${path}?api-version=7.6${more}`, headers: { authorization }, caPem }
}
