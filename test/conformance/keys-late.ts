import { describe, expect, it } from 'vitest'
import type { Core } from '../../shared/rotation/core.ts'
import {
  acknowledge,
  asked,
  atRest,
  drainMs,
  type KeySecret,
  type KeysSubject,
  type KeysWorld,
  newToken,
  OUTLIVED_MS,
  startedWorld
} from './keys-crash-world.ts'

const withStore = (core: Core, store: Partial<Core['store']>): Core => ({ ...core, store: { ...core.store, ...store } })

interface Gate {
  readonly open: () => void
  readonly opened: Promise<void>
}

function gate(): Gate {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** What the interleave suite found with names that are used again, each as one schedule: runs that slept, and keys that died. */
export function keysLate(name: string, start: () => Promise<KeysSubject>): void {
  describe(`runs that come late: ${name}`, () => {
    const w = startedWorld(start)
    sleepers(w)
    dead(w)
  })
}

function sleepers(w: () => KeysWorld): void {
  it('a run that slept before its claim does not end the key that another one made current meanwhile', async () => {
    const secret = await w().fresh()
    const { store } = secret.core
    const slept = withStore(secret.core, {
      claim: async (...a) => {
        await asked(secret, 'rotate')
        return store.claim(...a)
      }
    })
    await asked(secret, 'rotate', newToken(), slept).catch(() => {})
    await works(w(), secret)
  })

  it('a request that is delivered twice at once does not end its own key', async () => {
    const secret = await w().fresh()
    const { store } = secret.core
    const token = newToken()
    const [isLate, goesOn] = [gate(), gate()]
    const late = withStore(secret.core, {
      claim: async (...a) => {
        isLate.open()
        await goesOn.opened
        return store.claim(...a)
      }
    })
    const second = asked(secret, 'rotate', token, late).catch(() => {})
    await isLate.opened
    const first = withStore(secret.core, {
      promote: async (...a) => {
        goesOn.open()
        await second
        return store.promote(...a)
      }
    })
    await asked(secret, 'rotate', token, first).catch(() => {})
    await works(w(), secret)
  })
}

function dead(w: () => KeysWorld): void {
  it('a key that died while it was pending is given up, and another one is made', async () => {
    const secret = await w().fresh()
    const { scene, core } = secret
    const before = await secret.read()
    const dies = withStore(core, {
      promote: async () => {
        throw new Error('killed before')
      }
    })
    await asked(secret, 'rotate', newToken(), dies).catch(() => {})
    const [pending] = (await secret.facts()).pendings
    const stored = await core.store.read(secret.id, pending?.version ?? '', AbortSignal.timeout(5_000))
    if (!stored) throw new Error('nothing is pending')
    await w().subject.harness.deleteBehind(scene.target.inspect(stored.text, scene.context))
    w().advance(OUTLIVED_MS)
    await asked(secret, 'rotate').catch(() => {})
    await asked(secret, 'rotate').catch(() => {})
    expect((await secret.facts()).pendings).toEqual([])
    expect((await secret.read()).principal, 'another one is current').not.toBe(before.principal)
    await works(w(), secret)
  })

  it('a key that was deleted and not recorded so is not current again, and the secret comes to rest', async () => {
    const secret = await w().fresh()
    const { core } = secret
    await asked(secret, 'rotate')
    const current = await secret.read()
    w().advance(drainMs(secret))
    await acknowledge(secret)
    const deaf = withStore(core, {
      annotate: async (id, patch, ...a) => {
        if (patch.retired) throw new Error('killed before')
        return core.store.annotate(id, patch, ...a)
      }
    })
    for (let n = 0; n < 3; n++) {
      await asked(secret, 'sweep', newToken(), deaf).catch(() => {})
      w().advance(drainMs(secret))
    }
    await asked(secret, 'rollback').catch(() => {})
    expect((await secret.read()).principal).toBe(current.principal)
    w().advance(drainMs(secret))
    await acknowledge(secret)
    await atRest(w(), secret)
    await works(w(), secret)
  })
}

async function works({ subject: { harness } }: KeysWorld, secret: KeySecret): Promise<void> {
  expect(await harness.works(await secret.read()), 'the ordinary read works').toBe(true)
}
