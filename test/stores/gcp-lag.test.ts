import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, planted, refusal, signal } from '../conformance/store-harness.ts'
import { codeOf, type GcpPlace, gcpPlace } from './gcp-harness.ts'
import { gcpPromotions, look } from './gcp-promotions.ts'

const HOUR = 3_600_000

let place: GcpPlace
beforeAll(async () => {
  place = await gcpPlace({ maxAttempts: 1, requestTimeoutMs: 400 })
})
afterEach(() => {
  place.setFault(undefined)
  place.double.setLag(0)
})
afterAll(() => place.close())

const { values, promoted } = gcpPromotions(() => place)
const siblings = (id: string) => place.double.versions(`${id}-pending`).length

/** A secret that was rotated once before, and from now on everything but access by number is an hour late. */
async function lagging(): Promise<string> {
  place.double.setLag(0)
  const id = await place.fresh('first')
  await promoted(id, '1', 'second')
  place.double.setLag(HOUR)
  return id
}

describe('while the service converges, another process', () => {
  test('sees the newest version by its number, whoever wrote it, and `latest` is still the old one', async () => {
    const id = await lagging()
    await place.add(id, 'a person')
    expect(await place.latest(id)).toMatchObject({ number: 2 })
    const store = place.store()
    expect(await look(store, id)).toMatchObject({ current: '3', previous: '2', currentToken: undefined })
    expect((await store.read(id, '3', signal()))?.text.reveal()).toBe('a person')
  })

  test('does not see an attempt that was just begun, and can begin none: nothing is written anywhere', async () => {
    const id = await lagging()
    const attempt = attemptFrom('2')
    await place.store().stage(id, attempt, planted('third'), signal())
    const before = siblings(id)
    const other = place.store()
    const facts = await look(other, id)
    expect(facts).toMatchObject({ current: '2', pendings: [] })
    await refusal(other.stage(id, attemptFrom('2'), planted('other'), signal()), 'unavailable/store')
    await refusal(other.claim(id, attemptFrom('2'), [], signal()), 'unavailable/store')
    await refusal(other.promote(id, attempt, signal()), 'not-found/version')
    await refusal(other.annotate(id, { owner: 'a' }, facts.revision, signal()), 'conflict/metadata-changed')
    await refusal(other.annotate(id, { owner: 'a' }, undefined, signal()), 'unavailable/store')
    expect(siblings(id)).toBe(before)
    place.advance(HOUR)
    expect(await look(other, id)).toMatchObject({ pendings: [{ token: attempt.token, base: '2' }] })
  })

  test('sees that an attempt was promoted, although the annotations still show it as pending', async () => {
    const id = await lagging()
    const [first, attempt] = [place.store(), attemptFrom('2')]
    await first.stage(id, attempt, planted('third'), signal())
    place.advance(HOUR)
    await first.promote(id, attempt, signal())
    const other = place.store()
    const facts = await look(other, id)
    expect(facts).toMatchObject({ current: '3', currentToken: attempt.token, previous: '2' })
    expect(facts.pendings).toMatchObject([{ token: attempt.token }])
    expect(facts.metadata.promoted).toMatchObject({ version: '3', previous: '2' })
    await refusal(other.drop(id, attempt.token, signal()), 'unavailable/store')
    expect(await other.promote(id, attempt, signal()).catch((e: { code: string }) => e.code)).toBe('unavailable/store')
    expect(values(id)).toEqual(['first', 'second', 'third'])
  })

  test('is not told by whom, where the attempt’s value is destroyed and the commit not shown; it can do nothing', async () => {
    const id = await lagging()
    const [first, attempt] = [place.store(), attemptFrom('2')]
    await first.stage(id, attempt, planted('third'), signal())
    place.advance(HOUR)
    await first.promote(id, attempt, signal())
    place.setFault(({ op, name }) =>
      op === 'AccessSecretVersion' && name.endsWith('-pending/versions/2')
        ? { error: 'FAILED_PRECONDITION', message: 'Secret Version is in DESTROYED state.' }
        : undefined
    )
    const other = place.store()
    const facts = await look(other, id)
    expect(facts).toMatchObject({ current: '3', previous: '2', currentToken: undefined, pendings: [] })
    await refusal(other.stage(id, attemptFrom('3'), planted('fourth'), signal()), 'unavailable/store')
  })

  test('sees that an attempt was dropped, although the annotations still show it: the sibling says so', async () => {
    const id = await lagging()
    const [first, attempt] = [place.store(), attemptFrom('2')]
    await first.stage(id, attempt, planted('third'), signal())
    place.advance(HOUR)
    await first.drop(id, attempt.token, signal())
    const other = place.store()
    expect(await look(other, id)).toMatchObject({ current: '2', pendings: [] })
    await refusal(other.promote(id, attempt, signal()), 'unavailable/store', 'not-found/version')
    await refusal(other.stage(id, attempt, planted('third'), signal()), 'conflict/token-spent')
    expect(values(id)).toEqual(['first', 'second'])
  })

  test('retires nothing on a record that is old: what it would write is refused, and current is right', async () => {
    const id = await lagging()
    const [first, attempt] = [place.store(), attemptFrom('2')]
    await first.stage(id, attempt, planted('third'), signal())
    await first.promote(id, attempt, signal())
    await first.drop(id, attempt.token, signal())
    const facts = await look(place.store(), id)
    // The record is of the promotion before; so a run would first record that of version 3, and is refused there.
    expect(facts).toMatchObject({
      current: '3',
      previous: '2',
      currentToken: undefined,
      metadata: { promoted: { version: '2' } }
    })
    const promoted = { version: '3', previous: '2', at: facts.seenAt }
    await refusal(place.store().annotate(id, { promoted }, facts.revision, signal()), 'conflict/metadata-changed')
  })

  test('takes a time that it is not shown yet for now, which is later than the truth', async () => {
    const id = await lagging()
    await place.add(id, 'a person')
    place.advance(60_000)
    const store = place.store()
    const facts = await look(store, id)
    expect(facts.changedAt).toBe(facts.seenAt)
    expect(await store.read(id, '3', signal())).toMatchObject({ createdAt: undefined })
    place.advance(HOUR)
    const later = await look(store, id)
    expect(later.changedAt).toBeLessThan(facts.seenAt + 1_000)
  })

  test('of a secret that keyturn never wrote finds the end from an old `latest`', async () => {
    const id = await place.fresh('first')
    place.double.setLag(HOUR)
    for (let n = 2; n <= 25; n++) await place.add(id, `value ${n}`)
    expect(await place.latest(id)).toMatchObject({ number: 1 })
    expect(await look(place.store(), id)).toMatchObject({ current: '25', previous: '24' })
  })
})

describe('while the service converges, a process', () => {
  test('sees what it wrote itself, from the first call to the last of several rotations', async () => {
    const id = await lagging()
    const store = place.store()
    for (let n = 2; n <= 4; n++) {
      const attempt = attemptFrom(String(n))
      await store.stage(id, attempt, planted(`value ${n}`), signal())
      expect(await look(store, id)).toMatchObject({ pendings: [{ token: attempt.token, base: String(n) }] })
      await store.promote(id, attempt, signal())
      expect(await store.drop(id, attempt.token, signal())).toBe('nothing pending')
      expect(await look(store, id)).toMatchObject({ current: String(n + 1), currentToken: attempt.token, pendings: [] })
      await store.annotate(id, { owner: `o${n}` }, undefined, signal())
      expect((await look(store, id)).metadata.owner).toBe(`o${n}`)
    }
  })

  test('whose write was not answered cannot tell until it has converged, and then goes on', async () => {
    const id = await lagging()
    const [store, attempt] = [place.store(), attemptFrom('2')]
    await look(store, id)
    place.setFault(({ op }) => (op === 'UpdateSecret' ? 'lost' : undefined))
    expect(await codeOf(store.stage(id, attempt, planted('third'), signal()))).toBe('unavailable/store')
    place.setFault(undefined)
    expect(await codeOf(store.stage(id, attempt, planted('third'), signal()))).toBe('unavailable/store')
    place.advance(HOUR)
    await store.stage(id, attempt, planted('third'), signal())
    await store.promote(id, attempt, signal())
    expect(await look(store, id)).toMatchObject({ current: '3', currentToken: attempt.token })
  })

  test('that a person wrote annotations back for goes by those, once it must have converged', async () => {
    const id = await lagging()
    const store = place.store()
    await store.annotate(id, { owner: 'a' }, undefined, signal())
    place.double.setLag(0)
    const annotations = { 'keyturn-kind': 'postgres', 'keyturn-owner': 'b', 'keyturn-writes': '1' }
    await place.owner.updateSecret({
      secret: { name: `projects/keyturn-test/secrets/${id}`, annotations },
      updateMask: { paths: ['annotations'] }
    })
    // To this process it looks like an old state; to another it is what it is.
    expect((await look(store, id)).metadata.owner).toBe('a')
    expect((await look(place.store(), id)).metadata.owner).toBe('b')
  })
})

test('whichever of the states a read gives, current is the newest, and no attempt that ended is shown', async () => {
  for (let seed = 0; seed < 12; seed++) {
    const id = await lagging()
    place.double.setLag(HOUR, { seed })
    const [first, other] = [place.store(), place.store()]
    const ended: string[] = []
    for (let n = 2; n <= 4; n++) {
      const attempt = attemptFrom(String(n))
      await first.stage(id, attempt, planted(`value ${n}`), signal())
      const seen = await look(other, id)
      expect([seen.current, seen.pendings.map((p) => p.token).filter((t) => ended.includes(t))]).toEqual([String(n), []])
      await first.promote(id, attempt, signal())
      await first.drop(id, attempt.token, signal())
      ended.push(attempt.token)
      const after = await look(other, id)
      expect(after.current).toBe(String(n + 1))
      // Its own mark may still show, as the one that made current: there is nothing to do but to drop it.
      for (const p of after.pendings) expect([p.token, after.currentToken]).toEqual([attempt.token, attempt.token])
    }
  }
})
