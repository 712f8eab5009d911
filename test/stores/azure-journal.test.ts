import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { attemptFrom, type Bench, fresh, look, PLANTED, planted, refusal, signal } from '../conformance/store-harness.ts'
import { EVERY_BLOBS } from './azure-blobs.ts'
import { type AzureHarness, nameOf } from './azure-harness.ts'
import { heldUp } from './azure-held-up.ts'
import { type JournalScene, journalScene, LEASE_MS, REQUEST_TIMEOUT_MS, SECOND_MS } from './azure-journal-scene.ts'

describe.each(EVERY_BLOBS)('the journal of Azure Key Vault, on %s', (_, blobs) => {
  let azure: AzureHarness
  let b: Bench
  let values: JournalScene['values']
  let staged: JournalScene['staged']
  beforeAll(async () => {
    ;({ azure, b, values, staged } = await journalScene(blobs))
  })
  afterAll(() => azure?.close())

  test('keeps who is about to write, and nothing of what is written', async () => {
    const { id, attempt } = await staged()
    await b.store.promote(id, attempt, signal())
    expect(JSON.parse(await azure.journalOf(id).read())).toEqual({
      what: 'promote',
      token: attempt.token,
      ticket: expect.any(Number)
    })
  })

  test('of a run that was killed before its value holds others up for a request timeout, and a second, at most', async () => {
    const { id, base } = await fresh(b)
    const dead = attemptFrom(base)
    azure.setFault(({ op }) => (op === 'SetSecret' ? 'before' : undefined))
    await refusal(b.store.stage(id, dead, planted('lost'), signal()), 'unavailable/store')
    azure.setFault(undefined)
    const next = attemptFrom(base)
    await azure.blobs.advance(REQUEST_TIMEOUT_MS - SECOND_MS)
    await refusal(azure.another().stage(id, next, planted('second'), signal()), 'conflict/pending-other')
    await azure.blobs.advance(2 * SECOND_MS)
    await azure.another().stage(id, next, planted('second'), signal())
    expect((await look(b, id)).pendings).toMatchObject([{ token: next.token, base }])
  })

  test('lets the same attempt wait for its dead run by itself, and then keep another value', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    azure.setFault(({ op }) => (op === 'SetSecret' ? 'before' : undefined))
    await refusal(b.store.stage(id, attempt, planted('lost'), signal()), 'unavailable/store')
    azure.setFault(undefined)
    await refusal(azure.another().stage(id, attempt, planted('second'), AbortSignal.timeout(500)), 'unavailable/store')
    const quick = azure.another({ requestTimeoutMs: 100 })
    await quick.stage(id, attempt, planted('second'), signal())
    expect(azure.double.reveal(`${nameOf(id)}-pending`)).toEqual([`${PLANTED} second`])
  })

  test('gives one token one value, when it is delivered twice at the same moment', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    const both = await Promise.allSettled(
      ['one', 'two'].map((text) => azure.another({ requestTimeoutMs: 1_000 }).stage(id, attempt, planted(text), signal()))
    )
    expect(both.map((s) => s.status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const s of both) if (s.status === 'rejected') expect(s.reason.code).toMatch(/^conflict\/(pending-other|token-spent)$/)
    expect(azure.double.versions(`${nameOf(id)}-pending`)).toHaveLength(1)
  })

  test('lets a second delivery of a token wait for the first, and find its value', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    const { arrived, go, fault } = heldUp<{ op: string }>(({ op }) => op === 'SetSecret')
    azure.setFault(fault)
    const first = b.store.stage(id, attempt, planted('one'), signal())
    await arrived
    // The second one has looked when it asks for the newest version, and seen nothing pending.
    azure.setFault(({ name }) => {
      if (name === nameOf(id)) go()
      return undefined
    })
    const second = azure.another({ requestTimeoutMs: 100 }).stage(id, attempt, planted('two'), signal())
    await refusal(second, 'conflict/pending-other')
    await first
    azure.setFault(undefined)
    expect(azure.double.reveal(`${nameOf(id)}-pending`)).toEqual([`${PLANTED} one`])
  })

  test('that was lost proves nothing: what a process remembers is looked at again', async () => {
    const { id, base, attempt } = await staged()
    await azure.another().drop(id, attempt.token, signal())
    await azure.journalOf(id).write('{}')
    await b.store.stage(id, attemptFrom(base), planted('third'), signal())
  })

  test('that cannot be understood is written anew', async () => {
    const { id, base } = await fresh(b)
    await azure.journalOf(id).write('not JSON')
    await b.store.stage(id, attemptFrom(base), planted('second'), signal())
    expect((await look(b, id)).pendings).toHaveLength(1)
  })

  test('whose container is not there is a setting to correct; that gives no answer may give one later', async () => {
    const { id, base } = await fresh(b)
    const elsewhere = azure.another({}, `${azure.blobs.containerUrl}-gone`)
    await refusal(elsewhere.stage(id, attemptFrom(base), planted('x'), signal()), 'invalid/config')
    await refusal(elsewhere.promote(id, attemptFrom(base), signal()), 'invalid/config')
    azure.setBlobFault(() => 'before')
    await refusal(b.store.stage(id, attemptFrom(base), planted('x'), signal()), 'unavailable/store')
    await refusal(b.store.promote(id, attemptFrom(base), signal()), 'unavailable/store')
    azure.setBlobFault(undefined)
    expect(await look(b, id)).toMatchObject({ current: base, pendings: [] })
  })

  test('whose answer is lost at any call is not lost itself: the attempt gets through a minute later', async () => {
    for (const op of ['acquire', 'read', 'write', 'release'] as const) {
      const { id, attempt } = await staged()
      let isFirst = true
      azure.setBlobFault((call) => {
        if (!isFirst || call.op !== op) return undefined
        isFirst = false
        return 'lost'
      })
      await b.store.promote(id, attempt, signal()).catch((e: unknown) => expect(e).toMatchObject({ code: 'unavailable/store' }))
      azure.setBlobFault(undefined)
      await azure.blobs.advance(LEASE_MS + SECOND_MS)
      await b.store.promote(id, attempt, signal())
      expect([op, values(id)]).toEqual([op, ['first', 'second']])
    }
  })
})
