import { inspect } from 'node:util'
import type { TokenCredential } from '@azure/core-auth'
import { SecretClient } from '@azure/keyvault-secrets'
import { describe, expect, it } from 'vitest'
import { azureCredential, azureToken } from '../doubles/azure-credential.ts'
import { startKeyVault } from '../doubles/key-vault.ts'
import { strangerIdentity } from '../servers/certificates.ts'
import { askHttps } from '../servers/cloud-https.ts'
import { all, ending, subjects, textOf } from './key-vault-contract.ts'

const VAULT = 'https://vault.azure.net'
const forbidden = (inner: string) => ({ status: 403, code: 'Forbidden', inner })

describe('who asks the double of Azure Key Vault', () => {
  const subject = subjects()

  it('is challenged first, before a value is sent, and then not again', async () => {
    const { client, double } = await subject()
    await client.setSecret('app', 'one')
    await client.getSecret('app')
    expect(double.challenges).toEqual([{ why: 'no token', bodyBytes: 0 }])
    expect(double.calls.map((c) => c.op)).toEqual(['SetSecret', 'GetSecret'])
  })

  it('is challenged too late, with the value in its hand, if its first two writes begin together', async () => {
    const { client, double } = await subject()
    await Promise.all([client.setSecret('a', 'one'), client.setSecret('b', 'two')])
    expect(double.challenges.map((c) => c.bodyBytes > 0)).toEqual([false, true])
    expect(double.calls.map((c) => c.name).sort()).toEqual(['a', 'b'])
  })

  it('is told where a token is to be had, and for what', async () => {
    const { double } = await subject()
    const { status, headers, text } = await askHttps({ method: 'GET', url: `${double.url}/secrets/app`, caPem: double.caPem })
    expect([status, JSON.parse(text).error.code]).toEqual([401, 'Unauthorized'])
    expect(headers['www-authenticate']).toMatch(
      /^Bearer authorization="https:\/\/login\.microsoftonline\.com\/[0-9a-f-]+", resource="https:\/\/vault\.azure\.net"$/
    )
  })

  it('is refused with a token that is forged, expired, or for something else', async () => {
    const { double } = await subject()
    const good = azureToken({ principal: 'app', resource: VAULT })
    const tokens = {
      good,
      forged: `${good.slice(0, -4)}AAAA`,
      nonsense: 'nonsense',
      expired: azureToken({ principal: 'app', resource: VAULT, expiresAt: Date.now() - 1000 }),
      elsewhere: azureToken({ principal: 'app', resource: 'https://management.azure.com' }),
      slash: azureToken({ principal: 'app', resource: `${VAULT}/` })
    }
    const url = `${double.url}/secrets?api-version=7.6`
    const statuses: Record<string, number> = {}
    for (const [name, token] of Object.entries(tokens)) {
      const headers = { authorization: `Bearer ${token}` }
      statuses[name] = (await askHttps({ method: 'GET', url, headers, caPem: double.caPem })).status
    }
    expect(statuses).toEqual({ good: 200, forged: 401, nonsense: 401, expired: 401, elsewhere: 401, slash: 401 })
    expect(double.challenges.map((c) => c.why)).toEqual(Array(5).fill('bad token'))
    expect(double.calls).toHaveLength(1)
  })

  it('hears 401 when its credential gives a token that the vault does not take', async () => {
    const { double, clientOf } = await subject()
    const credential: TokenCredential = {
      getToken: async () => ({ token: 'nonsense', expiresOnTimestamp: Date.now() + 3_600_000 })
    }
    const options = {
      disableChallengeResourceVerification: true,
      tlsOptions: { ca: double.caPem },
      retryOptions: { maxRetries: 0 }
    }
    expect(await ending(new SecretClient(double.url, credential, options).getSecret('app'))).toEqual({
      status: 401,
      code: 'Unauthorized'
    })
    expect(await ending(clientOf('owner').setSecret('app', 'one'))).toBe('done')
  })

  it('sends nothing where the resource of the challenge is not that of the vault, unless told not to look', async () => {
    const { double, clientOf } = await subject()
    const careful = clientOf('owner', { disableChallengeResourceVerification: false })
    expect(await ending(careful.setSecret('app', 'one'))).toBe('no answer')
    expect(double.calls).toEqual([])
  })

  it('sends nothing to a vault whose certificate is of a stranger', async () => {
    const { caPem } = await subject().then((s) => s.double)
    const stranger = await startKeyVault({ identity: await strangerIdentity() })
    try {
      const options = { disableChallengeResourceVerification: true, tlsOptions: { ca: caPem }, retryOptions: { maxRetries: 0 } }
      const client = new SecretClient(stranger.url, azureCredential('owner'), options)
      expect(await ending(client.setSecret('app', 'one'))).toBe('no answer')
      expect([stranger.challenges, stranger.calls]).toEqual([[], []])
    } finally {
      await stranger.close()
    }
  })

  it('is told apart from others by the token, in the list of calls too', async () => {
    const { double, clientOf } = await subject()
    await clientOf('owner').setSecret('app', 'one')
    await clientOf('keyturn').getSecret('app')
    expect(double.calls.map((c) => `${c.principal} ${c.op} ${c.name}`)).toEqual(['owner SetSecret app', 'keyturn GetSecret app'])
  })

  it('may do what its data actions say, each operation by its own', async () => {
    const { double, client, clientOf } = await subject()
    await client.setSecret('app', 'one')
    const keyturn = clientOf('keyturn')
    const may: Record<string, readonly unknown[]> = {}
    for (const right of ['getSecret', 'readMetadata', 'setSecret', 'update', 'delete', 'recover', 'purge'] as const) {
      double.setRights('keyturn', [right])
      const works = {
        get: await ending(keyturn.getSecret('app')),
        list: await ending(all(keyturn.listPropertiesOfSecrets())),
        versions: await ending(all(keyturn.listPropertiesOfSecretVersions('app'))),
        set: await ending(keyturn.setSecret('other', 'one')),
        update: await ending(keyturn.updateSecretProperties('app', '', { tags: {} })),
        delete: await ending(keyturn.beginDeleteSecret('nothing')),
        deleted: await ending(all(keyturn.listDeletedSecrets())),
        recover: await ending(keyturn.beginRecoverDeletedSecret('nothing')),
        purge: await ending(keyturn.purgeDeletedSecret('nothing'))
      }
      may[right] = Object.entries(works)
        .filter(([, end]) => typeof end === 'string' || end.status !== 403)
        .map(([name]) => name)
    }
    expect(may).toEqual({
      getSecret: ['get'],
      readMetadata: ['list', 'versions', 'deleted'],
      setSecret: ['set'],
      update: ['update'],
      delete: ['delete'],
      recover: ['recover'],
      purge: ['purge']
    })
  })

  it('without the right hears ForbiddenByRbac, or ForbiddenByPolicy where the vault has access policies', async () => {
    for (const [permissionModel, inner] of [
      ['rbac', 'ForbiddenByRbac'],
      ['policy', 'ForbiddenByPolicy']
    ] as const) {
      const { client, clientOf, double } = await subject({ permissionModel, principals: { keyturn: ['readMetadata'] } })
      await client.setSecret('app', 'one')
      const keyturn = clientOf('keyturn')
      expect(await ending(keyturn.getSecret('app'))).toEqual(forbidden(inner))
      expect(await ending(keyturn.setSecret('app', 'two'))).toEqual(forbidden(inner))
      // Whether there is such a secret is not told to whoever may not read it.
      expect(await ending(keyturn.getSecret('not-there'))).toEqual(forbidden(inner))
      expect(double.versions('app')).toHaveLength(1)
      double.setRights('keyturn', undefined)
      expect(textOf(await keyturn.getSecret('app'))).toBe('one')
    }
  })

  it('is not told by the client why a list was forbidden', async () => {
    const { clientOf } = await subject({ principals: { keyturn: [] } })
    expect(await ending(all(clientOf('keyturn').listPropertiesOfSecrets()))).toEqual({ status: 403, code: 'Forbidden' })
  })

  it('from outside of the firewall hears ForbiddenByFirewall', async () => {
    const { client, clientOf, double } = await subject()
    double.setFirewall((principal) => principal === 'keyturn')
    expect(await ending(clientOf('keyturn').setSecret('app', 'one'))).toEqual(forbidden('ForbiddenByFirewall'))
    expect(await ending(client.setSecret('app', 'one'))).toBe('done')
  })

  it('finds neither its token nor a value in what the double writes down', async () => {
    const { double } = await subject()
    const planted = 'planted-5b1e77'
    const tokens: string[] = []
    const real = azureCredential('owner')
    const credential: TokenCredential = {
      getToken: async (...a) => {
        const got = await real.getToken(...a)
        tokens.push(got?.token ?? '')
        return got
      }
    }
    const heard: unknown[] = []
    double.setFault((call) => void heard.push(call))
    const options = {
      disableChallengeResourceVerification: true,
      tlsOptions: { ca: double.caPem },
      retryOptions: { maxRetries: 0 }
    }
    const client = new SecretClient(double.url, credential, options)
    await client.setSecret('app', planted, { tags: { a: '1' } })
    await client.setSecret('bad_name', planted).catch((e: unknown) => heard.push((e as Error).message))
    const [token = ''] = tokens
    const forged = `${token.slice(0, -4)}AAAA`
    await askHttps({
      method: 'PUT',
      url: `${double.url}/secrets/app?api-version=7.6`,
      headers: { authorization: `Bearer ${forged}` },
      body: planted,
      caPem: double.caPem
    })
    const raw = await askHttps({
      method: 'PUT',
      url: `${double.url}/secrets/app?api-version=7.6`,
      headers: { authorization: `Bearer ${token}` },
      body: planted,
      caPem: double.caPem
    })
    const shown = inspect([double.calls, double.challenges, heard, double.versions('app'), raw.text], {
      depth: 20,
      showHidden: true
    })
    expect(double.reveal('app').map((value) => value === planted)).toEqual([true])
    expect(tokens).toHaveLength(1)
    expect(token.length).toBeGreaterThan(100)
    for (const secret of [planted, token, token.split('.')[1] ?? '', token.split('.')[2] ?? ''])
      expect(shown.includes(secret)).toBe(false)
  })
})
