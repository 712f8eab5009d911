import type { ResourceManagerSettings } from '../azure-resource-manager.ts'
import { KeyturnError } from '../errors.ts'
import type { Problem, Target } from '../ports/target.ts'
import { problem } from '../problem.ts'
import { type BlobSettings, blobCall } from './azure-storage-call.ts'
import {
  AZURE_STORAGE_KEY,
  KEY_NAMES,
  notOurs,
  otherThan,
  refuseUnowned,
  type StorageDocument,
  storageDocument,
  withKey
} from './azure-storage-document.ts'
import { type StorageKeys, type StorageManagement, storageManagement } from './azure-storage-management.ts'
import { type MintedSettings, minted } from './minted.ts'
import type { KeyFacts, KeyList, KeyProvider } from './minted-provider.ts'

export interface StorageSettings extends ResourceManagerSettings, BlobSettings {
  readonly minted?: MintedSettings | undefined
}

const FACTS: KeyFacts = {
  name: AZURE_STORAGE_KEY,
  kind: AZURE_STORAGE_KEY,
  maxLive: KEY_NAMES.length,
  overlap: 'dual',
  // listKeys tells the time of creation and no other. Resource logs name the key, where somebody switched them on: NO_LAST_USE.
  lastUsed: 'none',
  telemetryLagMs: 0,
  // listKeys shows both, at any time.
  mintedOnce: false,
  // “Up to 30 seconds” until a key that was made anew is taken (MicrosoftDocs/azure-docs#47633); no page promises a bound: four times that.
  settlesMs: 2 * 60_000
}

/** The two access keys of an Azure storage account: the one that the secret does not use is made anew, then they change places. */
export const azureStorageKey = (settings: StorageSettings): Target => minted(storageProvider(settings), settings.minted)

function storageProvider(settings: StorageSettings): KeyProvider<StorageDocument> {
  const management = storageManagement(settings)
  return {
    facts: FACTS,
    inspect: storageDocument,
    create: (current, _mark, signal) => create(management, current, signal),
    list: async (of, signal) => listOf(of, await management.list(of, signal)),
    call: blobCall(settings),
    lastUse: async () => ({ state: 'cannot-tell', why: NO_LAST_USE }),
    remove: (of, id, signal) => remove(management, of, id, signal),
    preflight: async (current) => known(current)
  }
}

/**
 * Not repeated after a lost answer, though a second value would be as good: the first request may still be under way, and where
 * it comes in last, the value that was kept is the one that is dead. The next run makes it anew.
 */
async function create(management: StorageManagement, current: StorageDocument, signal: AbortSignal) {
  const name = otherThan(current.principal)
  refuseUnowned(current, name)
  const { keys } = await management.regenerate(current, name, false, signal)
  const made = keys.find((key) => key.name === name)
  if (made === undefined) throw new KeyturnError('invalid/answer', `Azure Resource Manager: the answer has no ${name}`)
  return withKey(current, name, made.value)
}

/**
 * Both names are always there, and both work. Where both are the secret's, the one that it does not use is no stranger that is
 * in the way: it is made anew, not added, so that there is always room for the next. Where they are not, the account is full.
 */
function listOf({ ownsBoth }: StorageDocument, { keys, now }: StorageKeys): KeyList {
  const listed = keys.map(({ name, createdAt }) => ({ id: name, createdAt }))
  return { keys: listed, now, maxLive: ownsBoth ? Number.POSITIVE_INFINITY : undefined }
}

/**
 * Made anew, so that nobody knows it, and only while it still is the value that is to die: names are used again, and a run that
 * slept must not kill what another one has made under the same name meanwhile.
 */
async function remove(management: StorageManagement, of: StorageDocument, id: string, signal: AbortSignal): Promise<void> {
  if (id !== of.principal) throw new KeyturnError('conflict/key-not-ours', `the secret says nothing of the value of ${id}`)
  refuseUnowned(of, of.principal)
  const { keys } = await management.list(of, signal)
  const isStill = keys.some(({ name, value }) => name === id && value.equals(of.key))
  if (isStill) await management.regenerate(of, of.principal, true, signal)
}

/** learn.microsoft.com/azure/azure-monitor/reference/tables/storagebloblogs; in real entries the hash reads key1(…), for a SAS too. */
const NO_LAST_USE =
  'Azure keeps no last use of a storage key; where resource logs are on, AuthenticationHash begins with the name of the key that signed'

/** “The only way to immediately revoke an ad hoc SAS” is what a retirement does: learn.microsoft.com/rest/api/storageservices/create-service-sas. */
function known({ account, principal, ownsBoth }: StorageDocument): readonly Problem[] {
  if (!ownsBoth) return [problem('conflict/key-not-ours', notOurs(account, otherThan(principal)))]
  const message = `every SAS that was signed with ${principal} of ${account} dies when ${principal} is retired`
  const todo = 'Sign them anew with the new key before the grace is over, or use user delegation SAS, which no key signs.'
  return [{ code: 'conflict/in-use', message, todo, fatal: false }]
}
