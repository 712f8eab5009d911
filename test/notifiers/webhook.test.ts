import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { webhook } from '../../shared/notifiers/webhook.ts'
import { SecretText } from '../../shared/types.ts'
import { notifierSuite } from '../conformance/notifier.ts'
import { failure, notice, PACE, soon } from '../conformance/notifier-harness.ts'
import { newSecret, startWebhook, type WebhookHarness } from '../doubles/channel-webhook.ts'
import { addressTests } from './address.ts'

notifierSuite('a webhook', startWebhook)
addressTests('a webhook', async () => {
  const h = await startWebhook()
  return { ...h, with: (more) => webhook({ ...h.settings, ...more }) }
})

describe('a webhook', () => {
  let h: WebhookHarness
  beforeAll(async () => {
    h = await startWebhook()
  })
  beforeEach(() => h.knows(h.settings.secrets[0]?.reveal() ?? ''))
  afterAll(() => h?.stop())

  it('gets a type, the time of the event and the notice, and headers that are signed with them', async () => {
    const said = notice()
    await h.make().send(said, soon())
    const { json, headers = {}, text } = h.last() ?? {}
    expect(json).toMatchObject({ type: 'keyturn.notice', timestamp: '2025-01-31T12:30:00.000Z', data: { id: said.id } })
    expect(headers['webhook-id']).toBe(said.id)
    const key = Buffer.from(h.settings.secrets[0]?.reveal().slice('whsec_'.length) ?? '', 'base64')
    const content = `${said.id}.${headers['webhook-timestamp']}.${text}`
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(content).digest('base64')}`)
  })

  it('gets the time of the attempt, not of the event, so that an old one cannot be sent again', async () => {
    await h.make().send(notice({ at: 0 }), soon())
    expect(Math.abs(Date.now() / 1000 - Number(h.last()?.headers['webhook-timestamp']))).toBeLessThan(60)
    const error = await failure(h.make({ now: () => Date.now() - 6 * 60_000, ...PACE }).send(notice(), soon()), h)
    expect(error).toMatchObject({ code: 'denied/channel', vendor: '401' })
  })

  it('is signed with both secrets while they are rotated, so that the receiver may know either', async () => {
    const [old, next] = [h.settings.secrets[0]?.reveal() ?? '', newSecret(24)]
    const both = webhook({ ...h.settings, secrets: [new SecretText(next), new SecretText(old)] })
    await h.arrived()
    for (const known of [old, next]) {
      h.knows(known)
      await both.send(notice(), soon())
      expect(await h.arrived()).toHaveLength(1)
    }
    expect(String(h.last()?.headers['webhook-signature']).split(' ')).toHaveLength(2)
  })

  it('whose receiver knows another secret is refused', async () => {
    h.knows(newSecret())
    expect(await failure(h.make().send(notice(), soon()), h)).toMatchObject({ code: 'denied/channel', vendor: '401' })
  })

  it.each([
    [202, undefined],
    [400, 'invalid/notice'],
    [404, 'not-found/channel'],
    [408, 'unavailable/channel'],
    [410, 'not-found/channel'],
    [413, 'invalid/notice'],
    [418, 'denied/channel'],
    [500, 'unavailable/channel'],
    [502, 'unavailable/channel']
  ])('that answers %i has %s', async (status, code) => {
    h.proxy.setFault(() => ({ status, body: 'the receiver’s words' }))
    const work = h.make(PACE).send(notice(), soon())
    try {
      if (code === undefined) await work
      else {
        const error = await failure(work, h)
        expect(error).toMatchObject({ code, vendor: String(status) })
        expect(error.message).not.toContain('words')
      }
    } finally {
      h.proxy.setFault(undefined)
    }
  })
})
