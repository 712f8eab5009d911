import { describe, expect, it } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { SecretText } from '../../shared/types.ts'
import { endless, GRACE_MS, token } from '../conformance/interleave-world.ts'
import { type Bench, bench, codeOf } from './bench.ts'

const alters = (calls: readonly string[]): readonly string[] => calls.filter((c) => c.startsWith('alter'))

describe('a rotation', () => {
  it('stages, applies, verifies, promotes, records, drops', async () => {
    const b = bench()
    const first = b.current()
    expect(await b.go('rotate', 'T1')).toMatchObject({ current: 'app_b', previous: 'app_a', phase: 'draining', note: undefined })
    expect(b.calls.filter((c) => !/^(describe|read)/.test(c))).toEqual([
      'lock',
      `stage ${token('T1')}`,
      'alter app_b',
      'log in as app_b',
      'ask the session',
      `promote ${token('T1')}`,
      'annotate promoted',
      `drop ${token('T1')}`
    ])
    expect([b.works(first), b.works(b.current())]).toEqual([true, true])
    expect(b.w.store.look(b.w.id)?.pendings).toEqual([])
  })

  it('the first one is never refused for a grace', async () => {
    const b = bench('labels', 'pair', { graceMs: 20 * GRACE_MS })
    expect((await b.go('rotate', 'T1')).current).toBe('app_b')
  })

  it('a dry run tells the phase and changes nothing', async () => {
    const b = bench()
    const before = b.w.store.snapshot() + b.w.target.snapshot()
    expect(await b.go('rotate', 'T1', { dryRun: true })).toMatchObject({ phase: 'due', done: [] })
    expect(b.w.store.snapshot() + b.w.target.snapshot()).toBe(before)
    expect(b.calls.filter((c) => !/^(describe|read)/.test(c))).toEqual([])
  })

  it('of a secret that is not there is not-found', async () => {
    const b = bench()
    expect(await codeOf(b.go('rotate', 'T1', { secretId: 'nowhere' }))).toBe('not-found/secret')
  })

  it('of a secret that another service manages is refused', async () => {
    const b = bench()
    b.shows({ managedBy: 'rds' })
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('conflict/managed-elsewhere')
    expect(b.calls.filter((c) => !/^(describe|read)/.test(c))).toEqual([])
  })

  it('of a secret whose grace does not fit in its period is refused before anything is done', async () => {
    const b = bench('labels', 'pair', { periodMs: GRACE_MS })
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('invalid/grace')
    expect(b.calls.filter((c) => !/^(describe|read)/.test(c))).toEqual([])
  })
})

// Scenarios 1 to 4, 9, 16.
describe('a rotation that dies or loses an answer', () => {
  it('between stage and apply: the next run applies the same value, once', async () => {
    const b = bench()
    b.hit('alter', 'killed')
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('killed')
    const staged = b.w.store.values(b.w.id).at(-1) ?? ''
    await b.go('rotate', 'T2')
    expect(alters(b.calls)).toEqual(['alter app_b'])
    expect(b.current()).toBe(staged)
  })

  it('when the answer to apply is lost: the same value is set again, never another', async () => {
    const b = bench()
    b.hit('alter', 'answer lost')
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('unavailable/server')
    const staged = b.w.store.values(b.w.id).at(-1) ?? ''
    expect(b.works(staged)).toBe(true)
    await b.go('rotate', 'T1')
    expect(b.current()).toBe(staged)
  })

  it('between apply and promote: current still works, and the next run promotes', async () => {
    const b = bench()
    b.hit('promote', 'killed')
    const first = b.current()
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('killed')
    expect(b.current()).toBe(first)
    expect(b.works(first)).toBe(true)
    expect((await b.go('sweep', 'S1')).done.map((d) => d.step)).toEqual(['promote', 'settle', 'settle'])
    expect(b.works(b.current())).toBe(true)
  })

  it('when the answer to promote is lost: the next run only records it, and says done', async () => {
    const b = bench()
    b.hit('promote', 'answer lost')
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('unavailable/store')
    const promoted = b.current()
    expect(await b.go('rotate', 'T1')).toMatchObject({ note: 'done already: this request made current' })
    expect(b.current()).toBe(promoted)
    expect(b.w.store.look(b.w.id)?.metadata.promoted).toMatchObject({ version: token('T1'), previous: 'app-v0' })
  })

  it('before the record: the grace still runs from the promotion, not from the staging', async () => {
    const b = bench()
    b.hit('promote', 'killed')
    await codeOf(b.go('rotate', 'T1'))
    b.w.advance(GRACE_MS + 1)
    b.hit('annotate', 'killed')
    const kept = b.current()
    await codeOf(b.go('sweep', 'S1'))
    b.w.advance(60_000)
    expect(await b.go('sweep', 'S2')).toMatchObject({ phase: 'draining' })
    expect(b.works(kept)).toBe(true)
  })
})

// Scenarios 7, 8, 10, 17, 18, 91, 92, 94.
describe('a rotation that is refused on the way', () => {
  it('a login that is refused after apply: nothing is promoted, and the next run sets the same value again', async () => {
    const b = bench()
    b.before('log in', () => b.w.target.setBehind('app_b', 'somebody else’s'))
    const first = b.current()
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('denied/login')
    expect(b.current()).toBe(first)
    await b.go('rotate', 'T1')
    expect(b.works(b.current())).toBe(true)
  })

  it('a value that the target’s policy refuses is replaced by another', async () => {
    const b = bench()
    let refused = 0
    b.w.target.refusesValue = () => ++refused <= 2
    expect((await b.go('rotate', 'T1')).current).toBe('app_b')
    expect(b.w.store.look(b.w.id)?.current).toBe(`${token('T1')}-3`)
  })

  it('a policy that refuses everything is told after four values, and nothing stays pending for good', async () => {
    const b = bench()
    b.w.target.refusesValue = () => true
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('invalid/password')
    expect(alters(b.calls)).toHaveLength(4)
    b.w.target.refusesValue = () => false
    await b.go('rotate', 'T2')
    expect(b.works(b.current())).toBe(true)
  })

  it('when the time is nearly over it stops between two steps, and the next run goes on', async () => {
    const b = bench()
    let asked = 0
    const ensure = (): void => {
      if (++asked === 2) throw new KeyturnError('unavailable/deadline', 'nearly over')
    }
    expect(await codeOf(b.go('rotate', 'T1', { deadline: { ...endless, ensure } }))).toBe('unavailable/deadline')
    expect(alters(b.calls)).toEqual([])
    expect((await b.go('rotate', 'T1')).current).toBe('app_b')
  })

  it('a value that cannot be stored is not set', async () => {
    const b = bench()
    b.hit('stage', new KeyturnError('denied/key', 'no key'))
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('denied/key')
    expect(alters(b.calls)).toEqual([])
  })

  it('a promotion that is denied leaves current working, and the next run goes on', async () => {
    const b = bench()
    b.hit('promote', new KeyturnError('denied/store', 'no permission'))
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('denied/store')
    expect(b.works(b.current())).toBe(true)
    expect((await b.go('rotate', 'T1')).current).toBe('app_b')
  })

  it('a secret that goes away meanwhile: nothing is set', async () => {
    const b = bench()
    b.before('lock', () => b.shows('nothing'))
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('not-found/secret')
    expect(alters(b.calls)).toEqual([])
  })

  const person = (username: string, password: string) => JSON.stringify({ username, password, note: 1 })

  it('a person who changes current between apply and promote wins, where the store can compare, and the run starts again from there', async () => {
    const b = bench()
    b.before('promote', () => b.w.store.overwrite(b.w.id, person('app_a', 'first')))
    const steps = (await b.go('rotate', 'T1')).done.map((d) => d.step)
    expect(steps).toEqual(['issue', 'discard', 'issue', 'promote', 'settle', 'settle'])
    expect(JSON.parse(b.current())).toMatchObject({ username: 'app_b', note: 1 })
    expect(b.works(b.current())).toBe(true)
  })

  it('a person who makes the other half current after it was applied: what he wrote logs in again before the run goes on', async () => {
    for (const store of ['labels', 'cas'] as const) {
      const b = bench(store)
      // The other half has a password that a person knows.
      const [first, own] = [b.current(), person('app_b', 'known to a person')]
      await sets(b, own)
      b.before('promote', () => b.w.store.overwrite(b.w.id, own))
      b.before('drop', () => expect(b.works(own)).toBe(true))
      // The first half was current a moment ago, and is in its grace.
      expect(await codeOf(b.go('rotate', 'T1'))).toBe('conflict/inside-grace')
      expect([b.current(), b.works(own), b.works(first)]).toEqual([own, true, true])
    }
  })

  it('a person who changes current again and again: the run gives up, and nothing is lost', async () => {
    const b = bench()
    const again = () => b.w.store.overwrite(b.w.id, person('app_a', 'first'))
    b.before('promote', again)
    b.before('promote', again)
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('conflict/current-moved')
    expect(b.works(b.current())).toBe(true)
    expect((await b.go('rotate', 'T2')).current).toBe('app_b')
  })

  it('a pending that names current’s own half, as an adoption leaves it that died, is given up and never applied', async () => {
    const b = bench()
    const { current = '' } = b.w.store.look(b.w.id) ?? {}
    const attempt = { token: token('adopted'), base: current, driver: 'keyturn' } as const
    await b.core().store.stage(b.w.id, attempt, new SecretText(person('app_a', 'first')), endless.signal)
    expect((await b.go('rotate', 'T1')).done.map((d) => d.step)).toEqual(['discard', 'issue', 'promote', 'settle', 'settle'])
    expect(b.works(b.current())).toBe(true)
  })
})

/** The target takes this document's password. */
async function sets(b: Bench, text: string): Promise<void> {
  const document = new SecretText(text)
  const target = b.core().targetFor(document)
  const credential = target.inspect(document, {})
  const hold = await target.hold(credential, {}, endless.signal)
  await hold.apply(credential, async () => [], endless.signal)
  await hold.release()
}
