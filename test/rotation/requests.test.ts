import { describe, expect, it } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import { endless, GRACE_MS, RUN_LIVES_MS, token } from '../conformance/interleave-world.ts'
import { bench, codeOf, rotatedBench } from './bench.ts'

const alters = (calls: readonly string[]): readonly string[] => calls.filter((c) => c.startsWith('alter'))

// Scenarios 12, 15, 19 to 22, 27.
describe('two requests', () => {
  it('one that is delivered five times takes effect once', async () => {
    const b = bench()
    const notes: (string | undefined)[] = []
    for (let n = 0; n < 5; n++) notes.push((await b.go('rotate', 'T1')).note)
    expect(notes).toEqual([undefined, ...Array.from({ length: 4 }, () => 'done already: this request made current')])
    expect(b.calls.filter((c) => c.startsWith('promote'))).toHaveLength(1)
  })

  it('one that is older than the last promotion is answered done, also after the grace', async () => {
    const b = bench()
    const requestedAt = b.w.now()
    b.w.advance(60_000)
    await b.go('rotate', 'T1')
    b.w.advance(2 * GRACE_MS)
    expect(await b.go('rotate', 'T2', { requestedAt })).toMatchObject({
      note: 'done already: older than the last promotion',
      done: []
    })
  })

  it('a token that ended cannot be used again', async () => {
    const b = bench()
    b.hit('alter', 'killed')
    await codeOf(b.go('rotate', 'T1'))
    b.w.store.overwrite(b.w.id, JSON.stringify({ username: 'app_a', password: 'first', note: 1 }))
    await b.go('rotate', 'T2')
    b.w.advance(2 * GRACE_MS)
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('conflict/token-spent')
  })

  it.each(['rotate', 'retire'] as const)('a secret that nobody put under management is refused (%s)', async (want) => {
    const b = bench('labels', 'pair', { kind: null })
    expect(await codeOf(b.go(want, 'T1'))).toBe('conflict/unmanaged')
    expect(b.calls.filter((c) => /^(lock|stage|alter)/.test(c))).toEqual([])
  })

  it('a second one inside the grace is refused, and says until when', async () => {
    const b = await rotatedBench()
    const refusal = b.go('rotate', 'T1')
    await expect(refusal).rejects.toMatchObject({
      code: 'conflict/inside-grace',
      message: expect.stringContaining('app_a is valid until')
    })
    expect(alters(b.calls)).toEqual([])
  })

  it('a forced one goes through, and the report names who was cut', async () => {
    const b = await rotatedBench()
    b.w.target.sessions.push({ principal: 'app_a', address: '10.0.0.7', application: 'shop', count: 2 })
    const { done } = await b.go('rotate', 'T1', { force: true })
    expect(done.find((d) => d.step === 'promote')?.cut).toMatchObject([{ application: 'shop', address: '10.0.0.7' }])
  })

  it('what a forced one left staged waits for the grace, unless it is forced again', async () => {
    const b = await rotatedBench()
    b.hit('alter', 'killed')
    await codeOf(b.go('rotate', 'T1', { force: true }))
    expect(await codeOf(b.go('rotate', 'T2'))).toBe('conflict/inside-grace')
    expect(await b.go('sweep', 'S1')).toMatchObject({ phase: 'draining', done: [] })
    expect((await b.go('rotate', 'T1', { force: true })).current).toBe('app_a')
  })

  it('a run that loses its lock changes nothing more, and the next one finishes', async () => {
    const b = bench()
    b.before('ask the session', () => void b.w.target.loseLock('run'))
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('busy/lock-lost')
    expect(b.works(b.current())).toBe(true)
    expect((await b.go('rotate', 'T2')).current).toBe('app_b')
  })

  it('a claim of another run is left alone until no run can be alive, and then taken away', async () => {
    const b = bench('cas', 'minted')
    const signal = endless.signal
    await b.core().store.claim(b.w.id, { token: token('dead'), base: 'v0', driver: 'keyturn' }, ['KEY-0'], signal)
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('busy/claimed')
    b.w.advance(RUN_LIVES_MS + 1)
    expect((await b.go('rotate', 'T1')).done.map((d) => d.step)).toEqual(['discard', 'issue', 'promote', 'settle'])
  })

  it('a key that a person made takes the room of ours: a conflict that names it, and it is not touched', async () => {
    const b = bench('cas', 'minted')
    b.w.target.person()
    await expect(b.go('rotate', 'T1')).rejects.toMatchObject({
      code: 'conflict/full',
      message: expect.stringContaining('KEY-PERSON')
    })
    expect(b.w.target.touched).toEqual([])
  })
})

describe('a way back', () => {
  it('the document of before is staged and promoted again, by a proposal', async () => {
    const b = await rotatedBench()
    const first = b.w.store.valueOf(b.w.id, 'app-v0') ?? ''
    const before = b.core().targetFor(new SecretText(first)).inspect(new SecretText(first), {})
    const outcome = await b.go('rotate', 'T1', { force: true }, () => before)
    expect(outcome.current).toBe('app_a')
    expect(b.current()).toBe(first)
    expect(b.works(first)).toBe(true)
  })
})
