import type { Core } from '../../shared/rotation/core.ts'
import { randomFrom } from './interleave-explore.ts'

/** Lets several runs take turns, call by call: exactly one is under way at any time, and a seed says whose turn it is. */
export interface Turns {
  /** A core of one run: each of its calls to store and target waits for its turn. */
  coreOf(name: string, core: Core): Core
  /** Starts the runs and lets them take turns until all have ended. What a run throws is its own end, and given back. */
  play(runs: Readonly<Record<string, () => Promise<unknown>>>, seed: number): Promise<Readonly<Record<string, unknown>>>
  /** Whose turn it was, and what for: the schedule, to be printed. */
  trace(): readonly string[]
}

/** What changes something that a reader could notice. */
const EFFECTS = ['promote', 'apply', 'retire', 'discard', 'heal', 'drop']

/** @param after called when an effect has come about, before anybody's next turn. */
export function newTurns(after: () => Promise<void>): Turns {
  const waiting = new Map<string, () => void>()
  const alive = new Set<string>()
  let trace: string[] = []
  let everybodyWaits: () => void = () => {}
  const settle = (): void => {
    if (waiting.size === alive.size) everybodyWaits()
  }
  const turn = async (name: string, call: string): Promise<void> => {
    await new Promise<void>((go) => {
      waiting.set(name, go)
      settle()
    })
    trace.push(`${name}: ${call}`)
  }
  const wrapped = <T extends object>(name: string, part: string, methods: T): T => {
    const entries = Object.entries(methods).map(([key, value]: [string, unknown]) => {
      if (typeof value !== 'function' || key === 'inspect' || key === 'list') return [key, value]
      const call = async (...args: readonly unknown[]): Promise<unknown> => {
        await turn(name, `${part}.${key}`)
        const answer: unknown = await Reflect.apply(value, methods, args)
        if (EFFECTS.includes(key)) await after()
        return key === 'hold' ? wrapped(name, 'hold', answer as object) : answer
      }
      return [key, call]
    })
    return Object.fromEntries(entries) as T
  }
  return {
    coreOf: (name, core) => ({
      ...core,
      store: wrapped(name, 'store', core.store),
      targetFor: (document) => wrapped(name, 'target', core.targetFor(document))
    }),
    play: async (runs, seed) => {
      const ends: Record<string, unknown> = {}
      const random = randomFrom(seed)
      trace = []
      waiting.clear()
      for (const name of Object.keys(runs)) alive.add(name)
      let quiet = new Promise<void>((resolve) => {
        everybodyWaits = resolve
      })
      for (const [name, run] of Object.entries(runs))
        void run()
          .catch((e: unknown) => e)
          .then((end) => {
            ends[name] = end
            alive.delete(name)
            settle()
          })
      while (alive.size > 0) {
        await quiet
        const names = [...waiting.keys()]
        const next = names[Math.floor(random() * names.length)]
        if (next === undefined) break
        quiet = new Promise<void>((resolve) => {
          everybodyWaits = resolve
        })
        const go = waiting.get(next)
        waiting.delete(next)
        go?.()
      }
      return ends
    },
    trace: () => trace
  }
}
