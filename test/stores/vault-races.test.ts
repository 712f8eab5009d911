import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SecretId } from '../../shared/types.ts'
import {
  attemptFrom,
  type Bench,
  bench,
  fresh,
  look,
  PLANTED,
  planted,
  refusal,
  rotated,
  signal
} from '../conformance/store-harness.ts'
import { places, startVault, type VaultHarness } from './vault-harness.ts'

describe.each(places)('two processes at once, in Vault KV v2 on %s', (_, start) => {
  let vault: VaultHarness
  let b: Bench
  beforeAll(async () => {
    vault = await startVault(start, [])
    b = bench(vault)
  })
  afterAll(() => vault?.close())

  /** A look by a process that remembers nothing. */
  const lookAnew = (id: SecretId) => look(bench({ ...vault, store: vault.another() }), id)
  /** Something happens right before the first call of that name, for that secret. */
  const inFrontOf = (name: string, work: () => Promise<unknown>, id: SecretId = ''): void =>
    vault.place.server.setFault(async ({ op, path }) => {
      if (op !== name || !path.endsWith(id)) return undefined
      vault.place.server.setFault(undefined)
      await work()
      return undefined
    })

  test('staging two values under one token: one value stands, the other is refused', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    const stage = (text: string) => vault.another().stage(id, attempt, planted(text), signal())
    const answers = await Promise.allSettled([stage('one'), stage('two')])
    expect(answers.map((a) => (a.status === 'fulfilled' ? 'done' : a.reason.code)).sort()).toEqual([
      'conflict/token-spent',
      'done'
    ])
    const won = answers[0]?.status === 'fulfilled' ? 'one' : 'two'
    await vault.another().promote(id, attempt, signal())
    expect(await vault.ordinaryRead(id)).toBe(`${PLANTED} ${won}`)
  })

  test('promoting one attempt: one version is written, and both are told of it', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('second'), signal())
    const answers = await Promise.all(
      [b.store, vault.another(), vault.another()].map((store) => store.promote(id, attempt, signal()))
    )
    expect(new Set(answers.map((a) => JSON.stringify(a))).size).toBe(1)
    expect((await lookAnew(id)).current).toBe('2')
  })

  test('one ends what it staged and another promoted: the promotion is told all the same', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    const store = vault.another()
    await store.stage(id, attempt, planted('second'), signal())
    const promoted = await vault.another().promote(id, attempt, signal())
    expect(await store.drop(id, attempt.token, signal())).toBe('nothing pending')
    const record = { version: '2', previous: base, at: promoted?.at }
    expect(await lookAnew(id)).toMatchObject({ currentToken: attempt.token, pendings: [], metadata: { promoted: record } })
  })

  test('one promotes and drops between the two calls of another’s look, which shows it', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('second'), signal())
    const finish = async () => {
      await b.store.promote(id, attempt, signal())
      await b.store.drop(id, attempt.token, signal())
    }
    inFrontOf('GET data', finish)
    expect(await lookAnew(id)).toMatchObject({ current: '2', currentToken: attempt.token, previous: base })
  })

  test('one promotes and drops between the two calls of another’s list, which shows it', async () => {
    const { id, current } = await rotated(b)
    const attempt = attemptFrom(current)
    await b.store.stage(id, attempt, planted('third'), signal())
    inFrontOf(
      'GET data pending',
      async () => {
        await b.store.promote(id, attempt, signal())
        await b.store.drop(id, attempt.token, signal())
      },
      id
    )
    const listed = []
    for await (const facts of vault.another().list(signal())) if (facts.id === id) listed.push(facts)
    expect(listed).toMatchObject([{ current: '3', currentToken: attempt.token, previous: current, pendings: [] }])
  })

  test('a person writes while a promotion is under way: it is refused, and his value stays', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('second'), signal())
    inFrontOf('POST data', () => vault.overwrite(id, 'a person was here'))
    await refusal(b.store.promote(id, attempt, signal()), 'conflict/current-moved')
    expect(await vault.ordinaryRead(id)).toBe('a person was here')
  })

  test('a process that remembers another’s attempt as pending looks before it says so', async () => {
    const { id, base } = await fresh(b)
    const first = attemptFrom(base)
    await b.store.stage(id, first, planted('second'), signal())
    await vault.another().drop(id, first.token, signal())
    const second = attemptFrom(base)
    await b.store.stage(id, second, planted('third'), signal())
    await vault.another().promote(id, second, signal())
    expect(await b.store.promote(id, second, signal())).toMatchObject({ version: '2' })
    await vault.another().drop(id, second.token, signal())
    expect(await b.store.drop(id, second.token, signal())).toBeUndefined()
    expect(await lookAnew(id)).toMatchObject({ currentToken: second.token, pendings: [], previous: base })
  })
})
