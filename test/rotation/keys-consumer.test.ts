import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { asked, drainMs, GRACE_MS, type KeySecret, type KeysWorld, keysWorld, SOAK_MS } from '../conformance/keys-crash-world.ts'
import { acme } from './keys-subjects.ts'

const ROTATIONS = 50
/** The provider's clock goes on, the store's does not. */
const MINUTE_MS = 60_000

let subject: Awaited<ReturnType<typeof acme>>
let world: KeysWorld
beforeAll(async () => {
  subject = await acme()
  world = await keysWorld(subject)
})
afterAll(() => world?.stop())

interface Consumer {
  /** Keys that it was given, and what was answered that is not 200. */
  readonly given: Set<string>
  readonly refused: string[]
  calls: number
  /** Time passes between two of its calls, as it does in life: hours do not go by during one. */
  pass(ms: number): Promise<void>
  stop(): Promise<void>
}

/** Reads the secret and calls, all the time: with what it read now, and with the oldest that it may hold, one grace at most. */
function consumer(secret: KeySecret): Consumer {
  const held: { readonly value: string; readonly principal: string; readonly at: number }[] = []
  let between: (() => void) | undefined
  let isOver = false
  const now = (): number => world.settings.now?.() ?? 0
  const self: Omit<Consumer, 'pass' | 'stop'> = { given: new Set(), refused: [], calls: 0 }
  const once = async (): Promise<void> => {
    const { principal, document } = await secret.read()
    const { apiKey } = JSON.parse(document.reveal()) as { readonly apiKey: string }
    if (held.at(-1)?.value !== apiKey) held.push({ value: apiKey, principal, at: now() })
    // The last time that it read a value is when the next one was read, at the latest.
    while (held.length > 1 && now() - (held[1]?.at ?? 0) > GRACE_MS) held.shift()
    self.given.add(principal)
    for (const key of new Set([held.at(-1), held[0]])) {
      if (!key) continue
      const status = await subject.call(key.value)
      self.calls += 1
      if (status !== 200) self.refused.push(`${key.principal}: ${status}`)
    }
  }
  const loop = (async () => {
    while (!isOver) {
      await once()
      between?.()
      between = undefined
      await setImmediate()
    }
  })()
  const pass = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      between = () => {
        world.advance(ms)
        resolve()
      }
    })
  const stop = async (): Promise<void> => {
    isOver = true
    await loop
  }
  return Object.assign(self, { pass, stop })
}

async function rotatedAndRetired(secret: KeySecret, one: Consumer): Promise<void> {
  expect((await asked(secret, 'rotate')).done.map(({ step }) => step)).toContain('promote')
  await one.pass(GRACE_MS / 2)
  await one.pass(drainMs(secret))
  expect((await asked(secret, 'sweep')).phase).toBe('soaking')
  await one.pass(SOAK_MS + MINUTE_MS)
  expect((await asked(secret, 'sweep')).phase).toBe('settled')
}

it(`a consumer that reads and calls all the time sees no refused call through ${ROTATIONS} rotations, of keys that come and go late`, async () => {
  const secret = await world.fresh()
  subject.harness.lagCreated(2)
  subject.harness.lagRevoked(2)
  const one = consumer(secret)
  try {
    for (let n = 0; n < ROTATIONS; n++) await rotatedAndRetired(secret, one)
  } finally {
    await one.stop()
  }
  expect(one.refused).toEqual([])
  expect(one.given.size).toBe(ROTATIONS + 1)
  expect(one.calls).toBeGreaterThan(ROTATIONS * 4)
  expect(await secret.live()).toHaveLength(2)
})
