import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import { create, withHold } from '../conformance/keys.ts'
import type { KeyScene } from '../conformance/keys-harness.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { fieldsOf } from '../doubles/key-documents.ts'
import { STORAGE_OPS } from '../doubles/storage-management.ts'
import { connectionString, type StorageHarness, startStorageHarness } from '../doubles/storage-management-harness.ts'

let h: StorageHarness
beforeAll(async () => {
  h = await startStorageHarness()
})
afterEach(() => {
  h.setFault(undefined)
})
afterAll(() => h.stop())
const keyOf = ({ current }: KeyScene, name: string) =>
  h.storage.state.key(fieldsOf(current.document).accountName ?? '', name).value
const retire = (scene: KeyScene, old = scene.current) =>
  withHold(scene, (hold) => hold.retire(old, { endSessions: false }, soon()))
const regenerations = () => h.calls().filter(({ op }) => op === STORAGE_OPS.create).length

describe('the two keys take turns', () => {
  it('rotation after rotation, and there is always one that works', async () => {
    let scene = await h.scene()
    for (const expected of ['key2', 'key1', 'key2', 'key1']) {
      const next = await create(scene)
      expect(next.principal).toBe(expected)
      expect(await scene.target.verify(next, { ...scene.context, applied: true }, soon())).toBe('accepted')
      expect(await h.works(scene.current)).toBe(true)
      const kept = keyOf(scene, expected)
      const old = scene.current
      scene = { ...scene, current: next }
      await retire(scene, old)
      expect(keyOf(scene, expected)).toBe(kept)
      expect((await scene.target.preflight(next, scene.context, soon())).filter(({ fatal }) => fatal)).toEqual([])
    }
  })

  it('in the connection string too, of which nothing but the AccountKey changes', async () => {
    const odd = (account: string, key: string) => ` AccountKey=${key}; Default=1;AccountName=${account};;X=AccountKey=y;`
    const scene = await h.scene()
    const { accountName = '', key = '' } = fieldsOf(scene.current.document)
    for (const write of [connectionString, odd]) {
      const document = new SecretText(
        JSON.stringify({ ...fieldsOf(scene.current.document), connectionString: write(accountName, key) })
      )
      const current = scene.target.inspect(document, scene.context)
      const next = fieldsOf((await create({ ...scene, current })).document)
      expect(next.connectionString).toBe(write(accountName, next.key ?? ''))
      expect(next.key).toBe(keyOf(scene, 'key2'))
    }
  })

  it('and every other byte of the document is as it was, without a connection string too', async () => {
    const scene = await h.scene({}, { connectionString: undefined, 'odd ': '\u0001é' })
    const [old, next] = [scene.current.document, (await create(scene)).document]
    const written = old
      .reveal()
      .replace(fieldsOf(old).key ?? '', fieldsOf(next).key ?? '')
      .replace('"key1",\n  "key"', '"key2",\n  "key"')
    expect(next.reveal()).toBe(written)
  })

  it('and neither is a stranger: there is always room for the next', async () => {
    const scene = await h.scene()
    const { keys, maxLive } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys.map(({ principal }) => principal)).toEqual(['key1', 'key2'])
    expect(keys.length).toBeLessThan(maxLive ?? 0)
  })
})

describe('without the word that both keys are this secret’s', () => {
  it('nothing is made anew, and the message says what to see to and what to add', async () => {
    const scene = await h.scene({}, { keys: undefined })
    const before = await h.snapshot(scene)
    for (const [work, key] of [
      [() => create(scene), 'key2'],
      [() => retire(scene), 'key1'],
      [() => withHold(scene, (hold) => hold.discard(scene.current, soon())), 'key1']
    ] as const) {
      const e = await refusal(work)
      expect(e).toMatchObject({ code: 'conflict/key-not-ours', retryable: false })
      expect(e.message).toMatch(new RegExp(`${key} of .*nobody else.*SAS.*"keys": \\["key1", "key2"\\]`))
    }
    expect(await h.snapshot(scene)).toBe(before)
  })

  it('preflight says so, and that the account is full', async () => {
    const scene = await h.scene({}, { keys: null })
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    expect(problems.map(({ code, fatal }) => [code, fatal])).toEqual([
      ['conflict/full', true],
      ['conflict/key-not-ours', true]
    ])
  })
})

it('preflight warns of every SAS that dies with the old key, and that is not fatal', async () => {
  const scene = await h.scene()
  const problems = await scene.target.preflight(scene.current, scene.context, soon())
  expect(problems).toMatchObject([
    { fatal: false, message: expect.stringMatching(/SAS.*key1/), todo: expect.stringMatching(/user delegation/) }
  ])
})

it('usage names the log that tells which key was used, because Azure tells it nowhere else', async () => {
  const scene = await h.scene()
  const usage = await withHold(scene, (hold) => hold.usage(scene.current, soon()))
  expect(usage).toMatchObject({ state: 'cannot-tell', why: expect.stringMatching(/AuthenticationHash/) })
})

describe('a name that is used again', () => {
  it('is not made anew by a run that slept: the value under it is another one’s', async () => {
    const scene = await h.scene()
    const discarded = await create(scene)
    await withHold(scene, (hold) => hold.discard(discarded, soon()))
    const kept = await create(scene)
    const before = regenerations()
    await withHold(scene, (hold) => hold.discard(discarded, soon()))
    const proof = await withHold(scene, (hold) => hold.retire(discarded, { endSessions: false }, soon()))
    expect([await h.works(kept), regenerations() - before, proof.refusal]).toEqual([true, 0, 'AuthenticationFailed'])
  })

  it('is never made anew by the document of the other', async () => {
    const scene = await h.scene()
    const e = await refusal(withHold(scene, (hold) => hold.discard({ ...scene.current, principal: 'key2' }, soon())))
    expect(e.code).toBe('conflict/key-not-ours')
  })

  it('is made anew once by a creation whose answer is lost, and again by the next run, which keeps what it was told', async () => {
    const scene = await h.scene()
    const before = regenerations()
    h.setFault(({ op }) => (op === STORAGE_OPS.create ? 'lost' : undefined))
    await refusal(create(scene))
    h.setFault(undefined)
    expect(regenerations() - before).toBe(1)
    expect(await h.works(await create(scene))).toBe(true)
  })

  it('is made anew as often as it takes by a retirement whose answer is lost: nobody has to know it', async () => {
    const scene = await h.scene()
    const next = await create(scene)
    let left = 1
    h.setFault(({ op }) => (op === STORAGE_OPS.create && left-- > 0 ? 'lost' : undefined))
    expect((await retire(scene)).refusal).toBe('AuthenticationFailed')
    expect(await h.works(next)).toBe(true)
  })
})

it('no error and no URL shows a key, whatever fails and however it is looked at', async () => {
  const scene = await h.scene()
  const { key = '' } = fieldsOf(scene.current.document)
  for (const fault of ['before', 'lost', { status: 400, body: key }, { status: 200, body: '<html>' }] as const) {
    h.setFault(() => fault)
    for (const work of [() => create(scene), () => retire(scene), () => scene.target.verify(scene.current, {}, soon())]) {
      const e = await refusal(work)
      expect(`${inspect(e, { depth: 9, showHidden: true })} ${JSON.stringify(e)}`).not.toContain(key)
    }
  }
  h.setFault(undefined)
  await scene.target.verify(scene.current, {}, soon())
  expect(h.storage.state.controls.seen.some((text) => text.startsWith('SharedKey '))).toBe(true)
  for (const text of h.storage.state.controls.seen) expect(decodeURIComponent(text)).not.toContain(key)
})
