import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { storageQueue } from '../../shared/notifiers/azure-storage-queue.ts'
import { notifierSuite } from '../conformance/notifier.ts'
import { type ChannelHarness, failure, notice, PACE, soon } from '../conformance/notifier-harness.ts'
import { startAzuriteQueue, startQueue } from '../doubles/channel-queue.ts'
import { findAzurite } from '../servers/azurite.ts'

notifierSuite('a storage queue', startQueue)
if (findAzurite() !== undefined) notifierSuite('a storage queue, as Azurite plays it', startAzuriteQueue)

describe('a storage queue', () => {
  let h: ChannelHarness
  beforeAll(async () => {
    h = await startQueue()
  })
  afterAll(() => h?.stop())

  it('gets what a program reads as JSON', async () => {
    const messages: string[] = []
    const said = notice({ link: undefined })
    const before = h.proxy.calls.length
    await h.make().send(said, soon())
    messages.push(...(await h.arrived()).map(({ text }) => text))
    expect(messages).toEqual([
      ['critical', said.title, ...said.lines, 'broken', 'orders-db', 'app_a', 'null', '2025-01-31T12:30:00.000Z'].join('\n')
    ])
    expect(h.proxy.calls.at(before)).toMatchObject({ method: 'POST', path: '/acme/alerts/messages' })
  })

  it('is called by its account and its name', () => {
    const token = async () => Promise.reject(new Error('nobody is asked'))
    expect(storageQueue({ url: 'https://acme.queue.core.windows.net/alerts', token }).name).toBe('queue:acme/alerts')
  })

  it.each([
    ['denied/store', 'denied/channel'],
    ['denied/provider', 'denied/channel'],
    ['throttled/store', 'throttled/channel'],
    ['unavailable/store', 'unavailable/channel'],
    ['invalid/config', 'invalid/config']
  ] as const)('for which no token is got, with %s, is told later or never: %s', async (cause, code) => {
    const calls = h.proxy.calls.length
    const token = async () => {
      throw new KeyturnError(cause, 'no token here', 'vendor')
    }
    const error = await failure(storageQueue({ url: `${h.proxy.url}/acme/alerts`, token, ...PACE }).send(notice(), soon()), h)
    expect(error).toMatchObject({ code, vendor: 'vendor' })
    expect(h.proxy.calls.length).toBe(calls)
  })
})
