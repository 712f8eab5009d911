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
    const { id } = await world.fresh()
    const { warm, cold } = await warmAndCold(id, process, calls, (core) => retire(world, core, id))
    return {
      store,
      storeCalls: warm.filter(isStores).length,
      storeCallsCold: cold.filter(isStores).length,
      otherCalls: warm.filter((op) => !isStores(op)).length
    }
  } finally {
    await world.stop()
  }
}

/** One of the store itself, and of nothing that it needs beside it. */
export const isStores = (op: string): boolean => !op.endsWith(' journal')

/** What one rotation takes in a process that has rotated this secret before, and in one that has not. */
export async function warmAndCold<T>(
  id: string,
  process: () => Core,
  measure: (work: () => Promise<unknown>) => Promise<T>,
  retire: (core: Core) => Promise<void>
): Promise<{ readonly warm: T; readonly cold: T }> {
  const one = process()
  const go = (core: Core) => measure(() => rotated(core, id, 'rotate', newToken()))
  // The first one of a secret makes what the later ones find.
  await go(one)
  await retire(one)
  const warm = await go(one)
  await retire(one)
  return { warm, cold: await go(process()) }
}

async function retire(world: World, core: Core, id: string): Promise<void> {
  world.advance(2 * HOUR)
  const outcome = await rotated(core, id, 'retire', newToken())
  if (!outcome.done.some((d) => d.step === 'retire')) throw new Error(`nothing was retired: ${outcome.phase}`)
}
