import Table from 'cli-table3'
import { afterAll, describe, expect, it } from 'vitest'

/** How the process meets its end at one remote call; `lost, lives on`: it does not, and has to deal with the silence. */
export const KINDS = ['dies before', 'dies, answer lost', 'dies after', 'lost, lives on'] as const
export type Kind = (typeof KINDS)[number]

/** What a server is told to do with one call: see test/doubles/secrets-manager.ts and test/servers/postgres-proxy.ts. */
export type Fate = 'before' | 'lost' | 'after' | undefined

/** Numbers every remote call over all servers, and decides each one's fate. One process under test at a time. */
export interface Faults {
  /** Asked by every server for every call, in order of arrival. */
  fateOf(label: string): Fate
  arm(at: number, kind: Kind): void
  /** Nothing fails any more; the dead process has no call left that could reach a server. */
  disarm(): void
  labels(): readonly string[]
}

export function newFaults(): Faults {
  let armed: { readonly at: number; readonly kind: Kind } | undefined
  let dead = false
  let labels: string[] = []
  return {
    fateOf: (label) => {
      if (dead) return 'before'
      labels.push(label)
      if (!armed || labels.length - 1 !== armed.at) return undefined
      dead = armed.kind !== 'lost, lives on'
      if (armed.kind === 'dies before') return 'before'
      return armed.kind === 'dies after' ? 'after' : 'lost'
    },
    arm: (at, kind) => {
      armed = { at, kind }
      dead = false
      labels = []
    },
    disarm: () => {
      armed = undefined
      dead = false
      labels = []
    },
    labels: () => labels
  }
}

export interface CrashCase {
  /** The flow, up to its end or its death: what it throws is looked at by `check`, not here. */
  run(): Promise<void>
  /** Run again, with nobody's help. */
  recover(): Promise<void>
  /** Asserts the guarantees; `died`: right after the fault, `recovered`: at the end. */
  check(when: 'died' | 'recovered'): Promise<void>
}

export interface CrashFlow {
  readonly name: string
  /** A fresh secret with fresh accounts: cases do not meet. */
  prepare(): Promise<CrashCase>
}

/**
 * Kills a flow at every remote call in every way, runs it again, and asserts the guarantees after both. The calls are
 * counted by a run without faults first, so that a call that is added is killed too.
 */
export function crashSuite(name: string, faults: () => Faults, flows: readonly (() => CrashFlow)[]): void {
  for (const flowOf of flows) {
    describe(`${name}: killed at every remote call`, () => {
      const outcomes = new Map<string, Map<Kind, string>>()
      afterAll(() => console.log(matrix(`${name}: ${flowOf().name}`, outcomes)))

      it(`${flowOf().name}: at each call, in each way, and then run again`, { timeout: 240_000 }, async () => {
        const flow = flowOf()
        const labels = await countedCalls(flow, faults())
        expect(labels.length).toBeGreaterThan(2)
        for (const [at, label] of labels.entries()) {
          const row = new Map<Kind, string>()
          outcomes.set(`${at + 1} ${label}`, row)
          for (const kind of KINDS) row.set(kind, await crashedAt(flow, faults(), at, kind))
        }
        const bad = [...outcomes].flatMap(([label, row]) => [...row].map(([kind, result]) => ({ label, kind, result })))
        expect(bad.filter(({ result }) => result !== 'ok')).toEqual([])
      })
    })
  }
}

async function countedCalls(flow: CrashFlow, faults: Faults): Promise<readonly string[]> {
  faults.disarm()
  const undisturbed = await flow.prepare()
  faults.disarm()
  await undisturbed.run()
  const labels = [...faults.labels()]
  await undisturbed.check('recovered')
  return labels
}

/** `ok`, or what was violated. */
async function crashedAt(flow: CrashFlow, faults: Faults, at: number, kind: Kind): Promise<string> {
  faults.disarm()
  const one = await flow.prepare()
  faults.arm(at, kind)
  await one.run().catch(() => {})
  faults.disarm()
  try {
    await one.check('died')
    await one.recover()
    await one.check('recovered')
    return 'ok'
  } catch (e) {
    return e instanceof Error ? e.message : String(e)
  }
}

function matrix(title: string, outcomes: ReadonlyMap<string, ReadonlyMap<Kind, string>>): string {
  const table = new Table({ head: ['remote call', ...KINDS], style: { head: [], border: [] } })
  for (const [label, row] of outcomes) table.push([label, ...KINDS.map((kind) => (row.get(kind) ?? '').slice(0, 60))])
  return `${title}\n${table.toString()}`
}
