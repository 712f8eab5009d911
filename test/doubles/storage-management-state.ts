import { randomBytes, randomUUID } from 'node:crypto'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'

/** What a test turns. */
export interface StorageControls {
  /** A read-only lock: learn.microsoft.com/azure/azure-resource-manager/management/lock-resources. */
  isLocked: boolean
  /** allowSharedKeyAccess: learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent. */
  takesKeys: boolean
  /** The firewall of the account lets this host in. */
  letsIn: boolean
  /** What regenerateKey answers in place of the new keys. */
  odd: unknown
  /** Every URL that was asked, whole, and every Authorization header that a key signed. */
  readonly seen: string[]
}

export interface StorageAccount {
  readonly subscriptionId: string
  readonly resourceGroup: string
  readonly name: string
}

export interface StorageState {
  readonly shelf: KeyShelf
  readonly controls: StorageControls
  readonly accounts: ReadonlyMap<string, StorageAccount>
  /** Makes an account, with its two keys. */
  open(): StorageAccount
  /** The key as it is now. */
  key(account: string, name: string): ShelfKey
  regenerate(account: string, name: string): ShelfKey
}

export const NAMES = ['key1', 'key2']

export function storageState(now: () => number): StorageState {
  const shelf = keyShelf(now)
  const accounts = new Map<string, StorageAccount>()
  /** Two 512-bit keys: learn.microsoft.com/azure/storage/common/storage-account-keys-manage. One that is made anew is another key here. */
  const add = (account: string, name: string): ShelfKey =>
    shelf.add({ id: randomUUID(), account, name, value: randomBytes(64).toString('base64') })
  const key = (account: string, name: string): ShelfKey => {
    const found = shelf.of(account).find((one) => one.name === name)
    if (!found) throw new Error(`no ${name} of ${account}`)
    return found
  }
  return {
    shelf,
    accounts,
    controls: { isLocked: false, takesKeys: true, letsIn: true, odd: undefined, seen: [] },
    open() {
      const name = `st${randomBytes(6).toString('hex')}`
      const account = { subscriptionId: randomUUID(), resourceGroup: 'Group_(één)', name }
      accounts.set(name, account)
      for (const one of NAMES) add(name, one)
      return account
    },
    key,
    regenerate(account, name) {
      shelf.remove(key(account, name).id)
      return add(account, name)
    }
  }
}
