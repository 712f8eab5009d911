import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { SlackHarness } from '../doubles/channel-slack.ts'
import type { BuiltFunction } from './lambda-runtime.ts'

interface World<S> {
  readonly chat: SlackHarness
  scene(): Promise<S>
  close(): Promise<void>
}

interface Scene {
  /** Everything that its processes have written; also after they were ended. */
  output(): string | Promise<string>
  close(): Promise<void>
}

interface Setting<W> {
  readonly build: () => Promise<BuiltFunction>
  readonly open: (folder: string) => Promise<W>
  /** What nothing may put out, beside the channel's secrets. */
  readonly secrets: (world: W) => readonly string[]
}

/** One world for the tests of a file, and a scene for each of them; whatever a test does, no secret is put out. */
export function auditStage<S extends Scene, W extends World<S>>({ build, open, secrets }: Setting<W & World<S>>) {
  let built: BuiltFunction
  let world: W
  let scene: S
  beforeAll(async () => {
    built = await build()
    world = await open(built.folder)
  })
  afterAll(async () => {
    await world.close()
    built.remove()
  })
  beforeEach(async () => {
    scene = await world.scene()
    await world.chat.arrived()
  })
  afterEach(async () => {
    await scene.close()
    const output = await scene.output()
    for (const secret of [...world.chat.secrets, ...secrets(world)]) expect(output).not.toContain(secret)
  })
  return {
    get world() {
      return world
    },
    get scene() {
      return scene
    }
  }
}
