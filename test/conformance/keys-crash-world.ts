import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { deadline } from '../../shared/deadline.ts'
import { type Log, silentLog } from '../../shared/log.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import type { Credential } from '../../shared/ports/target.ts'
import type { Core } from '../../shared/rotation/core.ts'
import type { Outcome } from '../../shared/rotation/rotate.ts'
import { createSecret, type FileStoreSettings, fileStore, readCurrent } from '../../shared/stores/file.ts'
import type { Faults } from './crash.ts'
import { faulty } from './faulty-store.ts'
import type { KeyScene, KeysHarness } from './keys-harness.ts'
import { soon } from './target-harness.ts'
import { runWant, type Want } from './wants.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

export const RUN_LIVES_MS = 16 * 60_000
/** After which no run lives, whatever is told in whole seconds. */
export const OUTLIVED_MS = RUN_LIVES_MS + 2_000
export const GRACE_MS = 5 * HOUR
export const SOAK_MS = HOUR

/** A provider of keys, started, with what the suites of keys need beside its harness. */
export interface KeysSubject {
  readonly harness: KeysHarness
  /** What the administrator has, that is never to be seen. */
  readonly admins: readonly string[]
  /** Moves the provider's clock. Undefined: its age of keys decides nothing, because it has no marks. */
  readonly advance?: ((ms: number) => void) | undefined
  /** The names of its keys are used again: a key's value dies, its name is always listed. */
  readonly reusesNames?: boolean | undefined
}

/** The file store and one provider. */
export interface KeysWorld {
  readonly subject: KeysSubject
  readonly settings: FileStoreSettings
  fresh(): Promise<KeySecret>
  /** Moves the store's clock, and the provider's where it has one. */
  advance(ms: number): void
  stop(): Promise<void>
}

/** A secret that was never rotated, whose key is one of a provider's. */
export interface KeySecret {
  readonly id: string
  readonly core: Core
  readonly scene: KeyScene
  /** A person's key in the same account, where there is room for one. */
  readonly person: string | undefined
  /** The ordinary read. */
  read(): Promise<Credential>
  facts(): Promise<SecretFacts>
  /** Keys that no stage names and that are not the person's. */
  strays(): Promise<readonly string[]>
  live(): Promise<readonly string[]>
}

export const newToken = (): string => randomUUID()

export async function asked(secret: KeySecret, want: Want, token = newToken(), core = secret.core): Promise<Outcome> {
  const limit = deadline(30_000)
  const request = { secretId: secret.id, token, force: false, endSessions: false, dryRun: false, deadline: limit }
  try {
    return await runWant(core, want, request)
  } finally {
    limit.end()
  }
}

export interface KeysWorldOptions {
  /** Every remote call of both is numbered by these. */
  readonly faults?: Faults
  readonly log?: Log
}

export async function keysWorld(subject: KeysSubject, { faults, log = silentLog }: KeysWorldOptions = {}): Promise<KeysWorld> {
  const { harness } = subject
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-keys-'))
  let now = Date.now()
  const settings = { folder, now: () => now }
  const plain = fileStore(settings)
  const store = faults ? { ...plain, ...faulty(plain, faults) } : plain
  if (faults) harness.setFault(({ op }) => faults.fateOf(op))
  return {
    subject,
    settings,
    fresh: async () => {
      const scene = await harness.scene()
      const id = scene.context.secret ?? ''
      const { kind, maxLive } = scene.target.facts
      const metadata = { kind, graceMs: GRACE_MS, quietMs: 1, soakMs: SOAK_MS, periodMs: 365 * DAY }
      await createSecret(settings, id, scene.current.document, metadata)
      // Room for current, the next, one that a dead run left, and the next after that.
      const person = maxLive > 4 ? await harness.person(scene) : undefined
      const core: Core = { store, targetFor: () => scene.target, log, runLivesMs: RUN_LIVES_MS, stepNeedsMs: 100 }
      return secretOf(subject, scene, core, { id, person, folder })
    },
    advance: (ms) => {
      now += ms
      subject.advance?.(ms)
    },
    stop: async () => {
      await harness.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** One for all tests of a suite. */
export function startedWorld(start: () => Promise<KeysSubject>, options?: KeysWorldOptions): () => KeysWorld {
  let world: KeysWorld | undefined
  beforeAll(async () => {
    world = await keysWorld(await start(), options)
  })
  afterAll(() => world?.stop())
  return () => {
    if (!world) throw new Error('the world did not start')
    return world
  }
}

interface Place {
  readonly id: string
  readonly person: string | undefined
  readonly folder: string
}

function secretOf(subject: KeysSubject, scene: KeyScene, core: Core, { id, person, folder }: Place): KeySecret {
  const { target, context } = scene
  const read = async (): Promise<Credential> => target.inspect(await readCurrent(folder, id), context)
  const facts = async (): Promise<SecretFacts> => {
    const found = await core.store.describe(id, soon())
    if (!found) throw new Error('the secret went away')
    return found
  }
  const live = async (): Promise<readonly string[]> => {
    const current = await read()
    const hold = await target.hold(current, context, soon())
    const { keys } = await hold.live(current, soon())
    return keys.map(({ principal }) => principal)
  }
  const strays = async (): Promise<readonly string[]> => {
    if (subject.reusesNames) return []
    const { previous, metadata, pendings } = await facts()
    const known = [(await read()).principal, person]
    for (const version of [previous, metadata.promoted?.previous, ...pendings.map((p) => p.version)]) {
      if (version === undefined || version === metadata.retired?.version) continue
      const stored = await core.store.read(id, version, soon())
      if (stored) known.push(target.inspect(stored.text, context).principal)
    }
    return (await live()).filter((principal) => !known.includes(principal))
  }
  return { id, core, scene, person, read, facts, live, strays }
}

/** Without a mark nobody can tell whose a key is: a person deletes what a dead run left. */
export async function deleteStrays({ subject }: KeysWorld, secret: KeySecret, strays?: readonly string[]): Promise<void> {
  const { harness } = subject
  if (harness.hasMarks) return
  const current = await secret.read()
  for (const principal of strays ?? (await secret.strays())) await harness.deleteBehind({ ...current, principal })
}

/** Where nothing tells of a use, a person says that nobody uses the old key. */
export async function acknowledge({ core, scene, id, facts }: KeySecret): Promise<void> {
  if (scene.target.facts.lastUsed !== 'none') return
  const { metadata, seenAt } = await facts()
  if (metadata.promoted === undefined) return
  const acknowledged = { version: metadata.promoted.previous, at: seenAt, by: 'ann' }
  await core.store.annotate(id, { acknowledged }, undefined, soon())
}

/** Longer than the grace, and than what the provider's telemetry lags behind with its margin. */
export const drainMs = ({ scene }: KeySecret): number => Math.max(GRACE_MS, scene.target.facts.telemetryLagMs) + HOUR

/** A sweep now and then, as a scheduler does it, until nothing is left to do. */
export async function atRest(world: KeysWorld, secret: KeySecret): Promise<Outcome> {
  let last: Outcome | undefined
  for (let n = 0; n < 6; n++) {
    last = await asked(secret, 'sweep')
    if (last.phase === 'settled' && last.done.length === 0) return last
    world.advance(SOAK_MS + 1)
  }
  throw new Error(`it does not come to rest: ${last?.phase}, ${last?.waitsFor.join('; ')}`)
}
