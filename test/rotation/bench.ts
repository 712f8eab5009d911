import type { KeyturnError } from '../../shared/errors.ts'
import type { Log, LogFields } from '../../shared/log.ts'
import type { MetadataPatch } from '../../shared/metadata.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import type { Core, Request } from '../../shared/rotation/core.ts'
import type { Run } from '../../shared/rotation/effects.ts'
import { type Outcome, run } from '../../shared/rotation/rotate.ts'
import { request, type StoreKind, type TargetKind, type World, world } from '../conformance/interleave-world.ts'
import { transmit, type Verdict, type Wire } from '../doubles/model-wire.ts'

/** A model store and a model target, every call written down, and one of them hit by a fault. */
export interface Bench {
  readonly w: World
  /** Every remote call since `clear`. */
  readonly calls: readonly string[]
  readonly logged: readonly (readonly [event: string, fields: LogFields])[]
  clear(): void
  /** The next call of which the name begins so: not sent, its answer lost, an error of the store's, or the process dies. */
  hit(name: string, how: Verdict | 'killed' | KeyturnError): void
  /** Something happens right before the next call of which the name begins so. */
  before(name: string, what: () => void): void
  /** What every look shows from now on, over what is there. */
  shows(patch: Partial<SecretFacts> | 'nothing'): void
  core(): Core
  go(want: 'rotate' | 'retire' | 'sweep', asked: string, more?: Partial<Request>, proposal?: Run['proposal']): Promise<Outcome>
  /** What an application gets by the ordinary read. */
  current(): string
  /** Whether what was given to it still logs in. */
  works(text: string): boolean
}

export function bench(kind: StoreKind = 'labels', target: TargetKind = 'pair', patch: MetadataPatch = {}): Bench {
  const w = world(kind, target, patch)
  const calls: string[] = []
  const logged: (readonly [string, LogFields])[] = []
  const hooks: {
    readonly name: string
    readonly what: (() => void) | undefined
    readonly how: Verdict | 'killed' | KeyturnError
  }[] = []
  const log: Log = { info: () => {}, warn: (...line) => void logged.push(line), error: (...line) => void logged.push(line) }
  const wire: Wire = {
    owner: 'run',
    now: w.now,
    async call(call, effect) {
      const at = hooks.findIndex((h) => call.name.startsWith(h.name))
      const [hook] = at < 0 ? [] : hooks.splice(at, 1)
      hook?.what?.()
      if (hook?.how === 'killed') throw new Error('killed')
      if (typeof hook?.how === 'object') throw hook.how
      calls.push(call.name)
      return transmit(call, hook?.how ?? 'goes', effect)
    }
  }
  let shown: Partial<SecretFacts> | 'nothing' = {}
  const plain = w.core(wire)
  const store: Core['store'] = {
    ...plain.store,
    describe: async (...a) => {
      const facts = await plain.store.describe(...a)
      return facts && shown !== 'nothing' ? { ...facts, ...shown } : undefined
    }
  }
  const core: Core = { ...plain, store, log }
  return {
    w,
    calls,
    logged,
    clear: () => void calls.splice(0),
    hit: (name, how) => void hooks.push({ name, how, what: undefined }),
    before: (name, what) => void hooks.push({ name, how: 'goes', what }),
    shows: (patch) => {
      shown = patch
    },
    core: () => core,
    go: (want, asked, more = {}, proposal) => run(core, { want, force: more.force ?? false }, request(w, asked, more), proposal),
    current: () => w.store.readable(w.id).at(-1)?.text ?? '',
    works: (text) => w.target.accepts(text)
  }
}

/** A bench whose secret was rotated once: B is current, A is in its grace. */
export async function rotatedBench(
  store: StoreKind = 'labels',
  target: TargetKind = 'pair',
  patch: MetadataPatch = {}
): Promise<Bench> {
  const b = bench(store, target, patch)
  await b.go('rotate', 'T0')
  b.clear()
  return b
}

/** The code of what is thrown. */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (e: { code?: string; message: string }) => e.code ?? e.message
  )
