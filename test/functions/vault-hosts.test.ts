import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Report } from '../../shared/act.ts'
import { findOpenbao } from '../servers/openbao.ts'
import { startFunctionApp } from './azure-host.ts'
import { AUDIENCE, SCHEDULER, startGcpCloud } from './gcp-cloud.ts'
import { builtGcpFunction, startFramework } from './gcp-framework.ts'
import { builtFunction, startLambda } from './lambda-runtime.ts'
import { startVaultCloud, type VaultCloud } from './vault-cloud.ts'

type Env = Readonly<Record<string, string>>

/** A function as it ships, with Vault as its store. */
interface Host {
  rotate(request: object): Promise<Report>
  output(): string
  stop(): Promise<void>
}

async function onAws(env: Env): Promise<Host> {
  const built = await builtFunction('aws/rotate-database')
  const lambda = await startLambda({ folder: built.folder, runtime: 'stand-in', env })
  return {
    rotate: async (request) => {
      const outcome = await lambda.invoke(request)
      if ('error' in outcome) throw new Error(`${outcome.error.errorType}: ${outcome.error.errorMessage}`)
      return outcome.answer as Report
    },
    output: lambda.output,
    stop: async () => {
      await lambda.stop()
      built.remove()
    }
  }
}

async function onAzure(env: Env): Promise<Host> {
  const built = await builtFunction('azure/rotate-database')
  const app = await startFunctionApp(built.folder, env)
  return {
    rotate: async (body) => {
      const { status, body: report } = await app.http('rotate-database', { body })
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(report)}`)
      return report as Report
    },
    output: app.output,
    stop: async () => {
      await app.stop()
      built.remove()
    }
  }
}

async function onGcp(env: Env): Promise<Host> {
  const built = await builtGcpFunction()
  // For the ID token of who asks: the store is Vault.
  const cloud = await startGcpCloud()
  const { GCE_METADATA_HOST = '', TEST_CERTIFICATES = '', KEYTURN_AUDIENCE = AUDIENCE, KEYTURN_CALLERS = '' } = cloud.env
  const own = { GCE_METADATA_HOST, TEST_CERTIFICATES, KEYTURN_AUDIENCE, KEYTURN_CALLERS }
  const framework = await startFramework({ folder: built.folder, target: 'onRequest', env: { ...own, ...env } })
  return {
    rotate: async (request) => {
      const headers = [
        ['authorization', `Bearer ${cloud.metadata.idToken({ email: SCHEDULER })}`],
        ['content-type', 'application/json']
      ] as const
      const { status, json } = await framework.send({ headers, body: JSON.stringify(request) })
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(json)}`)
      return json as Report
    },
    output: framework.arrived,
    stop: async () => {
      await framework.stop()
      await cloud.close()
      built.remove()
    }
  }
}

describe.each([
  ['AWS', onAws],
  ['Azure', onAzure],
  ['Google Cloud', onGcp]
] as const)('the function on %s with Vault as its store', (_, start) => {
  let cloud: VaultCloud
  let host: Host
  beforeEach(() => expect.hasAssertions())
  beforeAll(async () => {
    cloud = await startVaultCloud()
    host = await start({ ...(cloud.place.openbao ? await cloud.appRole() : cloud.env), KEYTURN_STORE: 'vault' })
  })
  afterAll(async () => {
    await host?.stop()
    await cloud?.close()
  })

  test('rotates by request, retires by request, and leaves no token of its login alive', async () => {
    const { secret, pair } = cloud
    const living = cloud.place.openbao && (await cloud.tokens())
    const rotated = await host.rotate({ action: 'rotate', secretId: secret })
    expect(rotated.results).toMatchObject([{ current: pair[1], previous: pair[0], phase: 'draining' }])
    expect((await cloud.read()).username).toBe(pair[1])
    const retired = await host.rotate({ action: 'retire', secretId: secret, force: true })
    expect(retired.results).toMatchObject([{ done: [{ step: 'retire', proof: { refusal: '28P01' } }] }])
    if (living !== undefined) expect(await cloud.tokens()).toBe(living)
  })

  test('has no secret of Vault in what it writes', async () => {
    const { password } = (await cloud.read()) as unknown as { password: string }
    expect(host.output()).not.toContain(password)
    expect(host.output()).not.toContain(cloud.place.token)
  })

  test('many at once share a login, and none is denied because another one’s end revoked it', async () => {
    const asked = Array.from({ length: 24 }, async (_, n) => {
      // Some begin while others end.
      for (let before = 0; before < n % 4; before++) await cloud.read()
      return host.rotate({ action: 'rotate', secretId: 'db/none' }).catch((e: Error) => e.message)
    })
    for (const said of await Promise.all(asked)) expect(said).toContain('not-found/secret')
  })

  test('refuses a secret that Vault does not have', async () => {
    await expect(host.rotate({ action: 'rotate', secretId: 'db/none' })).rejects.toThrow('not-found/secret')
  })
})

// Says so where the logins are left out.
findOpenbao()
