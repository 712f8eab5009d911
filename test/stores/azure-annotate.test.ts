import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, type Bench, bench, fresh, look, planted, refusal, rotated, signal } from '../conformance/store-harness.ts'
import { type AzureHarness, nameOf, startAzure } from './azure-harness.ts'
import { heldUp } from './azure-held-up.ts'

const HOLD = { hold: { reason: 'an incident' } }

/** Tags are a version's, and a commit writes a new version: who puts a secret on hold must not hear that it is when it is not. */
describe('on Azure Key Vault, a hold', () => {
  let azure: AzureHarness
  let b: Bench
  beforeAll(async () => {
    azure = await startAzure()
    b = bench(azure)
  })
  afterAll(() => azure?.close())
  const staged = async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.stage(id, attempt, planted('second'), signal())
    return { id, base, attempt }
  }

  test('that comes between the look of a commit and its write is on the new version when it is said to be done', async () => {
    const { id, attempt } = await staged()
    const held = heldUp<{ op: string; name: string }>(({ op, name }) => op === 'SetSecret' && name === nameOf(id))
    azure.setFault(async (call) => {
      // The tags are written, and what was written next is looked for: now the commit lands.
      if (isTagged && call.op === 'GetSecret') held.go()
      if (call.op === 'UpdateSecret') isTagged = true
      return held.fault(call)
    })
    let isTagged = false
    const commit = b.store.promote(id, attempt, signal())
    await held.arrived
    await azure.another({ requestTimeoutMs: 500 }).annotate(id, HOLD, undefined, signal())
    await commit
    azure.setFault(undefined)
    const facts = await look(b, id)
    expect(facts).toMatchObject({ currentToken: attempt.token, metadata: { kind: 'postgres', ...HOLD } })
  })

  test('that is written while a commit is announced waits for it, as long as it may be sent', async () => {
    const { id, base, attempt } = await staged()
    azure.setFault(({ op, name }) => (op === 'SetSecret' && name === nameOf(id) ? 'before' : undefined))
    await refusal(b.store.promote(id, attempt, signal()), 'unavailable/store')
    azure.setFault(undefined)
    await refusal(b.store.annotate(id, HOLD, undefined, AbortSignal.timeout(300)), 'unavailable/store')
    await azure.blobs.advance(10_000)
    await b.store.annotate(id, HOLD, undefined, signal())
    expect(await look(b, id)).toMatchObject({ current: base, metadata: HOLD })
  })

  test('follows new versions three times, and then says that it is not sure', async () => {
    const { id } = await fresh(b)
    azure.setFault(async ({ op, name }) => {
      if (op === 'UpdateSecret' && name === nameOf(id)) await azure.owner.setSecret(nameOf(id), 'planted-7f3a9c a person')
      return undefined
    })
    const made = await azure.calls(() => refusal(b.store.annotate(id, HOLD, undefined, signal()), 'conflict/metadata-changed'))
    azure.setFault(undefined)
    expect(made.filter((call) => call.startsWith('UpdateSecret '))).toHaveLength(3)
  })

  test('costs three calls of the vault and one of the journal when nothing is in its way', async () => {
    const { id } = await rotated(b)
    const made = await azure.calls(() => b.store.annotate(id, HOLD, undefined, signal()))
    const name = nameOf(id)
    expect(made).toEqual([`GetSecret ${name}`, `UpdateSecret ${name}`, 'read journal', `GetSecret ${name}`])
  })
})
