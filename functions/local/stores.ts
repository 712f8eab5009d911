import { existsSync } from 'node:fs'
import { adminIn, type ReadCurrent } from '../../shared/admin.ts'
import { readConfig } from '../../shared/config.ts'
import { KeyturnError } from '../../shared/errors.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { fileStore, readCurrent } from '../../shared/stores/file.ts'
import type { PostgresSettings } from '../../shared/targets/postgres.ts'

/** Where a store is found. */
export interface Place {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Of the file store. */
  readonly folder: string
  /** The folder may be missing: something is about to be put in it. */
  readonly mayBeNew: boolean
}

/** A store, and how the admin secrets that lie in it are read. */
export interface Stored {
  readonly store: Core['store']
  readonly admin: NonNullable<PostgresSettings['admin']>
  readonly read: ReadCurrent
  /** After the command: what was logged in for it is revoked. Never throws. */
  readonly end?: () => Promise<void>
}

/** SDKs are loaded only for the store that wants one. Nothing is sent. Throws `invalid/config`. */
const STORES = {
  file: async ({ folder, mayBeNew }: Place): Promise<Stored> => {
    if (!mayBeNew && !existsSync(folder))
      throw new KeyturnError('invalid/config', `there is no folder ${folder}; --folder names it, and keyturn create makes it`)
    const read: ReadCurrent = async (id) => ({ text: await readCurrent(folder, id) })
    return { store: fileStore({ folder }), admin: adminIn(read), read }
  },
  aws: async ({ environment }: Place): Promise<Stored> => {
    const { awsPlace } = await import('../aws/compose.ts')
    const own = { ...awsOnly(environment), KEYTURN_STORE: 'aws' }
    const { adminOf } = await import('../aws/databases.ts')
    const place = await awsPlace(own, readConfig(own))
    return { store: place.store(), admin: adminOf(place), read: place.read }
  },
  azure: async (place: Place): Promise<Stored> => (await import('./store-azure.ts')).azurePlace(place),
  gcp: async (place: Place): Promise<Stored> => (await import('./store-gcp.ts')).gcpPlace(place),
  vault: async (place: Place): Promise<Stored> => (await import('./store-vault.ts')).vaultPlace(place)
}

export type StoreName = keyof typeof STORES
export const STORE_NAMES = Object.keys(STORES) as readonly StoreName[]

/** Variables of a store of another cloud: they may be set for all commands at once. */
export const STORE_VARIABLES = [
  'KEYTURN_KEY_VAULT_URL',
  'KEYTURN_JOURNAL_URL',
  'KEYTURN_LOCATION',
  'KEYTURN_GRAPH_URL',
  'KEYTURN_LOGIN_URL',
  'KEYTURN_ARM_URL',
  'KEYTURN_BLOB_URL',
  'KEYTURN_API_KEY_VERIFY_URL'
] as const

const awsOnly = (environment: Place['environment']): Place['environment'] =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !STORE_VARIABLES.some((other) => other === name)))

/** Throws `invalid/config` for a name that is none. */
export function storeNameOf(text: string): StoreName {
  const name = STORE_NAMES.find((known) => known === text)
  if (!name) throw new KeyturnError('invalid/config', `the store is none of ${STORE_NAMES.join(', ')}`)
  return name
}

export const openStore = (name: StoreName, place: Place): Promise<Stored> => STORES[name](place)
