import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SecretId } from '../../shared/types.ts'
import { SecretText } from '../../shared/types.ts'
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
import { encoded, places, startVault, type VaultHarness } from './vault-harness.ts'

describe.each(places)('stages in Vault KV v2 on %s', (_, start) => {
  let vault: VaultHarness
  let b: Bench
  beforeAll(async () => {
    vault = await startVault(start, [])
    b = bench(vault)
  })
  afterAll(() => vault?.close())

  const owner = (method: string, path: string, body?: unknown) => vault.place.owner(method, path, body)
  /** A look by a process that remembers nothing. */
  const lookAnew = (id: SecretId) => look(bench({ ...vault, store: vault.another() }), id)
  const pendingPath = (id: SecretId) => `data/keyturn/pending/${id}`

  describe('a promotion is its own record', () => {
    test('of version, base and time, from the moment that it is made, and after the end of its attempt', async () => {
      const { id, base } = await fresh(b)
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      const promoted = await b.store.promote(id, attempt, signal())
      const record = { version: '2', previous: base, at: promoted?.at }
      const before = await lookAnew(id)
      expect(before).toMatchObject({ current: '2', pendings: [{ token: attempt.token }], metadata: { promoted: record } })
      expect(await b.store.drop(id, attempt.token, signal())).toBe('nothing pending')
      expect(await lookAnew(id)).toMatchObject({ pendings: [], currentToken: attempt.token, metadata: { promoted: record } })
      expect((await vault.store.read(id, '2', signal()))?.createdAt).toBe(promoted?.at)
    })

    test('also when a person wrote a version since: then the attempt is over, and current is nobody’s', async () => {
      const { id, base } = await fresh(b)
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      const promoted = await b.store.promote(id, attempt, signal())
      await vault.overwrite(id, 'a person was here')
      const record = { version: '2', previous: base, at: promoted?.at }
      const expected = { current: '3', previous: '2', pendings: [], metadata: { promoted: record } }
      const facts = await lookAnew(id)
      expect(facts).toMatchObject(expected)
      expect(facts.currentToken).toBeUndefined()
      expect(facts.spent).toContain(attempt.token)
      // Promoted it was; what a repeat finds is only somebody else's.
      await vault.another().promote(id, attempt, signal())
      await refusal(b.store.stage(id, attempt, planted('second'), signal()), 'conflict/token-spent')
      await vault.another().drop(id, attempt.token, signal())
      expect(await lookAnew(id)).toMatchObject(expected)
      const next = attemptFrom('3')
      await vault.another().stage(id, next, planted('third'), signal())
      expect(await lookAnew(id)).toMatchObject({ ...expected, pendings: [{ token: next.token, base: '3' }] })
    })

    test('whichever process does what: one stages, another promotes, and a third ends the attempt', async () => {
      const { id, base } = await fresh(b)
      const attempt = attemptFrom(base)
      await vault.another().stage(id, attempt, planted('second'), signal())
      const promoted = await vault.another().promote(id, attempt, signal())
      expect(await vault.another().promote(id, attempt, signal())).toEqual(promoted)
      expect(await vault.another().drop(id, attempt.token, signal())).toBe('nothing pending')
      expect(await vault.another().drop(id, attempt.token, signal())).toBeUndefined()
      expect(await vault.another().promote(id, attempt, signal())).toEqual(promoted)
      const record = { version: promoted?.version, previous: base, at: promoted?.at }
      expect(await lookAnew(id)).toMatchObject({ currentToken: attempt.token, pendings: [], metadata: { promoted: record } })
    })

    test('and an attempt that is dropped without one leaves the one before it as it was', async () => {
      const { id, attempt, current } = await rotated(b)
      const { metadata } = await lookAnew(id)
      const second = attemptFrom(current)
      await vault.another().claim(id, second, ['K'], signal())
      expect((await lookAnew(id)).metadata).toEqual(metadata)
      await vault.another().stage(id, second, planted('third'), signal())
      expect((await lookAnew(id)).metadata).toEqual(metadata)
      await vault.another().drop(id, second.token, signal())
      const facts = await lookAnew(id)
      expect(facts.metadata).toEqual(metadata)
      expect(facts).toMatchObject({ current, currentToken: attempt.token, pendings: [] })
      expect(facts.spent).toEqual([attempt.token, second.token])
    })

    test('and its attempt holds nobody up, also before it is ended', async () => {
      const { id, base } = await fresh(b)
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      await b.store.promote(id, attempt, signal())
      const { metadata } = await lookAnew(id)
      const next = attemptFrom('2')
      await vault.another().stage(id, next, planted('third'), signal())
      expect(await lookAnew(id)).toMatchObject({ currentToken: attempt.token, pendings: [{ token: next.token }], metadata })
    })

    test('a retirement that is older than it is no news', async () => {
      const { id, base, current } = await rotated(b)
      const retired = { version: base, at: (await look(b, id)).seenAt, refusal: '28P01' }
      await b.store.annotate(id, { retired }, undefined, signal())
      expect((await look(b, id)).metadata.retired).toEqual(retired)
      const attempt = attemptFrom(current)
      await b.store.stage(id, attempt, planted('third'), signal())
      await b.store.promote(id, attempt, signal())
      expect((await look(b, id)).metadata.retired).toBeUndefined()
    })
  })

  describe('the value of an attempt that ended', () => {
    const readable = async (id: SecretId): Promise<string> => {
      const versions = Array.from({ length: 20 }, (_, n) => n + 1)
      const answers = await Promise.all(versions.map((n) => owner('GET', `${pendingPath(id)}?version=${n}`)))
      return JSON.stringify(answers.map(({ body }) => body))
    }

    test('cannot be read any more under any version of the pending path', async () => {
      const { id, current } = await rotated(b)
      expect(await readable(id)).not.toContain(PLANTED)
      const dropped = attemptFrom(current)
      await b.store.claim(id, dropped, [], signal())
      await b.store.stage(id, dropped, planted('third'), signal())
      expect(await readable(id)).toContain(`${PLANTED} third`)
      await b.store.drop(id, dropped.token, signal())
      expect(await readable(id)).not.toContain(PLANTED)
    })

    test('is destroyed where the mount keeps more versions, by the next attempt if this one died before', async () => {
      await owner('POST', 'config', { max_versions: 5 })
      const store = vault.another()
      const { id, base } = await fresh(b)
      const first = attemptFrom(base)
      await store.stage(id, first, planted('second'), signal())
      vault.place.server.setFault(({ op }) => (op === 'POST destroy pending' ? 'before' : undefined))
      await refusal(store.drop(id, first.token, signal()), 'unavailable/store')
      vault.place.server.setFault(undefined)
      expect(await readable(id)).toContain(`${PLANTED} second`)
      const second = attemptFrom(base)
      await store.stage(id, second, planted('third'), signal())
      expect(await store.drop(id, second.token, signal())).toBe('nothing pending')
      expect(await readable(id)).not.toContain(PLANTED)
      await owner('POST', 'config', { max_versions: 0 })
    })
  })

  test('the tokens of the last twenty attempts are remembered', async () => {
    const { id, base } = await fresh(b)
    const tokens: string[] = []
    for (let n = 0; n < 22; n++) {
      const attempt = attemptFrom(base)
      tokens.push(attempt.token)
      await b.store.stage(id, attempt, planted(`value ${n}`), signal())
      await b.store.drop(id, attempt.token, signal())
    }
    expect((await lookAnew(id)).spent).toEqual(tokens.slice(-20))
    for (const token of tokens.slice(-20))
      await refusal(vault.another().stage(id, { token, base, driver: 'keyturn' }, planted('x'), signal()), 'conflict/token-spent')
  })

  test('a secret that was deleted with its metadata and made anew has nothing to do with the one before', async () => {
    const { id } = await rotated(b)
    const anew = async (text: string) => {
      await owner('DELETE', `metadata/${id}`)
      await vault.create(id, text, { kind: 'postgres' })
    }
    await anew('anew')
    const facts = await lookAnew(id)
    expect(facts).toMatchObject({ current: '1', pendings: [], metadata: { kind: 'postgres' } })
    expect([facts.currentToken, facts.metadata.promoted]).toEqual([undefined, undefined])
    await vault.overwrite(id, 'anew, and again')
    expect(await lookAnew(id)).toMatchObject({ current: '2', currentToken: undefined, previous: '1' })
    await anew('once more')
    const attempt = attemptFrom('1')
    await b.store.stage(id, attempt, planted('second'), signal())
    await anew('a last time')
    expect((await lookAnew(id)).pendings).toMatchObject([{ token: attempt.token, base: 'former:1' }])
    await refusal(vault.another().promote(id, attempt, signal()), 'conflict/current-moved')
    expect(await vault.ordinaryRead(id)).toBe('a last time')
  })

  test('a pending path that a person cleaned up costs the record of the last promotion, and nothing else', async () => {
    const { id, base, current } = await rotated(b)
    for (const clean of [() => owner('DELETE', pendingPath(id)), () => owner('DELETE', `metadata/keyturn/pending/${id}`)]) {
      await clean()
      expect(await lookAnew(id)).toMatchObject({ current, currentToken: undefined, previous: base, pendings: [], spent: [] })
      const attempt = attemptFrom(current)
      await vault.another().stage(id, attempt, planted('third'), signal())
      await vault.another().drop(id, attempt.token, signal())
    }
  })

  test('what somebody else keeps at the pending path is left alone, and said', async () => {
    const { id, base } = await fresh(b)
    await owner('POST', pendingPath(id), { data: { note: 'mine' } })
    const store = vault.another()
    await refusal(store.describe(id, signal()), 'conflict/pending-foreign')
    await refusal(store.stage(id, attemptFrom(base), planted('x'), signal()), 'conflict/pending-foreign')
    const walk = async () => {
      for await (const { name } of store.list(signal())) expect(name).not.toBe(id)
    }
    await refusal(walk(), 'conflict/pending-foreign')
    await owner('DELETE', `metadata/keyturn/pending/${id}`)
    await store.stage(id, attemptFrom(base), planted('x'), signal())
  })

  test('a document is promoted field by field, as deep and as wide as the server takes it', async () => {
    const id = await vault.create(`documents/of mine/ü%?#+ ${Date.now()}`, '{"username":"a","port":5432}', { kind: 'postgres' })
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`k${n}`, `v${n}`]))
    const deep = JSON.parse(`${'{"d":'.repeat(50)}0${'}'.repeat(50)}`)
    const document = { username: 'b', password: `${PLANTED} <&> \u2028`, port: 5432, ssl: true, pair: ['a', 'b'], many, deep }
    const attempt = attemptFrom('1')
    await b.store.stage(id, attempt, new SecretText(JSON.stringify(document, null, 1)), signal())
    const staged = await vault.another().read(id, `pending:${attempt.token}`, signal())
    expect(JSON.parse(staged?.text.reveal() ?? '')).toEqual(document)
    await b.store.promote(id, attempt, signal())
    const { body } = await owner('GET', `data/${encoded(id)}`)
    expect((body as { data: { data: unknown } }).data.data).toEqual(document)
    expect((await vault.another().readCurrent(id, signal())).text.equals(staged?.text ?? new SecretText(''))).toBe(true)
  })

  test('the calls of one attempt are one each, after a look inside the hold', async () => {
    const { id } = await rotated(b)
    const store = vault.another()
    const by = (work: () => Promise<unknown>) => vault.calls(work)
    expect(await by(() => store.describe(id, signal()))).toEqual(['GET data pending', 'GET config', 'GET data'])
    expect(await by(() => store.read(id, '2', signal()))).toEqual([])
    expect(await by(() => store.read(id, '2', signal()))).toEqual(['GET data'])
    expect(await by(() => store.describe(id, signal()))).toEqual(['GET data pending', 'GET metadata'])
    const attempt = attemptFrom('2')
    expect(await by(() => store.claim(id, attempt, ['K'], signal()))).toEqual(['POST data pending'])
    expect(await by(() => store.stage(id, attempt, planted('third'), signal()))).toEqual(['POST data pending'])
    expect(await by(() => store.read(id, `pending:${attempt.token}`, signal()))).toEqual([])
    expect(await store.read(id, `pending:${attempt.token}x`, signal())).toBeUndefined()
    expect(await by(() => store.promote(id, attempt, signal()))).toEqual(['POST data'])
    expect(await by(() => vault.another().describe(id, signal()))).toEqual(['GET data pending', 'GET config', 'GET data'])
    expect(await by(() => store.drop(id, attempt.token, signal()))).toEqual(['POST data pending'])
    expect(await by(() => store.annotate(id, { owner: 'a' }, undefined, signal()))).toEqual(['GET metadata', 'PATCH metadata'])
  })
})
