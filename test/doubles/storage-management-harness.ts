import { randomBytes, randomUUID } from 'node:crypto'
import type { Credential } from '../../shared/ports/target.ts'
import { azureStorageKey, type StorageSettings } from '../../shared/targets/azure-storage-key.ts'
import { SecretText } from '../../shared/types.ts'
import type { KeyScene, KeysHarness } from '../conformance/keys-harness.ts'
import { PLANTED } from '../conformance/target-harness.ts'
import { refused } from './arm-answers.ts'
import { documentsOf, fieldsOf } from './key-documents.ts'
import { ADMIN_TOKEN, STORAGE_OPS, type StorageDouble, startStorage } from './storage-management.ts'

export interface StorageHarness extends KeysHarness {
  readonly storage: StorageDouble
  scene(more?: Partial<StorageSettings>, fields?: Readonly<Record<string, unknown>>): Promise<KeyScene>
}

/** The keys' harness on the double of Storage: two fixed names, so that a person can make one anew and cannot add one. */
export async function startStorageHarness(): Promise<StorageHarness> {
  const storage = await startStorage()
  const { state } = storage
  const settings: StorageSettings = {
    arm: storage.url,
    blobEndpoint: `${storage.url}/{account}`,
    token: async () => new SecretText(ADMIN_TOKEN),
    pausesMs: [0],
    minted: { pausesMs: [0, 0, 0, 0, 0] }
  }
  const accountOf = ({ current }: KeyScene): string => fieldsOf(current.document).accountName ?? ''
  return {
    storage,
    scene: async (more = {}, fields = {}) => {
      const target = azureStorageKey({ ...settings, ...more })
      const { subscriptionId, resourceGroup, name: accountName } = state.open()
      const key = state.key(accountName, 'key1').value
      const whole = { subscriptionId, resourceGroup, accountName, keyName: 'key1', key }
      const document = documentOf({ ...whole, connectionString: connectionString(accountName, key), ...OWNED, ...fields })
      const context = { secret: `secret-of-${accountName}` }
      return { target, current: target.inspect(document, context), context }
    },
    works: async ({ document }) => {
      const { accountName = '', keyName = '', key } = fieldsOf(document)
      return state.key(accountName, keyName).value === key
    },
    use: async () => {},
    wrong: (credential) => rekeyed(credential, randomBytes(64).toString('base64')),
    unreadable: UNREADABLE,
    // What a person can do by hand in the portal: the key that the secret does not use gets another value.
    person: async (scene) => {
      const other = scene.current.principal === 'key1' ? 'key2' : 'key1'
      state.regenerate(accountOf(scene), other)
      return other
    },
    deleteBehind: async ({ document, principal }) => {
      state.regenerate(fieldsOf(document).accountName ?? '', principal)
    },
    snapshot: async (scene) => state.shelf.snapshot(accountOf(scene)),
    hasMarks: false,
    lagCreated: state.shelf.lagCreated,
    lagRevoked: state.shelf.lagRevoked,
    calls: () => storage.calls,
    setFault: storage.setFault,
    createOp: STORAGE_OPS.create,
    denied: refused(403, 'AuthorizationFailed', 'The client does not have authorization to perform action.'),
    // learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
    throttled: { ...refused(429, 'TooManyRequests', 'The request is being throttled.'), headers: { 'Retry-After': '1' } },
    stop: storage.close
  }
}

const OWNED = { keys: ['key1', 'key2'], note: 'of the owner' }

export const connectionString = (account: string, key: string): string =>
  `DefaultEndpointsProtocol=https;AccountName=${account};AccountKey=${key};EndpointSuffix=core.windows.net`

export const documentOf = documentsOf('azure-storage-key')

/** The same document with another key, wherever it stands. */
export const rekeyed = (credential: Credential, key: string): Credential => {
  const old = fieldsOf(credential.document).key ?? ''
  return { ...credential, document: new SecretText(credential.document.reveal().replaceAll(old, key)) }
}

const KEY = Buffer.from(PLANTED).toString('base64')
const WHOLE = {
  subscriptionId: randomUUID(),
  resourceGroup: 'rg',
  accountName: 'store',
  keyName: 'key1',
  key: KEY,
  note: PLANTED
}

const UNREADABLE = [
  { document: new SecretText(`{"key":"${PLANTED}"`), names: /JSON/ },
  { document: documentOf({ ...WHOLE, type: 'azure-cosmos-key' }), names: /type/ },
  { document: documentOf({ ...WHOLE, keyName: PLANTED }), names: /keyName/ },
  { document: documentOf({ ...WHOLE, key: `${PLANTED}!` }), names: /key must/ },
  { document: documentOf({ ...WHOLE, accountName: 'Store/..', subscriptionId: PLANTED }), names: /accountName.*subscriptionId/ },
  { document: documentOf({ ...WHOLE, resourceGroup: `${PLANTED}/x` }), names: /resourceGroup/ },
  { document: documentOf({ ...WHOLE, resourceGroup: '..' }), names: /resourceGroup/ },
  { document: documentOf({ ...WHOLE, keys: ['key1', PLANTED] }), names: /keys/ },
  { document: documentOf({ ...WHOLE, connectionString: connectionString('store', PLANTED) }), names: /connectionString/ },
  { document: documentOf({ ...WHOLE, connectionString: connectionString('another', KEY) }), names: /connectionString/ },
  {
    document: documentOf({ ...WHOLE, connectionString: 'BlobEndpoint=https://x;SharedAccessSignature=sv' }),
    names: /connectionString/
  }
]
