import type { Faults } from '../conformance/crash.ts'
import { findOpenbao } from '../servers/openbao.ts'
import { placeOnDouble, placeOnOpenbao, storeAt, type VaultPlace } from '../stores/vault-harness.ts'
import {
  adminDocument,
  coreOn,
  count,
  database,
  documentOf,
  type Kept,
  makePair,
  noLocks,
  subjectOf,
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
      return coreOn(storeAt(place, []), server.caPem)
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
      return subjectOf(server, id, pair, keep)
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
