import { asKeyturnError, KeyturnError } from '../../shared/errors.ts'
import { SecretText } from '../../shared/types.ts'
import { type RemoteCall, transmit, type Verdict, type Wire } from '../doubles/model-wire.ts'

/** One process: a run, a step of the four, the passing of time. Its only awaits are remote calls on the wire. */
export interface Actor {
  readonly name: string
  readonly work: (wire: Wire) => Promise<unknown>
  /** Time itself passes, more of it than the host gives a run. */
  readonly isTime?: boolean
}

/** What may happen next. `killed` and `lock lost` happen instead of a call; the others are a call's fate. */
export type Happening = Verdict | 'killed' | 'lock lost'
export interface Option {
  readonly actor: number
  readonly what: Happening
}

/** The world that the actors share, as the scheduler sees it. */
export interface Stage {
  now: Wire['now']
  /** Asked after every effect. Says what is violated. */
  check(): string | undefined | Promise<string | undefined>
  killed(owner: string): void | Promise<void>
  loseLock(owner: string): unknown
  /** A run that began is killed by its host when time passes. Where not, it may sleep through it and go on. */
  readonly endsRuns: boolean
  holdsLock(owner: string): boolean
  snapshot(): string
}

export interface Ended {
  readonly actor: string
  readonly how: 'answered' | 'failed' | 'killed' | 'running'
  readonly answer?: unknown
  readonly error?: KeyturnError | undefined
}

export interface Ran {
  readonly trace: readonly string[]
  readonly violation: string | undefined
  readonly ends: readonly Ended[]
  /** False: the picker gave up on it. */
  readonly complete: boolean
}

/** Chooses among the options, the first of which goes on with the same actor. Undefined: not worth going on. */
export type Picker = (options: readonly Option[], last: number | undefined, key: (more: string) => number) => Option | undefined

interface Process {
  readonly actor: Actor
  waiting: { readonly call: RemoteCall; readonly go: (verdict: Verdict) => void } | undefined
  end: Ended
  /** What it has seen so far, and so what it will do next: a hash. */
  seen: number
  calls: number
}

interface Play {
  readonly stage: Stage
  readonly processes: readonly Process[]
  readonly trace: string[]
  /** Called by the actor that was let go, when it has come to its next call or to its end. */
  arrived: () => void
}

/**
 * Runs the actors as coroutines: every one goes to its first remote call; then one is let go at a time, and the next
 * choice is made when it has come to its next call or to its end. That is told by the call itself, so nothing waits.
 */
export async function runSchedule(stage: Stage, actors: readonly Actor[], pick: Picker): Promise<Ran> {
  const processes = actors.map(
    (actor): Process => ({ actor, waiting: undefined, end: { actor: actor.name, how: 'running' }, seen: 0, calls: 0 })
  )
  const play: Play = { stage, processes, trace: [], arrived: () => {} }
  for (const p of processes) await until(play, () => start(play, p))
  let last: number | undefined
  for (;;) {
    const violation = await stage.check()
    const options = violation === undefined ? optionsOf(processes, stage, last) : []
    const ran = { trace: play.trace, violation, ends: processes.map((p) => p.end) }
    if (options.length === 0) return { ...ran, complete: true }
    const chosen = pick(options, last, (more) => keyOf(play, `${last} ${more}`))
    if (!chosen) return { ...ran, complete: false }
    last = chosen.actor
    await happen(play, chosen)
  }
}

/** What decides how it goes on: what every actor has seen, and the state of the world. */
const keyOf = ({ processes, stage }: Play, more: string): number =>
  hash(`${processes.map((p) => `${p.seen} ${p.end.how}`)} ${more} ${stage.snapshot()}`, 0)

/** Does the work, and waits until the actor that it lets go has come to a stop. */
const until = (play: Play, work: () => void): Promise<void> =>
  new Promise((resolve) => {
    play.arrived = resolve
    work()
  })

function start(play: Play, p: Process): void {
  const ended = (end: Omit<Ended, 'actor'>): void => {
    p.end = { actor: p.actor.name, ...end }
    p.waiting = undefined
    play.arrived()
  }
  p.actor.work(wireOf(play, p)).then(
    (answer) => ended({ how: 'answered', answer }),
    (e: unknown) => ended({ how: 'failed', error: asKeyturnError(e) })
  )
}

async function happen(play: Play, { actor, what }: Option): Promise<void> {
  const p = play.processes[actor]
  if (!p?.waiting) throw new TypeError('a choice that is none')
  if (what === 'killed' || what === 'lock lost') {
    play.trace.push(`${p.actor.name}: ${what}, before ${short(p.waiting.call.name)}`)
    return strike(p, play.stage, what)
  }
  const { go } = p.waiting
  p.waiting = undefined
  p.calls += 1
  await until(play, () => go(what))
  if (p.actor.isTime && play.stage.endsRuns) for (const other of play.processes) await outlive(other, play.stage, play.trace)
}

async function outlive(p: Process, stage: Stage, trace: string[]): Promise<void> {
  if (!p.waiting || p.calls === 0) return
  trace.push(`${p.actor.name}: ended by its host, before ${short(p.waiting.call.name)}`)
  await strike(p, stage, 'killed')
}

/** A code of ours, or a vendor's name. */
const nameOf = (e: unknown): string => (e instanceof KeyturnError ? e.code : e instanceof Error ? e.name : 'something')

/** A name without what only makes it long enough. */
export const short = (text: string): string => text.replaceAll(/-{4,}/g, '')

async function strike(p: Process, stage: Stage, what: 'killed' | 'lock lost'): Promise<void> {
  p.seen = hash(what, p.seen)
  if (what === 'lock lost') return void (await stage.loseLock(p.actor.name))
  p.waiting = undefined
  p.end = { actor: p.actor.name, how: 'killed' }
  await stage.killed(p.actor.name)
}

function wireOf(play: Play, p: Process): Wire {
  const note = (call: RemoteCall, verdict: Verdict, outcome: { readonly answer?: unknown; readonly error?: unknown }): void => {
    const code = 'error' in outcome ? ` → ${nameOf(outcome.error)}` : ''
    play.trace.push(`${p.actor.name}: ${short(call.name)}${verdict === 'goes' ? '' : ` (${verdict})`}${code}`)
    p.seen = hash(`${call.name} ${verdict} ${code} ${legible(outcome.answer)}`, p.seen)
  }
  return {
    owner: p.actor.name,
    now: play.stage.now,
    async call(call, effect) {
      const verdict = await new Promise<Verdict>((go) => {
        p.waiting = { call, go }
        play.arrived()
      })
      try {
        const answer = await transmit(call, verdict, effect)
        note(call, verdict, { answer })
        return answer
      } catch (error) {
        note(call, verdict, { error })
        throw error
      }
    }
  }
}

/** In the order of preference: the same actor goes on, then another one, then what goes wrong. */
function optionsOf(processes: readonly Process[], stage: Stage, last: number | undefined): readonly Option[] {
  const goes: Option[] = []
  const faults: Option[] = []
  const order = [...processes.keys()].sort((a, b) => Number(b === last) - Number(a === last))
  for (const actor of order) {
    const p = processes[actor]
    if (!p?.waiting) continue
    const { call } = p.waiting
    goes.push({ actor, what: 'goes' })
    if (call.to === 'world') continue
    faults.push({ actor, what: 'not sent' })
    // A look whose answer is lost did nothing, as one that was not sent.
    if (call.writes) faults.push({ actor, what: 'answer lost' })
    if (call.mayBeStale) faults.push({ actor, what: 'stale' })
    // Killed after a call is killed before the next one.
    if (p.calls > 0) faults.push({ actor, what: 'killed' })
    if (stage.holdsLock(p.actor.name)) faults.push({ actor, what: 'lock lost' })
  }
  return [...goes, ...faults]
}

/** 53 bits of a text (cyrb53, public domain). */
export function hash(text: string, seed: number): number {
  let [a, b] = [0xdeadbeef ^ seed, 0x41c6ce57 ^ Math.floor(seed / 2 ** 21)]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 4294967296 * (2097151 & b) + (a >>> 0)
}

/** An answer with what is secret in it: two answers that differ in a value are two. */
const legible = (answer: unknown): string =>
  JSON.stringify(answer, function (this: Record<string, unknown>, key, value) {
    const raw = this[key]
    return raw instanceof SecretText ? raw.reveal() : value
  }) ?? ''
