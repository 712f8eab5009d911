import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Annotations } from '../../shared/stores/gcp-calls.ts'
import { memory } from '../../shared/stores/gcp-memory.ts'
import { instant } from '../../shared/types.ts'
import { planted, signal } from '../conformance/store-harness.ts'
import { type GcpPlace, gcpPlace } from './gcp-harness.ts'

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1 })
})
afterAll(() => place.close())

const message = (annotations: Annotations) => ({
  resource: 'projects/1/secrets/s',
  createTime: '2026-01-01T00:00:00Z',
  etag: '"1"',
  annotations,
  labels: {},
  likeness: {},
  isManaged: false,
  seenAt: instant(0)
})

describe('what a process knows of a secret', () => {
  test('after an answer stays so for the run that decides on it, whatever another run of the process is answered', () => {
    const kept = memory()
    const first = kept.saw('s', message({ 'keyturn-writes': '1' }), performance.now())
    const second = kept.saw('s', message({ 'keyturn-writes': '2', 'keyturn-hold': 'audit' }))
    expect([first.seen.record.writes, second.seen.record.writes]).toEqual([1, 2])
    expect(first.seen.annotations).not.toHaveProperty('keyturn-hold')
    expect([first.provedWithin(60_000), second.provedWithin(60_000)]).toEqual([true, false])
    kept.age('s')
    expect([second.isRecent(), kept.known('s')?.isRecent()]).toEqual([true, false])
  })

  test('is never older than what it knew', () => {
    const kept = memory()
    kept.saw('s', message({ 'keyturn-writes': '2' }))
    expect(kept.saw('s', message({ 'keyturn-writes': '1' })).seen.record.writes).toBe(2)
    expect(kept.glimpsed(message({ 'keyturn-writes': '1' })).seen.record.writes).toBe(2)
  })
})

describe('a value that an answer brought along', () => {
  const frozen = async (ms: number, work: () => Promise<unknown>) => {
    const now = performance.now() + ms
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    await work().finally(() => clock.mockRestore())
  }

  test('is given once', () => {
    const kept = memory()
    kept.saw('s', message({}))
    kept.keep('s', '1', planted('first'))
    expect([kept.take('s', '1')?.reveal(), kept.take('s', '1')]).toEqual([planted('first').reveal(), undefined])
  })

  test('is not given by a process that was frozen for more than a minute, whose timers did not run: it asks again', async () => {
    const id = await place.fresh('first', { 'keyturn-current': '1' })
    await place.add(id, 'second')
    for (const [ms, calls] of [
      [50_000, []],
      [70_000, ['AccessSecretVersion']]
    ] as const) {
      const store = place.store()
      await store.describe(id, signal())
      await frozen(ms, async () => expect(await place.calls(() => store.read(id, '2', signal()))).toEqual(calls))
    }
  })
})
