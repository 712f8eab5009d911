import { expect } from 'vitest'
import type { Attempt } from '../../shared/ports/secret-store.ts'
import { attemptFrom, type Bench, bench, look, PLANTED, planted, refusal, signal } from '../conformance/store-harness.ts'
import { type AzureHarness, nameOf, startAzure } from './azure-harness.ts'

/** A vault whose writes can land late. */
export interface LateScene {
  readonly azure: AzureHarness
  readonly b: Bench
  /** Every value that the secret had, oldest first, without what marks it as a test's. */
  values(id: string): readonly string[]
  /** The commit is taken, and lands when the test says so; whoever sent it hears nothing, and comes back after its time. */
  promoteLate(id: string, attempt: Attempt): Promise<void>
  /** An attempt that was dropped while its commit was on its way, which then lands. */
  landDropped(id: string, base: string): Promise<Attempt>
  /** What was taken lands; a second later the test goes on. */
  land(): void
  /** Stage, promote, drop. */
  rotate(id: string, attempt: Attempt, text: string): Promise<void>
  /** Every further look, of any process, changes nothing; and the next rotation gets through. */
  expectRest(id: string): Promise<void>
}

export async function lateScene(): Promise<LateScene> {
  const azure = await startAzure()
  const b = bench(azure)
  const values = (id: string): readonly string[] => azure.double.reveal(nameOf(id)).map((v) => v.replace(`${PLANTED} `, ''))
  const rotate = async (id: string, attempt: Attempt, text: string): Promise<void> => {
    await b.store.stage(id, attempt, planted(text), signal())
    await b.store.promote(id, attempt, signal())
    await b.store.drop(id, attempt.token, signal())
  }
  const promoteLate = async (id: string, attempt: Attempt): Promise<void> => {
    azure.setFault(({ op, name }) => (op === 'SetSecret' && name === nameOf(id) ? 'late' : undefined))
    await refusal(b.store.promote(id, attempt, signal()), 'unavailable/store')
    azure.setFault(undefined)
    await azure.blobs.advance(10_000)
  }
  const land = (): void => {
    expect(azure.double.landLate().map((l) => l.status)).toEqual([200])
    azure.advance(1_000)
  }
  return {
    ...{ azure, b, values, rotate, promoteLate, land },
    landDropped: async (id, base) => {
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('dead'), signal())
      await promoteLate(id, attempt)
      await b.store.drop(id, attempt.token, signal())
      land()
      return attempt
    },
    expectRest: async (id) => {
      const before = values(id).length
      const facts = await azure.another().describe(id, signal())
      await look(b, id)
      expect(values(id)).toHaveLength(before)
      const next = attemptFrom(facts?.current ?? '')
      await rotate(id, next, 'next')
      expect(await look(b, id)).toMatchObject({ currentToken: next.token, previous: facts?.current, pendings: [] })
      expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} next`)
    }
  }
}
