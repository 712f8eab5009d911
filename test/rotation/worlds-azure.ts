import { hasClass } from '../../shared/errors.ts'
import type { CrashFlow, Faults } from '../conformance/crash.ts'
import { type Blobs, startBlobs } from '../stores/azure-blobs.ts'
import { type AzureHarness, startAzure } from '../stores/azure-harness.ts'
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
  subjectOf,
  type World
} from './crash-worlds.ts'

export interface AzureWorld extends World {
  readonly azure: AzureHarness
}

export interface AzureWorldOptions {
  /** One process for every run, which remembers what it saw; otherwise each run is a process of its own. */
  readonly isOneProcess?: boolean
  readonly blobs?: () => Promise<Blobs>
}

/** Key Vault's double, a blob container and a real database. Each request is sent once: the suite decides what is lost. */
export async function azureWorld(
  faults: Faults,
  { isOneProcess = false, blobs = startBlobs }: AzureWorldOptions = {}
): Promise<AzureWorld> {
  const { server, proxy } = await database(faults)
  const azure = await startAzure({ blobs, maxRetries: 0, requestTimeoutMs: 1_000 })
  await azure.create('admin', adminDocument(proxy.port), {})
  azure.setFault(({ op }) => faults.fateOf(op))
  azure.setBlobFault(({ op }) => faults.fateOf(`${op} journal`))
  return {
    azure,
    get core() {
      return coreOn(isOneProcess ? azure.store : azure.another(), server.caPem)
    },
    fresh: async () => {
      const pair = await makePair(server)
      const text = documentOf(proxy.port, pair, 'admin')
      const id = await azure.create(`app${count}`, text, { kind: 'postgres', graceMs: HOUR, periodMs: 30 * 24 * HOUR })
      const keep = async (): Promise<Kept> => JSON.parse(await azure.ordinaryRead(id)) as Kept
      return subjectOf(server, id, pair, keep)
    },
    advance: azure.advance,
    unlocked: () => noLocks(server),
    stop: async () => {
      await proxy.stop()
      await azure.close()
      await server.stop()
    }
  }
}

/** A lease, and a second for its rounding. */
const LEASE_MS = 61_000

/** Run again at once, which may be told to wait; and a minute later, when the lease of the dead run has ended by itself. */
export const atOnceAndLater = (flow: CrashFlow, worldOf: () => AzureWorld): CrashFlow => ({
  ...flow,
  prepare: async () => {
    const one = await flow.prepare()
    return {
      ...one,
      recover: async () => {
        await one.recover().catch((e: unknown) => {
          if (!hasClass(e, 'busy') && !hasClass(e, 'unavailable') && !hasClass(e, 'conflict')) throw e
        })
        await worldOf().unlocked()
        await worldOf().azure.blobs.advance(LEASE_MS)
        await one.recover()
      }
    }
  }
})
