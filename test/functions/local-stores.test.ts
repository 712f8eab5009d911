import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findAzurite } from '../servers/azurite.ts'
import { startAzureWorld } from './azure-world.ts'
import { startGcpCloud } from './gcp-cloud.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'
import { startVaultCloud } from './vault-cloud.ts'

type Env = Readonly<Record<string, string>>

/** The command line as it ships, in a process of its own: SDKs find their credentials there as they do at a terminal. */
interface Shell {
  readonly store: string
  readonly env: Env
  /** Of a managed secret with two logins. */
  readonly secret: string
  readonly pair: readonly [string, string]
  /** The ordinary read of an application. */
  read(): Promise<{ readonly username: string }>
  close(): Promise<void>
}

let built: BuiltFunction
beforeAll(async () => {
  built = await builtFunction('local/keyturn')
})
afterAll(() => built.remove())

const NODE = resolve(import.meta.dirname, '../../node_modules/node/bin/node')

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert.
async function keyturn(shell: Shell, ...args: string[]): Promise<{ exit: number; json: any; err: string }> {
  const argv = [join(built.folder, 'index.mjs'), ...args, '--store', shell.store, '--json']
  const env = { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...shell.env }
  return new Promise((done) => {
    execFile(NODE, argv, { env }, (error, out, err) =>
      done({ exit: error ? Number(error.code) : 0, json: out === '' ? undefined : JSON.parse(out), err })
    )
  })
}

async function onVault(): Promise<Shell> {
  const { env, secret, pair, read, close } = await startVaultCloud()
  return { store: 'vault', env, secret, pair, read, close }
}

async function onGcp(): Promise<Shell> {
  const cloud = await startGcpCloud()
  const owned = await cloud.secret()
  const { GCE_METADATA_HOST = '', SECRET_MANAGER_ENDPOINT = '', KEYTURN_CA_FILE = '' } = cloud.env
  return {
    ...{ store: 'gcp', secret: owned.name, pair: [owned.a, owned.b] },
    env: {
      ...{ GCE_METADATA_HOST, SECRET_MANAGER_ENDPOINT, KEYTURN_CA_FILE },
      ...{ GOOGLE_CLOUD_PROJECT: 'keyturn-test', METADATA_SERVER_DETECTION: 'assume-present' }
    },
    read: () => cloud.read(owned),
    close: cloud.close
  }
}

async function onAzure(): Promise<Shell> {
  const app = await builtFunction('azure/rotate-database')
  const world = await startAzureWorld(app.folder)
  const owned = await world.secret()
  return {
    ...{ store: 'azure', secret: owned.name, pair: [owned.a, owned.b], env: world.env },
    read: () => world.read(owned),
    close: async () => {
      await world.close()
      app.remove()
    }
  }
}

// Without Azurite there is no journal, and so no rotation: findAzurite says that it is left out.
const STORES: readonly (readonly [string, () => Promise<Shell>])[] = [
  ['vault', onVault],
  ['gcp', onGcp],
  ...(findAzurite() ? [['azure', onAzure] as const] : [])
]

describe.each(STORES)('the command line with --store %s', (_, start) => {
  let shell: Shell
  beforeAll(async () => {
    shell = await start()
  })
  afterAll(() => shell?.close())

  test('rotates a secret, retires the old login with proof, and shows both', async () => {
    const { secret, pair } = shell
    const before = await keyturn(shell, 'status')
    expect(before.json?.secrets, before.err).toMatchObject([{ phase: 'settled', current: pair[0] }])
    const rotated = await keyturn(shell, 'rotate', secret)
    expect(rotated.json, rotated.err).toMatchObject({ ok: true, results: [{ current: pair[1], previous: pair[0] }] })
    expect((await shell.read()).username).toBe(pair[1])
    const retired = await keyturn(shell, 'retire', secret, '--force')
    expect(retired.json?.results?.[0]?.done, retired.err).toMatchObject([{ proof: { refusal: '28P01' } }])
    const { json } = await keyturn(shell, 'status', secret)
    expect(json.secrets).toMatchObject([{ phase: 'settled', current: pair[1], retired: { refusal: '28P01' } }])
  })

  test('puts a secret on hold, and says why it is refused', async () => {
    expect((await keyturn(shell, 'hold', shell.secret, '--reason', 'release night')).exit).toBe(0)
    expect(await keyturn(shell, 'rotate', shell.secret)).toMatchObject({ exit: 4, json: { code: 'conflict/held' } })
    expect((await keyturn(shell, 'release', shell.secret)).exit).toBe(0)
  })

  test('says that a secret is not there', async () => {
    expect((await keyturn(shell, 'rotate', 'no-such-secret')).json).toMatchObject({ code: 'not-found/secret' })
  })
})

test.each([
  ['azure', 'KEYTURN_KEY_VAULT_URL'],
  ['gcp', 'GOOGLE_CLOUD_PROJECT'],
  ['vault', 'VAULT_ADDR']
])('without its settings, --store %s names what is missing', async (store, name) => {
  const shell = { store, env: {} as Env } as Shell
  const { exit, json } = await keyturn(shell, 'status')
  expect([exit, json.code, json.message]).toEqual([2, 'invalid/config', expect.stringContaining(name)])
})

test('without a credential of Google’s, --store gcp says how to sign in', async () => {
  const env = { GOOGLE_CLOUD_PROJECT: 'keyturn-test', GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/key.json' }
  const { exit, json } = await keyturn({ store: 'gcp', env } as unknown as Shell, 'rotate', 'app')
  expect([exit, json.code, json.message]).toEqual([2, 'invalid/config', expect.stringContaining('gcloud auth')])
})
