import { parseAdmin } from '../../shared/document.ts'
import { silentLog } from '../../shared/log.ts'
import type { Core } from '../../shared/rotation/core.ts'
import type { VaultKv } from '../../shared/stores/vault-kv.ts'
import { postgres } from '../../shared/targets/postgres.ts'
import type { Faults } from '../conformance/crash.ts'
import { findOpenbao } from '../servers/openbao.ts'
import type { PostgresServer } from '../servers/postgres.ts'
import { placeOnDouble, placeOnOpenbao, storeAt, type VaultPlace } from '../stores/vault-harness.ts'
import {
  adminDocument,
  count,
  database,
  documentOf,
  HOUR,
  type Kept,
  login,
  makePair,
  noLocks,
  type World
} from './crash-worlds.ts'

export interface VaultWorld extends World {
  readonly place: VaultPlace
}

/**
 * Vault KV v2 and a real database: OpenBao where it is installed, its double elsewhere. Each request is sent once. Whoever
 * takes `core` is a process of his own, which remembers nothing of others.
 */
export async function vaultWorld(faults: Faults): Promise<VaultWorld> {
  const { server, proxy } = await database(faults)
  const place = await (findOpenbao() ? placeOnOpenbao() : placeOnDouble())
  const put = (name: string, document: string) => place.owner('POST', `data/${name}`, { data: JSON.parse(document) })
  place.server.setFault(({ op }) => faults.fateOf(op))
  await put('admin', adminDocument(proxy.port))
  return {
    place,
    get core() {
      return coreOf(storeAt(place, []), server)
    },
    fresh: async () => {
      const pair = await makePair(server)
      const id = `app/db${count}`
      await put(id, documentOf(proxy.port, pair, 'admin'))
      const custom = { 'keyturn:kind': 'postgres', 'keyturn:grace': '1h', 'keyturn:period': '30d' }
      await place.owner('POST', `metadata/${id}`, { custom_metadata: custom })
      const keep = async (): Promise<Kept> => {
        const { body } = await place.owner('GET', `data/${id}`)
        return (body as { data: { data: Kept } }).data.data
      }
      return {
        ...{ id, pair, keep },
        use: async () => login(server, await keep()),
        useKept: async (kept) => void (await login(server, kept))
      }
    },
    advance: place.server.advance,
    unlocked: () => noLocks(server),
    stop: async () => {
      await proxy.stop()
      await place.close()
      await server.stop()
    }
  }
}

/** One process for all, which remembers what it saw. */
export const asOneProcess = (world: VaultWorld): VaultWorld => ({ ...world, core: world.core })

function coreOf(store: VaultKv, server: PostgresServer): Core {
  const target = postgres({
    ca: server.caPem,
    admin: async (reference, _host, signal) => parseAdmin((await store.readCurrent(reference, signal)).text)
  })
  return { store, targetFor: () => target, log: silentLog, runLivesMs: HOUR, stepNeedsMs: 100 }
}
