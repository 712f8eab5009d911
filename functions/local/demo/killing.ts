import type { SecretCatalog, SecretStore } from '../../../shared/ports/secret-store.ts'
import type { Target, TargetHold } from '../../../shared/ports/target.ts'
import type { Core } from '../../../shared/rotation/core.ts'

/** Every call of a rotation and of a retirement that changes something, or that one waits for. */
const ROTATING = ['stage', 'apply', 'verify', 'promote', 'record', 'drop'] as const
const RETIRING = ['retire', 'record'] as const

export type KillPoint = `${'before' | 'after'} ${(typeof ROTATING)[number] | (typeof RETIRING)[number]}`

const around = (steps: readonly (typeof ROTATING)[number][] | typeof RETIRING): KillPoint[] =>
  steps.flatMap((step): KillPoint[] => [`before ${step}`, `after ${step}`])

export const ROTATION_KILLS: readonly KillPoint[] = around(ROTATING)
export const RETIREMENT_KILLS: readonly KillPoint[] = around(RETIRING)

/** The same core, which dies at one point. The process itself knows nothing of it: there is nothing that it could tidy up. */
export function dyingAt(core: Core, point: KillPoint | undefined, die: () => void): Core {
  const at = <Args extends unknown[], T>(step: string, call: (...args: Args) => Promise<T>) => {
    return async (...args: Args): Promise<T> => {
      if (point === `before ${step}`) die()
      const result = await call(...args)
      if (point === `after ${step}`) die()
      return result
    }
  }
  const { store } = core
  return {
    ...core,
    store: {
      ...store,
      stage: at('stage', store.stage),
      promote: at('promote', store.promote),
      annotate: at('record', store.annotate),
      drop: at('drop', store.drop)
    } satisfies SecretStore & SecretCatalog,
    targetFor: (document) => {
      const target = core.targetFor(document)
      return {
        ...target,
        verify: at('verify', target.verify),
        hold: async (...args) => {
          const hold = await target.hold(...args)
          return { ...hold, apply: at('apply', hold.apply), retire: at('retire', hold.retire) } satisfies TargetHold
        }
      } satisfies Target
    }
  }
}
