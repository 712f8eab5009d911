import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { memory } from '../../shared/stores/vault-memory.ts'
import type { Sight } from '../../shared/stores/vault-sight.ts'
import { instant, SecretText } from '../../shared/types.ts'

const sight = (current: number): Sight => ({
  sibling: { version: 0 },
  main: { current, createdAt: instant(0), custom: {}, seenAt: instant(0), text: new SecretText(`value ${current}`) },
  made: undefined
})

describe('what a process remembers of Vault KV', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('is gone after a minute', () => {
    const kept = memory()
    kept.saw('app', sight(1))
    vi.advanceTimersByTime(59_000)
    expect(kept.sight('app')).toBeDefined()
    vi.advanceTimersByTime(2_000)
    expect([kept.sight('app'), kept.take('app', '1')]).toEqual([undefined, undefined])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is replaced by what is seen later, whose minute begins then', () => {
    const kept = memory()
    kept.saw('app', sight(1))
    vi.advanceTimersByTime(59_000)
    kept.saw('app', sight(2))
    vi.advanceTimersByTime(59_000)
    expect(kept.take('app', '1')).toBeUndefined()
    expect(kept.take('app', '2')?.text.reveal()).toBe('value 2')
    expect(vi.getTimerCount()).toBe(1)
  })

  test('are sixteen secrets at most, the latest', () => {
    const kept = memory()
    for (let n = 1; n <= 17; n++) kept.saw(`app ${n}`, sight(n))
    expect([kept.sight('app 1'), kept.sight('app 2')?.main.current, kept.sight('app 17')?.main.current]).toEqual([
      undefined,
      2,
      17
    ])
    expect(vi.getTimerCount()).toBe(16)
  })

  test('has a value to give once; whoever was given current’s need not be given it by the next look', () => {
    const kept = memory()
    kept.saw('app', sight(1))
    expect(kept.nextLook('app')).toBe('value')
    expect(kept.take('app', '2')).toBeUndefined()
    expect(kept.nextLook('app')).toBe('value')
    expect(kept.take('app', '1')?.text.reveal()).toBe('value 1')
    expect(kept.take('app', '1')).toBeUndefined()
    expect(kept.nextLook('app')).toBe('settings')
    kept.forget('app')
    expect([kept.nextLook('app'), kept.sight('app')]).toEqual(['value', undefined])
  })
})
