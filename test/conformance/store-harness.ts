import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { expect } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import type { MetadataPatch } from '../../shared/metadata.ts'
import type { Attempt, SecretCatalog, SecretFacts, SecretStore } from '../../shared/ports/secret-store.ts'
import { type SecretId, SecretText, type VersionId } from '../../shared/types.ts'

/** What can go wrong between keyturn and a store. `lost answer`: the next write takes effect, its answer never arrives. */
export type Fault = 'denied' | 'throttled a little' | 'throttled on and on' | 'no answer' | 'disabled' | 'lost answer'
/** Makes it happen to the secret until the returned function is called; `lost answer` happens once. */
export type Inject = (id: SecretId) => Promise<() => Promise<void>>

/** A store, started, and the hands that reach behind it. */
export interface StoreHarness {
  readonly store: SecretStore & SecretCatalog
  create(name: string, text: string, metadata: MetadataPatch): Promise<SecretId>
  /** A person writes a new current value, past keyturn. */
  overwrite(id: SecretId, text: string): Promise<void>
  /** A person sets one metadata string by hand; the key without the store's prefix. */
  writeRaw(id: SecretId, key: string, text: string): Promise<void>
  /** What an application does to get its credential. */
  ordinaryRead(id: SecretId): Promise<string>
  /** Moves the store's clock. */
  advance(ms: number): void
  /** A fault that this store cannot have is a sentence that says why. */
  readonly faults: { readonly [F in Fault]: Inject | string }
  close(): Promise<void>
}

/** What every test of the suite works with. */
export interface Bench {
  readonly harness: StoreHarness
  /** The store, with every error that it throws written down. */
  readonly store: SecretStore & SecretCatalog
  readonly heard: unknown[]
}

/** In every value that a test writes, so that a leak can be found by looking for it. */
export const PLANTED = 'planted-7f3a9c'
export const signal = (): AbortSignal => AbortSignal.timeout(30_000)
export const token = (): string => randomUUID()
export const planted = (text: string): SecretText => new SecretText(`${PLANTED} ${text}`)

export function bench(harness: StoreHarness): Bench {
  const heard: unknown[] = []
  const { store } = harness
  const note = <T>(work: Promise<T>): Promise<T> =>
    work.catch((e: unknown) => {
      heard.push(e)
      throw e
    })
  return {
    harness,
    heard,
    store: {
      facts: store.facts,
      describe: (...a) => note(store.describe(...a)),
      read: (...a) => note(store.read(...a)),
      claim: (...a) => note(store.claim(...a)),
      stage: (...a) => note(store.stage(...a)),
      promote: (...a) => note(store.promote(...a)),
      drop: (...a) => note(store.drop(...a)),
      async *list(...a) {
        try {
          yield* store.list(...a)
        } catch (e) {
          heard.push(e)
          throw e
        }
      },
      annotate: (...a) => note(store.annotate(...a))
    }
  }
}

export function expectSilence(heard: readonly unknown[]): void {
  for (const e of heard) {
    expect(e).toBeInstanceOf(KeyturnError)
    const shown = [String(e), (e as Error).stack, JSON.stringify(e), inspect(e, { depth: 20, showHidden: true })]
    for (const text of shown) expect(text).not.toContain(PLANTED)
  }
}

/** Expects a KeyturnError with one of the codes. */
export async function refusal(work: Promise<unknown>, ...codes: readonly string[]): Promise<void> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e
  )
  expect(error, 'it was not refused').toBeInstanceOf(KeyturnError)
  expect(codes).toContain((error as KeyturnError).code)
}

export async function look(b: Bench, id: SecretId): Promise<SecretFacts> {
  const facts = await b.store.describe(id, signal())
  if (!facts) throw new Error(`${id} is not there`)
  return facts
}

/** A new secret with a value, and its version. */
export async function fresh(b: Bench, text = 'first'): Promise<{ readonly id: SecretId; readonly base: VersionId }> {
  const id = await b.harness.create(`suite-${randomUUID().slice(0, 13)}`, `${PLANTED} ${text}`, { kind: 'postgres' })
  const { current } = await look(b, id)
  if (current === undefined) throw new Error('a new secret has no current version')
  return { id, base: current }
}

export const attemptFrom = (base: VersionId): Attempt => ({ token: token(), base, driver: 'keyturn' })

/** A secret that was rotated once, its attempt dropped. */
export async function rotated(b: Bench, text = 'second') {
  const { id, base } = await fresh(b)
  const attempt = attemptFrom(base)
  await b.store.stage(id, attempt, planted(text), signal())
  await b.store.promote(id, attempt, signal())
  await b.store.drop(id, attempt.token, signal())
  const { current } = await look(b, id)
  if (current === undefined) throw new Error('nothing is current after a promotion')
  return { id, base, attempt, current }
}

/** Reads as an application does, over and over, while the work runs, and once after it. */
export async function readWhile(b: Bench, id: SecretId, work: () => Promise<unknown>): Promise<readonly string[]> {
  const seen: string[] = [await b.harness.ordinaryRead(id)]
  let done = false
  const reading = (async () => {
    while (!done) seen.push(await b.harness.ordinaryRead(id))
  })()
  try {
    await work()
  } finally {
    done = true
    await reading
  }
  seen.push(await b.harness.ordinaryRead(id))
  return seen
}
