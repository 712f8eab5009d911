import { describe, expect, it } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import type { MetadataPatch } from '../../shared/metadata.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import type { Target, TargetHold } from '../../shared/ports/target.ts'
import type { Core, Request } from '../../shared/rotation/core.ts'
import { type Outcome, run } from '../../shared/rotation/rotate.ts'
import { sweep } from '../../shared/rotation/sweep.ts'
import { type SecretId, SecretText } from '../../shared/types.ts'
import { GRACE_MS, HOUR, request, token, type World, world } from '../conformance/interleave-world.ts'
import { parse } from '../doubles/model-target.ts'
import { straightWire } from '../doubles/model-wire.ts'

const DAY = 24 * HOUR

interface Bench {
  readonly w: World
  readonly core: Core
  rotate(name: string, more?: Partial<Request>, core?: Core): Promise<Outcome>
  sweep(name: string, core?: Core): Promise<Outcome>
  retire(name: string, more?: Partial<Request>, core?: Core): Promise<Outcome>
  current(): { readonly username: string; readonly password: string }
  facts(): SecretFacts
}

function bench(patch: MetadataPatch = {}): Bench {
  const w = world('labels', 'pair', patch)
  const core = w.core(straightWire('test', w.now))
  const go =
    (want: 'rotate' | 'sweep' | 'retire') =>
    (name: string, more: Partial<Request> = {}, by: Core = core): Promise<Outcome> =>
      run(by, { want, force: more.force ?? false }, request(w, name, more))
  const facts = (): SecretFacts => {
    const seen = w.store.look(w.id)
    if (!seen) throw new Error('the secret is gone')
    return seen
  }
  return {
    w,
    core,
    rotate: go('rotate'),
    sweep: (name, by) => go('sweep')(name, {}, by),
    retire: go('retire'),
    facts,
    current: () => parse(w.store.valueOf(w.id, facts().current ?? '') ?? '{}')
  }
}

const refusal = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was refused',
    (e: unknown) => (e instanceof KeyturnError ? e.code : String(e))
  )

/** The same core, with one call of the store answered otherwise. */
const withStore = (core: Core, change: Partial<Core['store']>): Core => ({ ...core, store: { ...core.store, ...change } })

const withHold = (core: Core, change: (hold: TargetHold) => Partial<TargetHold>): Core => ({
  ...core,
  targetFor: (document) => {
    const target: Target = core.targetFor(document)
    return {
      ...target,
      hold: async (...args) => {
        const hold = await target.hold(...args)
        return { ...hold, ...change(hold) }
      }
    }
  }
})

const fails = (code: ConstructorParameters<typeof KeyturnError>[0]) => async (): Promise<never> => {
  throw new KeyturnError(code, 'as the test wants it')
}

describe('a rotation', () => {
  it('makes the other half current, keeps the first one alive, and records when', async () => {
    const b = bench()
    const outcome = await b.rotate('one')
    expect(outcome).toMatchObject({ phase: 'draining', current: 'app_b', previous: 'app_a' })
    expect(outcome.done.map(({ step }) => step)).toEqual(['issue', 'promote', 'settle', 'settle'])
    expect(b.facts().metadata.promoted).toMatchObject({ version: b.facts().current, at: b.w.now() })
    expect(b.facts().pendings).toEqual([])
    b.w.observer.check()
  })

  it('has effect once, however often the request is delivered', async () => {
    const b = bench()
    await b.rotate('one')
    b.w.advance(2 * GRACE_MS)
    const again = await b.rotate('one')
    expect(again.note).toContain('done already')
    expect(b.current().username).toBe('app_b')
  })

  it('is refused inside the grace, and goes through after it', async () => {
    const b = bench()
    await b.rotate('one')
    expect(await refusal(b.rotate('two'))).toBe('conflict/inside-grace')
    expect(b.facts().pendings).toEqual([])
    b.w.advance(b.w.overGraceMs)
    expect((await b.rotate('three')).current).toBe('app_a')
  })

  it('inside the grace can be forced, and reports who was cut', async () => {
    const b = bench()
    await b.rotate('one')
    const session = { principal: 'app_a', address: '10.0.0.7', application: 'orders', count: 3 }
    const used = withHold(b.core, () => ({ usage: async () => ({ state: 'used', sessions: [session] }) as const }))
    const outcome = await b.rotate('two', { force: true }, used)
    expect(outcome.done.find(({ step }) => step === 'promote')?.cut).toEqual([session])
  })

  it('asked for before the last promotion is done already', async () => {
    const b = bench()
    const before = b.w.now()
    b.w.advance(HOUR)
    await b.rotate('one')
    b.w.advance(b.w.overGraceMs)
    expect((await b.rotate('old', { requestedAt: before })).note).toContain('older than the last promotion')
    expect(b.current().username).toBe('app_b')
  })

  it('carries another attempt’s pending on, with its own value', async () => {
    const b = bench()
    await refusal(
      b.rotate(
        'one',
        {},
        withHold(b.core, () => ({ apply: fails('unavailable/server') }))
      )
    )
    const [pending] = b.facts().pendings
    const staged = b.w.store.valueOf(b.w.id, pending?.version ?? '')
    b.w.advance(3 * DAY)
    await b.rotate('two')
    expect(b.w.store.valueOf(b.w.id, b.facts().current ?? '')).toBe(staged)
    expect(b.facts().currentToken).toBe(token('one'))
  })

  it('that died is finished by the next sweep, with nobody’s help', async () => {
    const b = bench()
    await refusal(b.rotate('one', {}, withStore(b.core, { promote: fails('unavailable/store') })))
    b.w.advance(3 * DAY)
    expect((await b.sweep('night')).current).toBe('app_b')
    expect(b.facts().pendings).toEqual([])
  })

  it('makes another value when the target refuses one by policy, and gives up after the fourth', async () => {
    const b = bench()
    let refused = 0
    const picky = (times: number) =>
      withHold(b.core, (hold) => ({
        apply: async (...args) => {
          if (refused++ < times) throw new KeyturnError('invalid/password', 'too plain')
          return hold.apply(...args)
        }
      }))
    expect((await b.rotate('one', {}, picky(1))).current).toBe('app_b')
    expect(b.facts().currentToken).toBe(`${token('one')}-2`)
    expect((await b.rotate('one')).note).toContain('done already')
    b.w.advance(b.w.overGraceMs)
    refused = 0
    expect(await refusal(b.rotate('two', {}, picky(99)))).toBe('invalid/password')
    expect(refused).toBe(4)
    expect(b.current().username).toBe('app_b')
  })

  it('whose value the store cannot keep changes nothing at the target', async () => {
    const b = bench()
    const before = b.w.target.snapshot()
    expect(await refusal(b.rotate('one', {}, withStore(b.core, { stage: fails('denied/key') })))).toBe('denied/key')
    expect(b.w.target.snapshot()).toBe(before)
  })

  it('that may not promote leaves current working, and is finished when it may', async () => {
    const b = bench()
    expect(await refusal(b.rotate('one', {}, withStore(b.core, { promote: fails('denied/store') })))).toBe('denied/store')
    b.w.observer.check()
    expect(b.current().username).toBe('app_a')
    expect((await b.rotate('one')).current).toBe('app_b')
  })

  it('of a secret that goes away meanwhile changes nothing more', async () => {
    const b = bench()
    const before = b.w.target.snapshot()
    let looks = 0
    const going = withStore(b.core, {
      describe: async (id, signal) => (++looks > 2 ? undefined : b.core.store.describe(id, signal))
    })
    expect(await refusal(b.rotate('one', {}, going))).toBe('not-found/secret')
    expect(b.w.target.snapshot()).toBe(before)
  })

  it('stops between two steps when the time is nearly over, and the next run goes on', async () => {
    const b = bench()
    let asked = 0
    const ensure = (): void => {
      if (++asked > 1) throw new KeyturnError('unavailable/deadline', 'no time')
    }
    const deadline = { ...request(b.w, 'one').deadline, ensure }
    expect(await refusal(b.rotate('one', { deadline }))).toBe('unavailable/deadline')
    expect(b.facts().pendings).toHaveLength(1)
    expect((await b.rotate('one')).current).toBe('app_b')
  })

  it('of a secret that another service manages is refused', async () => {
    const b = bench()
    const managed = withStore(b.core, {
      describe: async (id, signal) => {
        const facts = await b.core.store.describe(id, signal)
        return facts && { ...facts, managedBy: 'rds' }
      }
    })
    expect(await refusal(b.rotate('one', {}, managed))).toBe('conflict/managed-elsewhere')
  })

  it('in a dry run changes nothing', async () => {
    const b = bench()
    const before = b.w.stage.snapshot()
    expect((await b.rotate('one', { dryRun: true })).phase).toBe('due')
    expect(b.w.stage.snapshot()).toBe(before)
  })
})

describe('a retirement', () => {
  it('is refused inside the grace, and proved after it', async () => {
    const b = bench()
    await b.rotate('one')
    expect(await refusal(b.retire('two'))).toBe('conflict/inside-grace')
    b.w.advance(b.w.overGraceMs)
    const outcome = await b.retire('three')
    expect(outcome.done.find(({ step }) => step === 'retire')?.proof?.principal).toBe('app_a')
    expect(outcome.phase).toBe('settled')
    expect(b.facts().metadata.retired).toMatchObject({ version: b.facts().previous })
  })

  it('is done once: a repeat proves nothing again', async () => {
    const b = bench()
    await b.rotate('one')
    b.w.advance(b.w.overGraceMs)
    await b.retire('two')
    expect((await b.retire('three')).done).toEqual([])
  })

  it('waits for replicas of the secret', async () => {
    const b = bench()
    await b.rotate('one')
    b.w.advance(b.w.overGraceMs)
    const lagging = withStore(b.core, {
      describe: async (id, signal) => {
        const facts = await b.core.store.describe(id, signal)
        return facts && { ...facts, replicasInSync: false }
      }
    })
    expect(await refusal(b.retire('two', {}, lagging))).toBe('unavailable/replicas')
    expect((await b.retire('three')).phase).toBe('settled')
  })

  it.each(['used', 'cannot-tell'] as const)('by a sweep waits while the old half’s use is %s', async (state) => {
    const b = bench()
    await b.rotate('one')
    b.w.advance(b.w.overGraceMs)
    const usage = state === 'used' ? ({ state, sessions: [] } as const) : ({ state, why: 'no right to look' } as const)
    const inUse = withHold(b.core, () => ({ usage: async () => usage }))
    expect((await b.sweep('night', inUse)).phase).toBe('draining')
    expect((await b.sweep('next night')).phase).toBe('settled')
  })
})

describe('a sweep', () => {
  it('rotates what is due, retires what is over, and does nothing in between', async () => {
    const b = bench({ periodMs: 10 * DAY, graceMs: DAY })
    expect((await b.sweep('day 0')).done).toEqual([])
    b.w.advance(11 * DAY)
    expect((await b.sweep('day 11')).current).toBe('app_b')
    expect((await b.sweep('day 11, again')).done).toEqual([])
    b.w.advance(2 * DAY)
    expect((await b.sweep('day 13')).done.map(({ step }) => step)).toEqual(['retire'])
    expect((await b.sweep('day 13, again')).phase).toBe('settled')
  })

  it('heals a current credential that somebody else reset, pages, and says so', async () => {
    const b = bench()
    const errors: string[] = []
    const log = { info: () => {}, warn: () => {}, error: (event: string) => void errors.push(event) }
    let broken = true
    const drifting: Core = {
      ...b.core,
      log,
      targetFor: (document) => {
        const target = withHold(b.core, () => ({
          heal: async () => {
            broken = false
          }
        })).targetFor(document)
        return { ...target, verify: async (...args) => (broken ? 'rejected' : target.verify(...args)) }
      }
    }
    const outcome = await b.sweep('night', drifting)
    expect(outcome.done.map(({ step }) => step)).toEqual(['heal'])
    expect(errors).toEqual(['broken'])
  })

  it('does not touch what a person holds, or what is outside its window', async () => {
    const held = bench({ periodMs: 2 * DAY, hold: { reason: 'audit' } })
    held.w.advance(5 * DAY)
    expect((await held.sweep('night')).note).toContain('audit')
    expect(await refusal(held.rotate('by name'))).toBe('conflict/held')
    const closed = bench({ periodMs: 2 * DAY, window: 'sun 02:00-03:00' })
    closed.w.advance(5 * DAY)
    expect((await closed.sweep('noon')).note).toContain('outside its window')
    expect((await closed.rotate('by name')).current).toBe('app_b')
  })

  it('goes on when a secret fails, and never runs more at once than it may', async () => {
    const b = bench()
    const names = Array.from({ length: 12 }, (_, n) => `more/${n}`)
    for (const name of names) b.w.store.create(name, b.w.target.first, { kind: 'postgres' })
    let [running, most] = [0, 0]
    const counted = withStore(b.core, {
      describe: async (id: SecretId, signal) => {
        most = Math.max(most, ++running)
        try {
          if (b.w.store.look(id)?.name === 'more/3') throw new KeyturnError('denied/store', 'no right')
          return await b.core.store.describe(id, signal)
        } finally {
          running--
        }
      }
    })
    const results = await sweep(counted, request(b.w, 'night'), (secret) => token(secret), { concurrency: 3 })
    expect(results).toHaveLength(13)
    expect(results.flatMap((r) => ('error' in r ? [`${r.secret} ${r.error.code}`] : []))).toEqual(['more/3 denied/store'])
    expect(most).toBeLessThanOrEqual(3)
  })
})

describe('a way back', () => {
  it('makes the previous credential current again, with the password that its readers hold', async () => {
    const b = bench()
    const first = b.current()
    await b.rotate('one')
    const back = await run(b.core, { want: 'rotate', force: true }, request(b.w, 'back', { force: true }), (o) => {
      if (!o.previous) throw new Error('no previous')
      return o.previous.credential
    })
    expect(back.current).toBe('app_a')
    expect(b.current()).toEqual(first)
    b.w.observer.check()
  })
})

describe('a pending that keyturn did not make', () => {
  it('is refused and left alone', async () => {
    const b = bench()
    const foreign = withStore(b.core, {
      describe: async (id, signal) => {
        const facts = await b.core.store.describe(id, signal)
        return facts && { ...facts, pendings: [{ version: 'theirs', token: 'theirs', driver: 'store' }] }
      },
      read: async (id, version, signal) =>
        version === 'theirs' ? { text: new SecretText(b.w.target.first) } : b.core.store.read(id, version, signal)
    })
    const before = b.w.stage.snapshot()
    expect(await refusal(b.rotate('one', {}, foreign))).toBe('conflict/pending-foreign')
    expect(b.w.stage.snapshot()).toBe(before)
  })
})
