import type { Deadline } from '../../shared/deadline.ts'
import type { Log } from '../../shared/log.ts'
import type { MetadataPatch } from '../../shared/metadata.ts'
import type { Core, Request } from '../../shared/rotation/core.ts'
import { type Instant, instant, type SecretId, type Token } from '../../shared/types.ts'
import { awsStore } from '../doubles/model-aws.ts'
import { labelsStore } from '../doubles/model-labels.ts'
import { mintedTarget } from '../doubles/model-minted.ts'
import { pairTarget } from '../doubles/model-pair.ts'
import { siblingStore } from '../doubles/model-siblings.ts'
import type { ModelStore } from '../doubles/model-store.ts'
import type { ModelTarget } from '../doubles/model-target.ts'
import { straightWire, type Wire } from '../doubles/model-wire.ts'
import { type Observer, observer } from './interleave-checks.ts'
import type { Stage } from './interleave-schedule.ts'

export type StoreKind = ModelStore['kind']
export type TargetKind = ModelTarget['kind']

export const HOUR = 3_600_000
export const GRACE_MS = 24 * HOUR
export const RUN_LIVES_MS = 16 * 60_000

/** One secret in a model store, one model target, a clock that only a schedule moves, and the guarantees, watched. */
export interface World {
  readonly id: SecretId
  readonly store: ModelStore
  readonly target: ModelTarget
  readonly observer: Observer
  readonly stage: Stage
  readonly now: () => Instant
  advance(ms: number): void
  /** Longer than any client may hold what it was given. */
  readonly overGraceMs: number
  core(wire: Wire): Core
}

const STORES: Readonly<Record<StoreKind, (now: () => Instant) => ModelStore>> = {
  labels: labelsStore,
  sibling: (now) => siblingStore('sibling', now),
  stale: (now) => siblingStore('stale', now),
  cas: (now) => siblingStore('cas', now),
  aws: awsStore
}
const TARGETS: Readonly<Record<TargetKind, (now: () => Instant) => ModelTarget>> = {
  pair: pairTarget,
  minted: mintedTarget,
  many: (now) => mintedTarget(now, 'many')
}

export function world(store: StoreKind, target: TargetKind, patch: MetadataPatch = {}): World {
  let now = instant(Date.UTC(2026, 0, 5))
  const clock = (): Instant => now
  return assemble(STORES[store](clock), TARGETS[target](clock), clock, patch, (ms) => {
    now = instant(now + ms)
  })
}

function assemble(
  store: ModelStore,
  target: ModelTarget,
  now: () => Instant,
  patch: MetadataPatch,
  advance: (ms: number) => void
): World {
  const kind = target.kind === 'pair' ? 'postgres' : 'api-key'
  const id = store.create('app', target.first, { kind, graceMs: GRACE_MS, ...patch })
  const watched = observer(store, target, id, now)
  return {
    id,
    store,
    target,
    observer: watched,
    now,
    overGraceMs: GRACE_MS + store.connect(straightWire('', now)).facts.convergenceMs + 1,
    advance(ms) {
      watched.check()
      advance(ms)
    },
    core: (wire) => {
      const connected = target.connect(wire)
      return {
        store: store.connect(wire),
        targetFor: () => connected,
        log: silent,
        runLivesMs: RUN_LIVES_MS,
        stepNeedsMs: 1_000
      }
    },
    stage: {
      now,
      check: watched.check,
      killed: target.killed,
      loseLock: target.loseLock,
      holdsLock: target.holdsLock,
      // A claim fences nothing: it stands on the time that a run can live; the pair's session fences by itself.
      endsRuns: target.kind !== 'pair',
      snapshot: () => `${now()} ${store.snapshot()} ${target.snapshot()} ${watched.snapshot()}`
    }
  }
}

/** shared/log.ts brings its writer along, and a mutant is built without it. */
const silent: Log = { info: () => {}, warn: () => {}, error: () => {} }

const NEVER = new AbortController().signal
/** The schedule says when a process ends. */
export const endless: Deadline = { signal: NEVER, remainingMs: () => Number.MAX_SAFE_INTEGER, ensure: () => {}, end: () => {} }

/** As long as a store wants them. */
export const token = (name: string): Token => name.padEnd(32, '-')

export const request = (w: World, name: string, more: Partial<Request> = {}): Request => ({
  secretId: w.id,
  token: token(name),
  force: false,
  endSessions: false,
  dryRun: false,
  deadline: endless,
  ...more
})
