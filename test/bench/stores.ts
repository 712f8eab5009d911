import type { Core } from '../../shared/rotation/core.ts'
import { newFaults } from '../conformance/crash.ts'
import { HOUR, newToken, rotated, type World } from '../rotation/crash-worlds.ts'
import { azureWorld } from '../rotation/worlds-azure.ts'
import { gcpWorld } from '../rotation/worlds-gcp.ts'
import { vaultWorld } from '../rotation/worlds-vault.ts'
import { findOpenbao } from '../servers/openbao.ts'

/** What one rotation by keyturn itself asks of a store, from the request to the end, the admin secret's read included. */
export interface StoreCalls {
  readonly store: string
  /** In a process that has rotated this secret before. */
  readonly storeCalls: number
  /** In one that has not. */
  readonly storeCallsCold: number
  /** Of what the store needs beside it: the blob that holds the lease. */
  readonly otherCalls: number
}

interface Counted {
  readonly world: World
  /** Names of the calls that the work made; those of something else than the store end with ` journal`. */
  readonly calls: (work: () => Promise<unknown>) => Promise<readonly string[]>
  /** A process of its own, which knows nothing yet. */
  readonly process: () => Core
}

export const countOnAzure = (): Promise<StoreCalls> =>
  counted('keyturn’s double of Key Vault', async () => {
    const world = await azureWorld(newFaults())
    return { world, calls: world.azure.calls, process: () => world.core }
  })

export const countOnGcp = (): Promise<StoreCalls> =>
  counted('keyturn’s double of Secret Manager', async () => {
    const world = await gcpWorld(newFaults())
    return { world, calls: world.place.calls, process: () => world.core }
  })

export const countOnVault = (): Promise<StoreCalls> =>
  counted(findOpenbao() ? 'OpenBao' : 'keyturn’s double of KV v2', async () => {
    const world = await vaultWorld(newFaults())
    const { calls } = world.place.server
    const since = async (work: () => Promise<unknown>) => {
      const before = calls.length
      await work()
      return calls.slice(before).map(({ op }) => op)
    }
    return { world, calls: since, process: () => world.core }
  })

async function counted(store: string, start: () => Promise<Counted>): Promise<StoreCalls> {
  const { world, calls, process } = await start()
  try {
    const warm = process()
    const { id } = await world.fresh()
    const go = (core: Core) => calls(() => rotated(core, id, 'rotate', newToken()))
    // The first one of a secret makes what the later ones find.
    await go(warm)
    await retire(world, warm, id)
    const again = await go(warm)
    await retire(world, warm, id)
    const cold = await go(process())
    const isOther = (op: string) => op.endsWith(' journal')
    return {
      store,
      storeCalls: again.filter((op) => !isOther(op)).length,
      storeCallsCold: cold.filter((op) => !isOther(op)).length,
      otherCalls: again.filter(isOther).length
    }
  } finally {
    await world.stop()
  }
}

async function retire(world: World, core: Core, id: string): Promise<void> {
  world.advance(2 * HOUR)
  const outcome = await rotated(core, id, 'retire', newToken())
  if (!outcome.done.some((d) => d.step === 'retire')) throw new Error(`nothing was retired: ${outcome.phase}`)
}
