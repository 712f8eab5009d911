import type { Core } from '../../shared/rotation/core.ts'
import type { GcpSecretManager } from '../../shared/stores/gcp-secret-manager.ts'
import type { Faults } from '../conformance/crash.ts'
import type { GoogleSecretsDouble } from '../doubles/google-secrets.ts'
import type { PostgresServer } from '../servers/postgres.ts'
import { annotationsOf, type GcpPlace, gcpPlace } from '../stores/gcp-harness.ts'
import {
  adminDocument,
  coreOn,
  count,
  database,
  documentOf,
  HOUR,
  type Kept,
  makePair,
  noLocks,
  type Subject,
  subjectOf,
  type World
} from './crash-worlds.ts'

export interface GcpWorld extends World {
  /** Of another process each time it is asked for, which knows nothing of what the ones before wrote. */
  readonly core: Core
  readonly place: GcpPlace
  readonly double: GoogleSecretsDouble
  readonly server: PostgresServer
  coreOn(store: GcpSecretManager): Core
}

/** One attempt a call: the suite decides what is lost, not repeats. */
const ONCE = { maxAttempts: 1, requestTimeoutMs: 1_000 }

/**
 * A store that converges within `lagMs`, a real database, and a person and an application at both. `one`: all runs are in
 * one process, which serves several requests at once.
 */
export async function gcpWorld(faults: Faults, lagMs = 0, processes: 'many' | 'one' = 'many'): Promise<GcpWorld> {
  const { server, proxy } = await database(faults)
  const place = await gcpPlace(ONCE)
  const { double } = place
  place.setFault(({ op }) => faults.fateOf(op))
  await place.create('admin', adminDocument(proxy.port), {})
  const coreOnStore = (store: GcpSecretManager): Core => coreOn(store, server.caPem)
  const only = place.store()
  let runs = 0
  return {
    place,
    double,
    server,
    coreOn: coreOnStore,
    get core() {
      runs++
      return coreOnStore(processes === 'one' ? only : place.store())
    },
    /**
     * The grace begins when the last reader can have been given the version before; so it is that much longer until it is
     * over. Everything has converged then, and what comes after the first run of a secret lags again.
     */
    advance: (ms) => {
      double.setLag(0)
      place.advance(ms + only.facts.convergenceMs)
      if (runs === 1) double.setLag(lagMs)
    },
    unlocked: () => noLocks(server),
    fresh: async (): Promise<Subject> => {
      runs = 0
      double.setLag(0)
      const pair = await makePair(server)
      const id = `app${count}`
      const policy = annotationsOf({ kind: 'postgres', graceMs: HOUR, periodMs: 30 * 24 * HOUR })
      await place.create(id, documentOf(proxy.port, pair, 'admin'), policy)
      double.setLag(lagMs)
      const keep = async (): Promise<Kept> => JSON.parse((await place.latest(id)).text) as Kept
      return subjectOf(server, id, pair, keep)
    },
    stop: async () => {
      await proxy.stop()
      await place.close()
      await server.stop()
    }
  }
}
