import { describe, expect, it } from 'vitest'
import type { MetadataPatch } from '../../shared/metadata.ts'
import { type DrivenSteps, drivenSteps } from '../../shared/rotation/driven/steps.ts'
import { endless, GRACE_MS, token } from '../conformance/interleave-world.ts'
import { type Bench, bench, codeOf, rotatedBench } from './bench.ts'

type Name = keyof DrivenSteps
const STEPS: readonly Name[] = ['create', 'set', 'test', 'finish']

/** RotateSecret. False: Secrets Manager refuses, because AWSPENDING is on another version. */
const registers = (b: Bench, asked: string): boolean => b.w.store.service?.rotateSecret(b.w.id, token(asked)) ?? false

const step = (b: Bench, name: Name, asked: string, steps = drivenSteps()): Promise<string> =>
  steps[name]({ core: b.core(), secretId: b.w.id, token: token(asked), deadline: endless })

/** All four, in one process or each in its own. */
async function fourSteps(b: Bench, asked: string, memory: 'warm' | 'cold'): Promise<void> {
  const warm = drivenSteps()
  for (const name of STEPS) await step(b, name, asked, memory === 'warm' ? warm : drivenSteps())
  b.w.store.service?.succeed(b.w.id, token(asked))
}

const isStore = (call: string): boolean => /^(describe|read|stage|promote|drop|annotate|claim)/.test(call)
const isPending = (b: Bench, asked: string): boolean => b.w.store.service?.isPending(b.w.id, token(asked)) ?? false

describe('the four steps', () => {
  it('in one process make 7 store calls and one for the admin, and 2 logins', async () => {
    const b = bench()
    registers(b, 'S1')
    await fourSteps(b, 'S1', 'warm')
    const t = token('S1')
    expect(b.calls.filter(isStore)).toEqual([
      'describe',
      'read app-v0',
      `stage ${t}`,
      'describe',
      `read ${t}`,
      `read ${t}`,
      `promote ${t}`
    ])
    expect(b.calls.filter((c) => !isStore(c))).toEqual(['lock', 'alter app_b', 'log in as app_b'])
    expect(b.works(b.current())).toBe(true)
  })

  it('each in a new process make one store call more, and one login', async () => {
    const b = bench()
    registers(b, 'S1')
    await fourSteps(b, 'S1', 'cold')
    expect(b.calls.filter(isStore)).toHaveLength(8)
    expect(b.calls.filter((c) => /^(lock|log in)/.test(c))).toEqual(['lock', 'log in as app_b', 'log in as app_b'])
  })

  it('each twice change nothing more', async () => {
    const b = bench()
    registers(b, 'S1')
    const said: string[] = []
    for (const name of STEPS) for (const _ of [1, 2]) said.push(await step(b, name, 'S1'))
    expect(said).toEqual([
      'created',
      'created already',
      'set',
      'set',
      'tested',
      'tested',
      'finished',
      'done already: the token is current'
    ])
    expect(b.calls.filter((c) => c.startsWith('promote'))).toHaveLength(1)
    expect(b.works(b.current())).toBe(true)
  })

  it('of a token that is current are done already', async () => {
    const b = bench()
    registers(b, 'S1')
    await fourSteps(b, 'S1', 'cold')
    for (const name of STEPS) expect(await step(b, name, 'S1')).toBe('done already: the token is current')
  })

  it('refused inside the grace leave no AWSPENDING, so that the next ones rotate after it', async () => {
    const b = await rotatedBench()
    expect(registers(b, 'S1')).toBe(true)
    expect(await codeOf(step(b, 'create', 'S1'))).toBe('conflict/inside-grace')
    expect(isPending(b, 'S1')).toBe(false)
    b.w.advance(GRACE_MS + 1)
    expect(registers(b, 'S2')).toBe(true)
    await fourSteps(b, 'S2', 'cold')
    expect(b.w.store.look(b.w.id)?.current).toBe(token('S2'))
  })

  it('after the grace run again and again, with no sweep between', async () => {
    const b = bench()
    for (const asked of ['S1', 'S2', 'S3']) {
      expect(registers(b, asked)).toBe(true)
      await fourSteps(b, asked, 'cold')
      expect(b.works(b.current())).toBe(true)
      b.w.advance(GRACE_MS + 1)
    }
  })
})

describe('the four steps refuse, and give the token up,', () => {
  const refusals: readonly (readonly [what: string, patch: MetadataPatch, code: string])[] = [
    ['a secret on hold', { hold: { reason: 'freeze' } }, 'conflict/held'],
    ['a secret outside its window', { window: '02:00-04:00' }, 'conflict/outside-window'],
    ['a grace that does not fit in the period', { periodMs: GRACE_MS }, 'invalid/grace']
  ]
  for (const [what, patch, code] of refusals)
    it(what, async () => {
      const b = bench('labels', 'pair', patch)
      registers(b, 'S1')
      expect(await codeOf(step(b, 'create', 'S1'))).toBe(code)
      expect(isPending(b, 'S1')).toBe(false)
    })

  it('a hold that a person sets between two steps', async () => {
    const b = bench()
    registers(b, 'S1')
    await step(b, 'create', 'S1')
    b.w.store.writeRaw(b.w.id, 'hold', 'freeze')
    expect(await codeOf(step(b, 'set', 'S1'))).toBe('conflict/held')
    expect(isPending(b, 'S1')).toBe(false)
    expect(b.calls.filter((c) => c.startsWith('alter'))).toEqual([])
  })

  it('a value that the target’s policy refuses', async () => {
    const b = bench()
    registers(b, 'S1')
    await step(b, 'create', 'S1')
    b.w.target.refusesValue = () => true
    expect(await codeOf(step(b, 'set', 'S1'))).toBe('invalid/password')
    expect(isPending(b, 'S1')).toBe(false)
  })
})

describe('the four steps in disorder', () => {
  it('set and finish without create change nothing', async () => {
    const b = bench()
    registers(b, 'S1')
    for (const name of ['set', 'finish'] as const) expect(await codeOf(step(b, name, 'S1'))).toBe('conflict/step-order')
    expect(b.calls.filter((c) => /^(alter|promote)/.test(c))).toEqual([])
  })

  it('finish without set promotes nothing', async () => {
    const b = bench()
    registers(b, 'S1')
    await step(b, 'create', 'S1')
    expect(await codeOf(step(b, 'finish', 'S1'))).toBe('conflict/step-order')
    expect(b.works(b.current())).toBe(true)
  })

  it('a token that nobody registered is refused', async () => {
    const b = bench()
    expect(await codeOf(step(b, 'create', 'S9'))).toBe('invalid/token')
  })

  it('a lone test on a token without a value checks what a rotation would need, and changes nothing', async () => {
    const b = bench()
    registers(b, 'S1')
    const before = b.w.store.snapshot() + b.w.target.snapshot()
    expect(await step(b, 'test', 'S1')).toContain('nothing is pending')
    expect(b.w.store.snapshot() + b.w.target.snapshot()).toBe(before)
  })

  it('a lone test says what a rotation would be refused for', async () => {
    const b = bench()
    registers(b, 'S1')
    b.w.target.setBehind('app_a', 'somebody else’s')
    expect(await codeOf(step(b, 'test', 'S1'))).toBe('invalid/config')
  })
})

describe('the store’s rotation beside ours', () => {
  it('a value of ours that is pending is carried on under the store’s token', async () => {
    const b = bench()
    b.hit('promote', 'killed')
    await codeOf(b.go('rotate', 'T1'))
    const staged = b.w.store.valueOf(b.w.id, token('T1'))
    expect(registers(b, 'S1')).toBe(true)
    expect(await step(b, 'create', 'S1')).toBe('carried on')
    await fourSteps(b, 'S1', 'cold')
    expect(b.current()).toBe(staged)
    expect(b.w.store.look(b.w.id)?.pendings.filter((p) => p.token === token('T1'))).toEqual([])
  })

  it('a value under AWSPENDING is carried on by a run of ours', async () => {
    const b = bench()
    registers(b, 'S1')
    await step(b, 'create', 'S1')
    expect((await b.go('rotate', 'T1')).done.map((d) => d.token)).toContain(token('S1'))
    expect(b.w.store.look(b.w.id)?.current).toBe(token('S1'))
    expect(await step(b, 'set', 'S1')).toBe('done already: the token is current')
  })

  it('an AWSPENDING without a value is nobody’s: a request takes it off and goes on', async () => {
    const b = bench()
    registers(b, 'S1')
    expect((await b.go('rotate', 'T1')).current).toBe('app_b')
    expect(await codeOf(step(b, 'create', 'S1'))).toBe('invalid/token')
    b.w.advance(GRACE_MS + 1)
    expect(registers(b, 'S2')).toBe(true)
  })

  it('a sweep leaves a fresh one to its driver, and clears an old one away', async () => {
    const b = bench()
    registers(b, 'S1')
    expect(await codeOf(b.go('sweep', 'W1'))).toBe('busy/claimed')
    b.w.advance(60 * 60_000)
    expect((await b.go('sweep', 'W2')).done.map((d) => d.step)).toEqual(['discard'])
    expect(registers(b, 'S2')).toBe(true)
  })

  it('a value under AWSPENDING that keyturn did not make is a conflict, and stays', async () => {
    const b = bench()
    b.w.store.service?.putPending(b.w.id, 'theirs', JSON.stringify({ username: 'app_b', password: 'theirs' }))
    expect(await codeOf(b.go('rotate', 'T1'))).toBe('conflict/pending-foreign')
    expect(b.w.store.look(b.w.id)?.pendings.map((p) => p.token)).toEqual(['theirs'])
  })
})
