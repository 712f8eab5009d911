import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Attempt } from '../../shared/ports/secret-store.ts'
import type { AzureKeyVault } from '../../shared/stores/azure-key-vault.ts'
import { attemptFrom, type Bench, bench, fresh, look, planted, refusal, signal } from '../conformance/store-harness.ts'
import { type AzureHarness, startAzure } from './azure-harness.ts'

const REQUEST_TIMEOUT_MS = 5_000

type Work = (store: AzureKeyVault, id: string, attempt: Attempt) => Promise<unknown>
const WRITES: readonly (readonly [what: string, isStaged: boolean, work: Work])[] = [
  ['claim', false, (store, id, attempt) => store.claim(id, attempt, [], signal())],
  ['pending value', false, (store, id, attempt) => store.stage(id, attempt, planted('second'), signal())],
  ['tombstone', true, (store, id, attempt) => store.drop(id, attempt.token, signal())]
]

/** Others wait for as long as the journal says that a write may be on its way: after that it must not be sent any more. */
describe.each(WRITES)('on Azure Key Vault, a %s', (_, isStaged, work) => {
  let azure: AzureHarness
  let b: Bench
  beforeAll(async () => {
    azure = await startAzure({ requestTimeoutMs: REQUEST_TIMEOUT_MS })
    b = bench(azure)
  })
  afterAll(() => azure?.close())
  const begun = async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    if (isStaged) await b.store.stage(id, attempt, planted('second'), signal())
    return { id, base, attempt }
  }
  const writes = (made: readonly string[]): readonly string[] => made.filter((call) => call.startsWith('SetSecret '))

  test('is not sent when the journal’s answer took the time that was announced, and holds nobody up', async () => {
    const { id, base, attempt } = await begun()
    let steady = 0
    const slow = azure.another({ steadyMs: () => steady })
    azure.setBlobFault(({ op }) => {
      if (op === 'write') steady += REQUEST_TIMEOUT_MS
      return undefined
    })
    const made = await azure.calls(() => refusal(work(slow, id, attempt), 'busy/lock-lost'))
    azure.setBlobFault(undefined)
    expect(writes(made)).toEqual([])
    if (isStaged) await b.store.drop(id, attempt.token, signal())
    else await b.store.stage(id, attemptFrom(base), planted('other'), signal())
    expect((await look(b, id)).pendings).toHaveLength(isStaged ? 0 : 1)
  })

  test('that was throttled is not sent again after the time that was announced, whatever pause the vault names', async () => {
    const { id, attempt } = await begun()
    azure.setFault(({ op }) => (op === 'SetSecret' ? { error: 'Throttled', retryAfterSeconds: 20 } : undefined))
    const brief = azure.another({ requestTimeoutMs: 300 })
    const made = await azure.calls(() => refusal(work(brief, id, attempt), 'unavailable/store'))
    azure.setFault(undefined)
    expect(writes(made)).toHaveLength(1)
  })
})
