import { describe, expect, it } from 'vitest'
import type { Core } from '../../shared/rotation/core.ts'
import { sweep } from '../../shared/rotation/sweep.ts'
import { instant } from '../../shared/types.ts'
import { endless, GRACE_MS, HOUR, token } from '../conformance/interleave-world.ts'
import { labelsStore } from '../doubles/model-labels.ts'
import { pairTarget } from '../doubles/model-pair.ts'
import { parse } from '../doubles/model-target.ts'
import { straightWire, type Wire } from '../doubles/model-wire.ts'
import { bench, codeOf, rotatedBench } from './bench.ts'

// Scenarios 67, 69 to 72.
describe('a sweep of one secret', () => {
  it('does nothing while nothing is due, and takes no lock', async () => {
    const b = bench()
    expect(await b.go('sweep', 'S1')).toMatchObject({ phase: 'settled', done: [] })
    expect(b.calls).not.toContain('lock')
  })

  it('rotates what is due, retires the old half after the grace, proves it dead once, and comes to rest', async () => {
    const b = bench()
    b.w.advance(31 * 24 * HOUR)
    const kept = b.current()
    expect((await b.go('sweep', 'S1')).done.map((d) => d.step)).toEqual(['issue', 'promote', 'settle', 'settle'])
    b.w.advance(GRACE_MS - 1)
    expect(await b.go('sweep', 'S2')).toMatchObject({ phase: 'draining', done: [] })
    expect(b.works(kept)).toBe(true)
    b.w.advance(1)
    const { done } = await b.go('sweep', 'S3')
    expect(done).toMatchObject([{ step: 'retire', principal: 'app_a', proof: { refusal: '28P01', principal: 'app_a' } }])
    expect(b.works(kept)).toBe(false)
    b.clear()
    expect(await b.go('sweep', 'S4')).toMatchObject({ phase: 'settled', done: [] })
    expect(b.calls.filter((c) => c.startsWith('be refused'))).toEqual([])
  })

  it('waits with the retirement until nobody uses the old half', async () => {
    const b = await rotatedBench()
    b.w.advance(GRACE_MS + 1)
    b.w.target.sessions.push({ principal: 'app_a', address: '10.0.0.7', application: 'shop', count: 1 })
    expect(await b.go('sweep', 'S1')).toMatchObject({ phase: 'draining', done: [] })
    b.w.target.sessions.splice(0)
    expect((await b.go('sweep', 'S2')).done.map((d) => d.step)).toEqual(['retire'])
  })

  it('never takes "cannot tell" for "not used"', async () => {
    const b = await rotatedBench()
    b.w.advance(GRACE_MS + 1)
    b.w.target.usage = { state: 'cannot-tell', why: 'the admin may not see other sessions' }
    expect(await b.go('sweep', 'S1')).toMatchObject({ phase: 'draining', done: [] })
  })

  it('waits with the retirement until every replica of the secret is in sync', async () => {
    const b = await rotatedBench()
    b.w.advance(GRACE_MS + 1)
    b.shows({ replicasInSync: false })
    expect(await b.go('sweep', 'S1')).toMatchObject({ phase: 'draining', done: [] })
    expect(await codeOf(b.go('retire', 'S2'))).toBe('unavailable/replicas')
  })

  it('heals a current credential that the target refuses, and says so in one error line', async () => {
    const b = bench()
    b.w.target.setBehind('app_a', 'somebody else’s')
    expect((await b.go('sweep', 'S1')).done.map((d) => d.step)).toEqual(['heal'])
    expect(b.works(b.current())).toBe(true)
    expect(b.logged.map(([event, fields]) => [event, fields.secret, fields.code])).toContainEqual(['broken', 'app', 'bug/broken'])
  })

  it('of a key that the provider refuses cannot heal it: a failing result', async () => {
    const b = bench('cas', 'minted')
    b.w.target.setBehind('KEY-0', 'somebody else’s')
    expect(await codeOf(b.go('sweep', 'S1'))).toBe('bug/broken')
  })
})

describe('a retirement by request', () => {
  it('inside the grace is refused, and forced goes through', async () => {
    const b = await rotatedBench()
    expect(await codeOf(b.go('retire', 'S1'))).toBe('conflict/inside-grace')
    expect((await b.go('retire', 'S2', { force: true })).done).toMatchObject([{ step: 'retire', principal: 'app_a' }])
  })

  it('names who still uses the old half, and ends them when told to', async () => {
    const b = await rotatedBench()
    b.w.advance(GRACE_MS + 1)
    b.w.target.sessions.push({ principal: 'app_a', address: '10.0.0.7', application: 'shop', count: 1 })
    await expect(b.go('retire', 'S1')).rejects.toMatchObject({
      code: 'conflict/in-use',
      message: expect.stringContaining('shop')
    })
    expect((await b.go('retire', 'S2', { endSessions: true })).done).toMatchObject([{ proof: { sessionsEnded: 1 } }])
  })

  it('that died before its record proves again, and ends the same', async () => {
    const b = await rotatedBench()
    b.w.advance(GRACE_MS + 1)
    b.hit('annotate', 'killed')
    expect(await codeOf(b.go('sweep', 'S1'))).toBe('killed')
    expect((await b.go('sweep', 'S2')).done.map((d) => d.step)).toEqual(['retire'])
    expect(b.w.store.look(b.w.id)?.metadata.retired).toMatchObject({ version: 'app-v0', refusal: '28P01' })
  })

  it('where nothing is left to retire does nothing', async () => {
    expect(await bench().go('retire', 'S1')).toMatchObject({ phase: 'settled', done: [] })
  })
})

// Scenario 89.
describe('a person’s hold and window', () => {
  it('a hold stops a request, and a sweep says so and goes on', async () => {
    const b = bench('labels', 'pair', { hold: { reason: 'freeze' } })
    b.w.advance(31 * 24 * HOUR)
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('conflict/held')
    expect((await b.go('sweep', 'S1')).note).toContain('on hold: freeze')
    expect(b.calls).not.toContain('lock')
  })

  it('a hold that is set while the lock was waited for stops it too', async () => {
    const b = bench()
    b.before('lock', () => b.w.store.writeRaw(b.w.id, 'hold', 'freeze'))
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('conflict/held')
  })

  it('a hold ends at its time', async () => {
    const b = bench('labels', 'pair', { hold: { reason: 'freeze', until: instant(Date.UTC(2026, 0, 5, 1)) } })
    b.w.advance(HOUR)
    expect((await b.go('rotate', 'T1')).current).toBe('app_b')
  })

  it('outside its window a sweep does nothing, and a request by name goes on', async () => {
    const b = bench('labels', 'pair', { window: '02:00-04:00' })
    b.w.advance(31 * 24 * HOUR)
    expect((await b.go('sweep', 'S1')).note).toContain('outside its window')
    b.w.advance(3 * HOUR)
    expect((await b.go('sweep', 'S2')).current).toBe('app_b')
    b.w.advance(2 * GRACE_MS)
    expect((await b.go('rotate', 'T1')).current).toBe('app_a')
  })
})

/** Many secrets on one store, each with a pair of its own. */
function many(count: number): { readonly core: Core; readonly busiest: () => number } {
  const now = () => instant(Date.UTC(2026, 0, 5))
  const store = labelsStore(now)
  let [running, busiest] = [0, 0]
  const wire: Wire = {
    owner: 'sweep',
    now,
    async call(_, effect) {
      busiest = Math.max(busiest, ++running)
      await Promise.resolve()
      running -= 1
      return effect(false)
    }
  }
  const targets = Array.from({ length: count }, (_, n) => {
    const model = pairTarget(now, [`a${n}`, `b${n}`])
    // Every third one’s document opens nothing, and has no twin that could be named by it.
    store.create(`app${n}`, n % 3 === 2 ? '{"username":""}' : model.first, { kind: 'postgres', managedSince: instant(0) })
    return model.connect(n % 2 === 0 ? wire : straightWire('sweep', now))
  })
  const core = bench().core()
  const targetFor: Core['targetFor'] = (document) => {
    const found = targets[Number(parse(document.reveal()).username.slice(1))]
    if (!found) throw new TypeError('no such server')
    return found
  }
  return { core: { ...core, store: store.connect(wire), targetFor }, busiest: () => busiest }
}

// Scenario 28.
describe('a sweep of many secrets', () => {
  const request = { secretId: '', token: '', force: false, endSessions: false, dryRun: false, deadline: endless }

  it('one that fails does not stop the others; there is a result for each, as it ends', async () => {
    const { core } = many(9)
    const told: string[] = []
    const results = await sweep(core, request, token, { concurrency: 3, onResult: (r) => void told.push(r.secret) })
    expect(results.map((r) => r.secret).sort()).toEqual(Array.from({ length: 9 }, (_, n) => `app${n}`))
    expect(
      results
        .filter((r) => 'error' in r)
        .map((r) => r.secret)
        .sort()
    ).toEqual(['app2', 'app5', 'app8'])
    expect(told.sort()).toEqual(results.map((r) => r.secret).sort())
  })

  it('runs no more at once than it is told to', async () => {
    for (const concurrency of [1, 4]) {
      const { core, busiest } = many(30)
      await sweep(core, request, token, { concurrency })
      expect(busiest()).toBeLessThanOrEqual(concurrency)
    }
  })
})
