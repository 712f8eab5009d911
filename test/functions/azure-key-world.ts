import { principalOf } from '../doubles/azure-credential.ts'
import { ADMIN_TOKEN, type GraphDouble, startGraph } from '../doubles/graph.ts'
import { ADMIN_TOKEN as ARM_TOKEN, type StorageDouble, startStorage } from '../doubles/storage-management.ts'
import { type FunctionApp, startFunctionApp } from './azure-host.ts'
import { type AzureWorld, startAzureWorld } from './azure-world.ts'
import { acmeKeys, type Document, type KeyHost, type KeyProviderDouble, type Said, startCommon, startGate } from './key-world.ts'

export interface AzureKeyWorld extends KeyHost {
  readonly world: AzureWorld
  readonly graph: GraphDouble
  readonly entra: KeyProviderDouble
  readonly storage: KeyProviderDouble
  readonly acme: KeyProviderDouble
  /** The function app of rotate-database, on the same vault. */
  databases(): FunctionApp
  close(): Promise<void>
}

const YEAR = 365 * 24 * 3_600_000

/** Both function apps as they ship, on one vault, with Entra, Storage and a described provider around them. */
export async function startAzureKeyWorld(folders: { readonly keys: string; readonly databases: string }): Promise<AzureKeyWorld> {
  const [common, graph, storage] = await Promise.all([startCommon(), startGraph(), startStorage()])
  const isApps = (token: string, resource: string) => principalOf(token, resource) === 'app'
  const [graphGate, armGate] = await Promise.all([
    startGate(graph.url, `Bearer ${ADMIN_TOKEN}`, isApps),
    startGate(storage.url, `Bearer ${ARM_TOKEN}`, isApps)
  ])
  const world = await startAzureWorld(folders.keys, {
    ...common.env,
    KEYTURN_GRAPH_URL: graphGate.url,
    KEYTURN_LOGIN_URL: graph.url,
    KEYTURN_ARM_URL: armGate.url,
    KEYTURN_BLOB_URL: `${storage.url}/{account}`
  })
  const databases = await startFunctionApp(folders.databases, world.env)
  await world.put('acme-admin', common.adminDocument, null)
  return {
    ...{ common, world, graph },
    entra: entraKeys(graph),
    storage: storageKeys(storage),
    acme: acmeKeys(common.acme, 'acme-admin'),
    databases: () => databases,
    ask: (request) => ask(world.app(), 'rotate-api-key', request),
    askDatabases: (request) => ask(databases, 'rotate-database', request),
    put: world.put,
    database: async () => (await world.secret()).name,
    read: async (name) => JSON.parse(await world.readText(name)) as Document,
    record: async (name) => JSON.stringify(world.vault.versions(name).at(-1)?.tags),
    versions: (name) => world.vault.versions(name).length,
    advance: world.advance,
    output: async () => `${world.output()}\n${databases.output()}`,
    close: async () => {
      await databases.stop()
      await world.close()
      await Promise.all([common.close(), graph.close(), storage.close(), graphGate.close(), armGate.close()])
    }
  }
}

async function ask(app: FunctionApp, name: string, request: Document): Promise<Said> {
  const { body } = await app.http(name, { body: request })
  return body as Said
}

function entraKeys({ state, calls, now, advance }: GraphDouble): KeyProviderDouble {
  return {
    kind: 'entra-client-secret',
    ends: ['retire'],
    refusal: 'AADSTS7000215',
    open: () => {
      const application = state.register('AzureADMyOrg')
      const key = state.addPassword(application, 'by hand', now() + YEAR)
      const of = { tenantId: application.tenantId, appObjectId: application.id, clientId: application.appId }
      return { type: 'entra-client-secret', ...of, keyId: key.id, clientSecret: key.value, note: 'kept' }
    },
    principalOf: ({ keyId }) => String(keyId),
    works: ({ keyId, clientSecret }) => {
      const key = state.shelf.find(String(keyId))
      return key?.value === clientSecret && !key?.isDeleted && state.endsAt(String(keyId)) > now()
    },
    secretsIn: ({ clientSecret }) => [String(clientSecret), ADMIN_TOKEN],
    calls: () => calls.map(({ op }) => op),
    advance
  }
}

function storageKeys({ state, calls, advance }: StorageDouble): KeyProviderDouble {
  return {
    kind: 'azure-storage-key',
    ends: ['retire'],
    refusal: 'AuthenticationFailed',
    open: () => {
      const { subscriptionId, resourceGroup, name: accountName } = state.open()
      const { value: key } = state.key(accountName, 'key1')
      return {
        type: 'azure-storage-key',
        subscriptionId,
        resourceGroup,
        accountName,
        keyName: 'key1',
        key,
        keys: ['key1', 'key2']
      }
    },
    principalOf: ({ keyName }) => String(keyName),
    works: ({ accountName, keyName, key }) => state.key(String(accountName), String(keyName)).value === key,
    secretsIn: ({ key }) => [String(key)],
    calls: () => calls.map(({ op }) => op),
    advance
  }
}
