import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Attempt } from '../../shared/ports/secret-store.ts'
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
import { type AzureHarness, startAzure } from './azure-harness.ts'

/** Key Vault cannot be fenced: what its senders gave up may still land. */
describe('a write to Azure Key Vault that lands late', () => {
  let azure: AzureHarness
  let b: Bench
  beforeAll(async () => {
    azure = await startAzure()
    b = bench(azure)
  })
  afterAll(() => azure?.close())
  const nameOf = (id: string): string => id.split('/').at(-1) ?? ''
  const values = (id: string): readonly string[] => azure.double.reveal(nameOf(id)).map((v) => v.replace(`${PLANTED} `, ''))

  /** The commit is taken, and lands when the test says so; whoever sent it hears nothing, and comes back after its time. */
  async function promoteLate(id: string, attempt: Attempt): Promise<void> {
    azure.setFault(({ op, name }) => (op === 'SetSecret' && name === nameOf(id) ? 'late' : undefined))
    await refusal(b.store.promote(id, attempt, signal()), 'unavailable/store')
    azure.setFault(undefined)
    await azure.blobs.advance(10_000)
  }
  const land = (): void => {
    expect(azure.double.landLate().map((l) => l.status)).toEqual([200])
    azure.advance(1_000)
  }

  test('is looked for and found when it is the same attempt’s, so that it is written once', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('second'), signal())
    await promoteLate(id, attempt)
    land()
    expect(await b.store.promote(id, attempt, signal())).toMatchObject({ recorded: true })
    expect(values(id)).toEqual(['first', 'second'])
  })

  test('beside a second write of the same attempt does no harm: it is the same value, with the same base', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('second'), signal())
    await promoteLate(id, attempt)
    await b.store.promote(id, attempt, signal())
    await b.store.drop(id, attempt.token, signal())
    land()
    expect(values(id)).toEqual(['first', 'second', 'second'])
    const facts = await look(b, id)
    expect(facts).toMatchObject({ currentToken: attempt.token, previous: base, pendings: [] })
    expect(facts.metadata.promoted).toMatchObject({ version: facts.current, previous: base })
    expect(values(id)).toHaveLength(3)
    const next = attemptFrom(facts.current ?? '')
    await b.store.stage(id, next, planted('third'), signal())
    await b.store.promote(id, next, signal())
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} third`)
  })

  test('of an attempt that was dropped is mended by the next look: what was current before is current again', async () => {
    const { id, base } = await fresh(b)
    await azure.owner.updateSecretProperties(nameOf(id), base, { tags: { team: 'shop', keyturn: 'kind=postgres' } })
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('dead'), signal())
    await promoteLate(id, attempt)
    await b.store.drop(id, attempt.token, signal())
    land()
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} dead`)
    const facts = await azure.another().describe(id, signal())
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} first`)
    expect(facts).toMatchObject({ currentToken: undefined, previous: undefined, pendings: [], metadata: { kind: 'postgres' } })
    const { properties } = await azure.owner.getSecret(nameOf(id))
    expect(facts?.current).toBe(properties.version)
    expect(properties.tags).toMatchObject({ team: 'shop', keyturn: 'kind=postgres' })
    await mendedOnce(id)
  })

  test('of an attempt before the last one is mended too, with the last one’s record and policy', async () => {
    const { id, current: base } = await rotated(b)
    const late = attemptFrom(base)
    await b.store.stage(id, late, planted('dead'), signal())
    await promoteLate(id, late)
    await b.store.drop(id, late.token, signal())
    const last = attemptFrom(base)
    await b.store.stage(id, last, planted('third'), signal())
    await b.store.promote(id, last, signal())
    await b.store.drop(id, last.token, signal())
    await b.store.annotate(id, { owner: 'platform' }, undefined, signal())
    land()
    const facts = await look(b, id)
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} third`)
    expect(facts).toMatchObject({ currentToken: last.token, previous: base, metadata: { owner: 'platform' } })
    expect(facts.metadata.promoted).toMatchObject({ version: facts.current, previous: base })
    await mendedOnce(id)
  })

  test('of an attempt that was promoted, by another run, before the last one, is mended as well', async () => {
    const { id, base } = await fresh(b)
    const first = attemptFrom(base)
    await b.store.stage(id, first, planted('second'), signal())
    await promoteLate(id, first)
    const promoted = await b.store.promote(id, first, signal())
    await b.store.drop(id, first.token, signal())
    const last = attemptFrom(promoted?.version ?? '')
    await b.store.stage(id, last, planted('third'), signal())
    await b.store.promote(id, last, signal())
    land()
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} second`)
    await b.store.drop(id, last.token, signal())
    expect(await look(b, id)).toMatchObject({ currentToken: last.token, previous: promoted?.version })
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} third`)
    await mendedOnce(id)
  })

  test('is not what a newest version is that is ahead of its sibling, which somebody brought back from a backup', async () => {
    const { id, attempt, current } = await rotated(b)
    const sibling = await azure.owner.getSecret(`${nameOf(id)}-pending`)
    for (const text of ['third', 'fourth']) {
      const next = attemptFrom((await look(b, id)).current ?? '')
      await b.store.stage(id, next, planted(text), signal())
      await b.store.promote(id, next, signal())
      await b.store.drop(id, next.token, signal())
      azure.advance(1_000)
    }
    await azure.owner.setSecret(sibling.name, sibling.value ?? '', { tags: sibling.properties.tags ?? {} })
    await azure.blobs.advance(10_000)
    expect(sibling.properties.tags?.['keyturn-state']).toContain(`token=${attempt.token};`)
    const facts = await azure.another().describe(id, signal())
    expect(facts?.current).not.toBe(current)
    expect(values(id)).toEqual(['first', 'second', 'third', 'fourth'])
    await mendedOnce(id)
  })

  test('while another attempt is pending is mended, and that attempt is then seen to be from a base that is gone', async () => {
    const { id, current: base } = await rotated(b)
    const late = attemptFrom(base)
    await b.store.stage(id, late, planted('dead'), signal())
    await promoteLate(id, late)
    await b.store.drop(id, late.token, signal())
    const next = attemptFrom(base)
    await b.store.stage(id, next, planted('third'), signal())
    land()
    await refusal(b.store.promote(id, next, signal()), 'conflict/current-moved')
    await azure.blobs.advance(10_000)
    const facts = await look(b, id)
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} second`)
    expect(facts.pendings).toMatchObject([{ token: next.token, base }])
    expect(facts.current).not.toBe(base)
    await b.store.drop(id, next.token, signal())
    await mendedOnce(id)
  })

  test('and was mended is no promotion, also when a person writes a newer version', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('dead'), signal())
    await promoteLate(id, attempt)
    await b.store.drop(id, attempt.token, signal())
    land()
    await look(b, id)
    azure.advance(1_000)
    await azure.owner.setSecret(nameOf(id), `${PLANTED} a person was here`)
    expect((await look(b, id)).metadata.promoted).toBeUndefined()
  })

  test('is not mended over what a person wrote meanwhile', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('dead'), signal())
    await promoteLate(id, attempt)
    await b.store.drop(id, attempt.token, signal())
    land()
    azure.setBlobFault(async ({ op }) => {
      if (op === 'write') await azure.owner.setSecret(nameOf(id), `${PLANTED} a person was here`)
      return undefined
    })
    const facts = await look(b, id)
    azure.setBlobFault(undefined)
    expect(values(id)).toEqual(['first', 'dead', 'a person was here'])
    expect(facts).toMatchObject({ currentToken: undefined, pendings: [] })
  })

  test('is not mended while another commit may still land: the look waits for it, or its time is over', async () => {
    const { id, base } = await fresh(b)
    const late = attemptFrom(base)
    await b.store.stage(id, late, planted('dead'), signal())
    await promoteLate(id, late)
    await b.store.drop(id, late.token, signal())
    const next = attemptFrom(base)
    await b.store.stage(id, next, planted('second'), signal())
    azure.setFault(({ op, name }) => (op === 'SetSecret' && name === nameOf(id) ? 'before' : undefined))
    await refusal(b.store.promote(id, next, signal()), 'unavailable/store')
    azure.setFault(undefined)
    land()
    await refusal(b.store.describe(id, AbortSignal.timeout(500)), 'unavailable/store')
    await azure.blobs.advance(10_000)
    await look(b, id)
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} first`)
  })

  test('of a sibling is no longer taken for a pending once it was promoted', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    azure.setFault(({ op, name }) => (op === 'SetSecret' && name === `${nameOf(id)}-pending` ? 'late' : undefined))
    await refusal(b.store.stage(id, attempt, planted('beaten'), signal()), 'unavailable/store')
    azure.setFault(undefined)
    await azure.blobs.advance(10_000)
    await b.store.stage(id, attempt, planted('second'), signal())
    await b.store.promote(id, attempt, signal())
    land()
    expect((await look(b, id)).pendings).toMatchObject([{ token: attempt.token }])
    await b.store.drop(id, attempt.token, signal())
    expect((await look(b, id)).pendings).toEqual([])
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} second`)
  })

  test('is no rotation between the two reads of a look: nothing is brought back then', async () => {
    const { id, current: base } = await rotated(b)
    const other = azure.another()
    const attempt = attemptFrom(base)
    let isFirst = true
    azure.setFault(async ({ op, name }) => {
      if (!isFirst || op !== 'GetSecret' || name !== nameOf(id)) return undefined
      isFirst = false
      await other.stage(id, attempt, planted('third'), signal())
      await other.promote(id, attempt, signal())
      await other.drop(id, attempt.token, signal())
      return undefined
    })
    const facts = await b.store.describe(id, signal())
    azure.setFault(undefined)
    expect(facts).toMatchObject({ currentToken: attempt.token, previous: base, pendings: [] })
    expect(values(id)).toEqual(['first', 'second', 'third'])
  })

  /** Every further look, of any process, changes nothing; and the next rotation gets through. */
  async function mendedOnce(id: string): Promise<void> {
    const before = values(id).length
    const facts = await azure.another().describe(id, signal())
    await look(b, id)
    expect(values(id)).toHaveLength(before)
    const next = attemptFrom(facts?.current ?? '')
    await b.store.stage(id, next, planted('next'), signal())
    await b.store.promote(id, next, signal())
    await b.store.drop(id, next.token, signal())
    expect(await look(b, id)).toMatchObject({ currentToken: next.token, previous: facts?.current, pendings: [] })
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} next`)
  }
})
