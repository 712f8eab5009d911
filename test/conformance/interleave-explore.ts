import { type Actor, type Option, type Picker, type Ran, runSchedule, type Stage } from './interleave-schedule.ts'

/** How far a systematic search goes. A switch away from an actor that could go on counts; one from an ended actor does not. */
export interface Bound {
  readonly switches: number
  readonly faults: number
}

/** A fresh world, its actors, and what must hold when they ended. */
export interface Instance {
  readonly stage: Stage
  readonly actors: readonly Actor[]
  /** Runs alone afterwards. Its own trace, and what it found violated. */
  readonly settle: (ran: Ran) => Promise<{ readonly trace: readonly string[]; readonly violation: string | undefined }>
}

export interface Explored {
  readonly schedules: number
  readonly states: number
  readonly violation: { readonly what: string; readonly trace: readonly string[] } | undefined
}

/**
 * Every schedule within the bound, depth first, each by running it again from the start. A state that was met before,
 * with the same of the bound used up and the same actor last, is not gone on from: what an actor does next depends only
 * on what it has seen, and that is part of the state.
 */
export async function exploreAll(make: () => Promise<Instance>, bound: Bound): Promise<Explored> {
  const met = new Set<number>()
  const settled = new Set<string>()
  const todo: Option[][] = [[]]
  let schedules = 0
  let shortest: Explored['violation']
  for (;;) {
    const prefix = todo.pop()
    if (!prefix) return { schedules, states: met.size, violation: shortest }
    const instance = await make()
    const { picker, branches } = depthFirst(prefix, bound, met)
    const ran = await runSchedule(instance.stage, instance.actors, picker)
    todo.push(...branches)
    schedules += 1
    const found = await judge(instance, ran, settled)
    if (found && (!shortest || found.trace.length < shortest.trace.length)) shortest = found
  }
}

function depthFirst(prefix: readonly Option[], bound: Bound, met: Set<number>) {
  const branches: Option[][] = []
  const path: Option[] = []
  const used = { switches: 0, faults: 0 }
  const picker: Picker = (options, last, key) => {
    const allowed = options.filter((o) => costs(o, options, last, used, bound))
    const forced = prefix[path.length]
    let next = forced
    if (!forced) {
      const state = key(`${used.switches} ${used.faults}`)
      if (met.has(state)) return undefined
      met.add(state)
      next = allowed[0]
      for (const other of allowed.slice(1).reverse()) branches.push([...path, other])
    }
    if (!next) return undefined
    path.push(next)
    used.switches += isSwitch(next, options, last) ? 1 : 0
    used.faults += next.what === 'goes' ? 0 : 1
    return next
  }
  return { picker, branches }
}

const isSwitch = (o: Option, options: readonly Option[], last: number | undefined): boolean =>
  last !== undefined && o.actor !== last && options.some((other) => other.actor === last)

const costs = (o: Option, options: readonly Option[], last: number | undefined, used: Bound, bound: Bound): boolean =>
  used.switches + (isSwitch(o, options, last) ? 1 : 0) <= bound.switches &&
  used.faults + (o.what === 'goes' ? 0 : 1) <= bound.faults

async function judge(instance: Instance, ran: Ran, settled: Set<string>): Promise<Explored['violation']> {
  if (ran.violation !== undefined) return { what: ran.violation, trace: ran.trace }
  if (!ran.complete) return undefined
  const end = `${instance.stage.snapshot()} ${ran.ends.map((e) => `${e.how} ${e.error?.code}`)}`
  if (settled.has(end)) return undefined
  settled.add(end)
  const { trace, violation } = await instance.settle(ran)
  return violation === undefined ? undefined : { what: violation, trace: [...ran.trace, ...trace] }
}

/** A small seeded generator (mulberry32, public domain): the same seed gives the same schedule. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Chooses from a seed: any number of switches, up to `faults` faults. */
export function randomly(seed: number, faults: number): Picker {
  const random = randomFrom(seed)
  let left = faults
  return (options) => {
    const going = options.filter((o) => o.what === 'goes')
    const wrong = options.filter((o) => o.what !== 'goes')
    if (left > 0 && wrong.length > 0 && random() < 0.06) {
      left -= 1
      return wrong[Math.floor(random() * wrong.length)]
    }
    return random() < 0.6 ? going[0] : going[Math.floor(random() * going.length)]
  }
}

export async function exploreSeed(make: () => Promise<Instance>, seed: number, faults: number): Promise<Explored['violation']> {
  const instance = await make()
  const ran = await runSchedule(instance.stage, instance.actors, randomly(seed, faults))
  return judge(instance, ran, new Set())
}
