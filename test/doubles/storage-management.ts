import { refused } from './arm-answers.ts'
import { listContainers } from './blob-keys.ts'
import { type ProviderAnswer, type ProviderDouble, type ProviderRequest, startProvider } from './provider-double.ts'
import { NAMES, type StorageAccount, type StorageState, storageState } from './storage-management-state.ts'

export interface StorageDouble extends ProviderDouble {
  readonly state: StorageState
}

export const STORAGE_OPS = {
  create: 'StorageAccounts_RegenerateKey',
  list: 'StorageAccounts_ListKeys',
  call: 'Service_ListContainersSegment'
}
export const ADMIN_TOKEN = 'admin-token'

const SCOPE = '^/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\\.Storage/storageAccounts/([^/]+)'

/** Azure Resource Manager for the keys of storage accounts, and the accounts’ blob endpoints at /NAME of the same server. */
export async function startStorage(): Promise<StorageDouble> {
  const state = storageState(() => double.now())
  const managed = (work: (account: StorageAccount, request: ProviderRequest) => ProviderAnswer) => (request: ProviderRequest) => {
    state.controls.seen.push(request.url.href)
    const account = state.accounts.get(request.params[2] ?? '')
    return refusedByManager(request, account, state) ?? (account ? work(account, request) : NOT_FOUND)
  }
  const list = managed((account) => keysOf(account, state))
  const regenerate = managed((account, { json }) => regenerated(account, json.keyName, state))
  const call = (request: ProviderRequest) => listContainers(state, request)
  const double = await startProvider({
    routes: [
      { op: STORAGE_OPS.list, method: 'POST', path: new RegExp(`${SCOPE}/listKeys$`), answer: list },
      { op: STORAGE_OPS.create, method: 'POST', path: new RegExp(`${SCOPE}/regenerateKey$`), answer: regenerate },
      { op: STORAGE_OPS.call, method: 'GET', path: /^\/([a-z0-9]{3,24})\/$/, answer: call }
    ],
    unknown: refused(404, 'InvalidResourceType', 'The resource type could not be found in the namespace.')
  })
  return { ...double, state }
}

const NOT_FOUND = refused(404, 'ResourceNotFound', 'The Resource was not found.')

/** learn.microsoft.com/rest/api/storagerp/storage-accounts/list-keys. */
const keysOf = ({ name: account }: StorageAccount, { key }: StorageState): ProviderAnswer => {
  const keys = NAMES.map((name) => key(account, name)).map(({ name, value, createdAt }) => ({
    creationTime: new Date(createdAt).toISOString().replace('Z', '0000Z'),
    keyName: name,
    value,
    permissions: 'FULL'
  }))
  return { status: 200, body: { keys } }
}

/** learn.microsoft.com/rest/api/storagerp/storage-accounts/regenerate-key: answers with both keys, the new one among them. */
function regenerated(account: StorageAccount, keyName: unknown, state: StorageState): ProviderAnswer {
  const name = NAMES.find((one) => one === keyName)
  if (name === undefined)
    return refused(400, 'InvalidValuesForRequestParameters', 'Values for request parameters are invalid: keyName.')
  state.regenerate(account.name, name)
  return state.controls.odd === undefined ? keysOf(account, state) : { status: 200, body: state.controls.odd }
}

function refusedByManager(
  { headers, url, params }: ProviderRequest,
  account: StorageAccount | undefined,
  { controls }: StorageState
): ProviderAnswer | undefined {
  if (headers.authorization !== `Bearer ${ADMIN_TOKEN}`)
    return refused(401, 'InvalidAuthenticationToken', 'The access token is invalid.')
  if (!/^\d{4}-\d\d-\d\d$/.test(url.searchParams.get('api-version') ?? ''))
    return refused(
      400,
      'MissingApiVersionParameter',
      'The api-version query parameter (?api-version=) is required for all requests.'
    )
  if (account && account.subscriptionId !== params[0])
    return refused(404, 'SubscriptionNotFound', 'The subscription could not be found.')
  if (account && account.resourceGroup !== params[1])
    return refused(404, 'ResourceGroupNotFound', 'The resource group could not be found.')
  // “A read-only lock on a storage account prevents users from listing the account keys”: a POST is a write there.
  if (controls.isLocked)
    return refused(409, 'ScopeLocked', 'The following scope(s) are locked. Please remove the lock and try again.')
  return undefined
}
