import { expect, test } from 'vitest'
import { listedLately } from '../../shared/audit/listed-lately.ts'
import { type Code, KeyturnError } from '../../shared/errors.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { instant } from '../../shared/types.ts'

const facts = (name: string): SecretFacts => ({
  ...{ id: name, name, seenAt: instant(0), pendings: [], spent: [], replicasInSync: true, metadata: {} }
})

/** A store that lists two secrets, and then fails as it is told; its listing, and a clock. */
function store() {
  let [asked, now, code]: [number, number, Code | undefined] = [0, 0, undefined]
  const list = listedLately(
    async function* () {
      asked++
      yield* [facts('a'), facts('b')]
      if (code) throw new KeyturnError(code, 'planted')
    },
    () => now
  )
  return {
    fail: (next: Code | undefined) => {
      code = next
    },
    after: (minutes: number) => {
      now += minutes * 60_000
    },
    asked: () => asked,
    listed: async (): Promise<readonly string[]> => {
      const found: string[] = []
      try {
        for await (const { name } of list(AbortSignal.timeout(1_000))) found.push(name)
      } catch (e) {
        found.push((e as KeyturnError).code)
      }
      return found
    }
  }
}

test('the store is asked once an hour, however often its list is wanted', async () => {
  const { after, asked, listed } = store()
  expect([await listed(), await listed()]).toEqual([
    ['a', 'b'],
    ['a', 'b']
  ])
  after(59)
  await listed()
  expect(asked()).toBe(1)
  after(1)
  await listed()
  expect(asked()).toBe(2)
})

test('what it refuses is not asked for again before, and is told each time with what it gave', async () => {
  const { after, asked, fail, listed } = store()
  fail('denied/store')
  expect([await listed(), await listed(), asked()]).toEqual([['a', 'b', 'denied/store'], ['a', 'b', 'denied/store'], 1])
  fail(undefined)
  after(60)
  expect(await listed()).toEqual(['a', 'b'])
})

test('what may be better the next time is asked for the next time', async () => {
  const { asked, fail, listed } = store()
  fail('unavailable/store')
  expect(await listed()).toEqual(['a', 'b', 'unavailable/store'])
  fail(undefined)
  expect([await listed(), asked()]).toEqual([['a', 'b'], 2])
})
