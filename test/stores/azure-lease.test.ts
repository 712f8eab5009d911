import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bench, look, refusal, signal } from '../conformance/store-harness.ts'
import { type BlobCall, EVERY_BLOBS } from './azure-blobs.ts'
import { type AzureHarness, nameOf } from './azure-harness.ts'
import { heldUp } from './azure-held-up.ts'
import { type JournalScene, journalScene, LEASE_MS, REQUEST_TIMEOUT_MS, SECOND_MS } from './azure-journal-scene.ts'

describe.each(EVERY_BLOBS)('the lease of a commit to Azure Key Vault, on %s', (_, blobs) => {
  let azure: AzureHarness
  let b: Bench
  let values: JournalScene['values']
  let staged: JournalScene['staged']
  beforeAll(async () => {
    ;({ azure, b, values, staged } = await journalScene(blobs))
  })
  afterAll(() => azure?.close())

  test('gives a commit to one run: a lease that is held is busy, and ends by itself within a minute', async () => {
    const { id, attempt } = await staged()
    const { arrived, go, fault } = heldUp<BlobCall>(({ op }) => op === 'read')
    azure.setBlobFault(fault)
    const first = b.store.promote(id, attempt, signal())
    await arrived
    await refusal(azure.another().promote(id, attempt, signal()), 'busy/claimed')
    await azure.blobs.advance(LEASE_MS - 2 * SECOND_MS)
    await refusal(azure.another().promote(id, attempt, signal()), 'busy/claimed')
    await azure.blobs.advance(3 * SECOND_MS)
    expect(await azure.another().promote(id, attempt, signal())).toMatchObject({ recorded: true })
    go()
    expect(await first.catch((e: { code: string }) => e.code)).toMatchObject({ recorded: true })
    azure.setBlobFault(undefined)
    expect(values(id)).toEqual(['first', 'second'])
  })

  test('stops a run whose lease is another’s by now: its mark is refused, and it writes nothing', async () => {
    const { id, attempt } = await staged()
    const { arrived, go, fault } = heldUp<BlobCall>(({ op }) => op === 'write')
    azure.setBlobFault(fault)
    const first = b.store.promote(id, attempt, signal())
    await arrived
    await azure.journalOf(id).breakLease()
    await azure.another().promote(id, attempt, signal())
    go()
    await refusal(first, 'busy/lock-lost')
    azure.setBlobFault(undefined)
    expect(values(id)).toEqual(['first', 'second'])
  })

  test('lets another run commit when one stalls between its look and its write; both write the same, and no more', async () => {
    const { id, base, attempt } = await staged()
    const { arrived, go, fault } = heldUp<{ op: string; name: string }>(
      ({ op, name }) => op === 'SetSecret' && name === nameOf(id)
    )
    azure.setFault(fault)
    const first = b.store.promote(id, attempt, signal()).catch((e: { code: string }) => e.code)
    await arrived
    await azure.blobs.advance(LEASE_MS + SECOND_MS)
    await azure.another().promote(id, attempt, signal())
    go()
    await first
    azure.setFault(undefined)
    expect(values(id)).toEqual(['first', 'second', 'second'])
    expect(await look(b, id)).toMatchObject({ currentToken: attempt.token, previous: base })
  })

  test('does not let a commit begin when its own mark has got old: whoever saw it has waited by then', async () => {
    const { id, base, attempt } = await staged()
    let steady = 0
    const slow = azure.another({ steadyMs: () => steady })
    azure.setFault(({ op, name }) => {
      if (op === 'GetSecret' && name === nameOf(id)) steady += REQUEST_TIMEOUT_MS
      return undefined
    })
    await refusal(slow.promote(id, attempt, signal()), 'busy/lock-lost')
    azure.setFault(undefined)
    expect((await look(b, id)).current).toBe(base)
  })

  test('does not let a commit begin with less than a request timeout of the lease left', async () => {
    const { id, base, attempt } = await staged()
    let steady = 0
    const slow = azure.another({ steadyMs: () => steady })
    azure.setFault(({ op, name }) => {
      if (op === 'GetSecret' && name === `${nameOf(id)}-pending`) steady += LEASE_MS - REQUEST_TIMEOUT_MS
      return undefined
    })
    await refusal(slow.promote(id, attempt, signal()), 'busy/lock-lost')
    azure.setFault(undefined)
    expect((await look(b, id)).current).toBe(base)
    await azure.blobs.advance(REQUEST_TIMEOUT_MS + SECOND_MS)
    await b.store.promote(id, attempt, signal())
  })

  test('lets an attempt that is current be dropped although the run that promoted it died with the lease', async () => {
    const { id, attempt } = await staged()
    azure.setBlobFault(({ op }) => (op === 'release' ? 'before' : undefined))
    await b.store.promote(id, attempt, signal())
    azure.setBlobFault(undefined)
    expect(await azure.another().drop(id, attempt.token, signal())).toBe('nothing pending')
    expect((await look(b, id)).pendings).toEqual([])
  })

  test('gives a lease back whose answer was lost: nobody waits for it', async () => {
    const { id, attempt } = await staged()
    azure.setBlobFault(({ op }) => (op === 'acquire' ? 'lost' : undefined))
    await refusal(b.store.promote(id, attempt, signal()), 'unavailable/store')
    azure.setBlobFault(undefined)
    expect(await azure.another().promote(id, attempt, signal())).toMatchObject({ recorded: true })
  })

  test('keeps a commit whose answer was lost apart from the next one: that waits, looks, and then writes', async () => {
    const { id, attempt } = await staged()
    const write = ({ op, name }: { op: string; name: string }): boolean => op === 'SetSecret' && name === nameOf(id)
    azure.setFault((call) => (write(call) ? 'before' : undefined))
    await refusal(b.store.promote(id, attempt, signal()), 'unavailable/store')
    azure.setFault(undefined)
    await refusal(azure.another().promote(id, attempt, AbortSignal.timeout(500)), 'unavailable/store')
    expect(values(id)).toEqual(['first'])
    await azure.blobs.advance(REQUEST_TIMEOUT_MS + SECOND_MS)
    await azure.another().promote(id, attempt, signal())
    expect(values(id)).toEqual(['first', 'second'])
  })

  test('does not drop an attempt under a commit that may still land', async () => {
    const { id, base, attempt } = await staged()
    azure.setFault(({ op, name }) => (op === 'SetSecret' && name === nameOf(id) ? 'before' : undefined))
    await refusal(b.store.promote(id, attempt, signal()), 'unavailable/store')
    azure.setFault(undefined)
    await refusal(azure.another().drop(id, attempt.token, AbortSignal.timeout(500)), 'unavailable/store')
    expect((await look(b, id)).pendings).toMatchObject([{ token: attempt.token, base }])
    await azure.blobs.advance(REQUEST_TIMEOUT_MS + SECOND_MS)
    expect(await azure.another().drop(id, attempt.token, signal())).toBe('nothing pending')
  })
})
