import { attemptFrom, type Bench, bench, fresh, PLANTED, planted, signal } from '../conformance/store-harness.ts'
import type { EVERY_BLOBS } from './azure-blobs.ts'
import { type AzureHarness, nameOf, startAzure } from './azure-harness.ts'

export const REQUEST_TIMEOUT_MS = 5_000
export const LEASE_MS = 60_000
/** Azure Storage's times have whole seconds. */
export const SECOND_MS = 1_000

/** A vault and its journal, each request sent once. */
export interface JournalScene {
  readonly azure: AzureHarness
  readonly b: Bench
  /** Every value that the secret had, oldest first, without what marks it as a test's. */
  values(id: string): readonly string[]
  /** A new secret with a pending value. */
  staged(): Promise<{ readonly id: string; readonly base: string; readonly attempt: ReturnType<typeof attemptFrom> }>
}

export async function journalScene(blobs: (typeof EVERY_BLOBS)[number][1]): Promise<JournalScene> {
  const azure = await startAzure({ blobs, maxRetries: 0, requestTimeoutMs: REQUEST_TIMEOUT_MS })
  const b = bench(azure)
  return {
    ...{ azure, b },
    values: (id) => azure.double.reveal(nameOf(id)).map((v) => v.replace(`${PLANTED} `, '')),
    staged: async () => {
      const { id, base } = await fresh(b)
      const attempt = attemptFrom(base)
      await b.store.stage(id, attempt, planted('second'), signal())
      return { id, base, attempt }
    }
  }
}
