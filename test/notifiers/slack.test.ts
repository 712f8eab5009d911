import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { slack } from '../../shared/notifiers/slack.ts'
import { notifierSuite } from '../conformance/notifier.ts'
import { failure, HOSTILE, notice, PACE, soon } from '../conformance/notifier-harness.ts'
import { type SlackHarness, startSlack } from '../doubles/channel-slack.ts'
import { addressTests } from './address.ts'

notifierSuite('Slack', startSlack)
addressTests('Slack', async () => {
  const h = await startSlack()
  return { ...h, with: (more) => slack({ ...h.settings, ...more }) }
})

describe('Slack', () => {
  let h: SlackHarness
  beforeAll(async () => {
    h = await startSlack()
  })
  afterAll(() => h?.stop())

  it('shows what a log says as text: nobody is called, and nothing but the notice’s own link can be clicked', async () => {
    const link = 'https://example.com/runbook?a=1&b=<x|y>'
    const hostile = {
      title: HOSTILE.join(' '),
      lines: HOSTILE,
      fields: { detail: HOSTILE.join(' '), [HOSTILE[0] ?? '']: 'x' },
      link
    }
    await h.make().send(notice(hostile), soon())
    expect(h.last()?.mentions).toEqual([])
    expect(h.last()?.links).toEqual(['https://example.com/runbook?a=1&b=%3Cx%7Cy%3E'])
    expect(h.last()?.payload).toMatchObject({ mrkdwn: false, unfurl_links: false, unfurl_media: false })
    expect(JSON.stringify(h.last()?.payload)).not.toContain('```')
  })

  it('is given nothing that calls everybody, or hides an address, where the text is shown by something else than Slack', async () => {
    await h.make().send(notice({ lines: HOSTILE }), soon())
    const { text = '' } = h.last()?.payload ?? {}
    expect(text).toContain('channel')
    expect(text).not.toMatch(/(?<!\w)@\w/)
    expect(text).toContain('ann@example.com')
    expect(text).not.toContain('](')
    expect(text).not.toMatch(/[<>]/)
  })

  it('has the title and the lines in the text of notifications, at most 4,000 characters of them', async () => {
    const said = notice({ lines: ['one', '', 'two', ...Array.from({ length: 99 }, () => 'x & y '.repeat(20))] })
    await h.make().send(said, soon())
    expect(h.last()?.fallback.split('\n').slice(0, 4)).toEqual([`[critical] ${said.title}`, 'one', '', 'two'])
    expect(h.last()?.payload.text?.length).toBeLessThanOrEqual(4_000)
  })

  it('gets as many lines in a section as it takes, and no empty one', async () => {
    await h
      .make()
      .send(notice({ lines: ['', ' ', ...Array.from({ length: 60 }, (_, n) => `${n} ${'x'.repeat(97)}`)], fields: {} }), soon())
    const { blocks = [] } = h.last()?.payload ?? {}
    expect(blocks.length).toBeLessThan(10)
    expect(blocks.every(({ text }) => text?.verbatim === true)).toBe(true)
  })

  it.each(['javascript:alert(1)', 'http://example.com/', 'no address'])('does not link to %s', async (link) => {
    await h.make().send(notice({ link }), soon())
    expect(h.last()?.links).toEqual([])
  })

  it.each([
    [404, 'channel_not_found', 'not-found/channel'],
    [410, 'channel_is_archived', 'not-found/channel'],
    [403, 'invalid_token', 'denied/channel'],
    [400, 'no_text', 'invalid/notice'],
    [400, 'user_not_found', 'not-found/channel'],
    [403, 'a_word_of_next_year', 'denied/channel'],
    [500, 'rollup_error', 'unavailable/channel']
  ])('that answers %i %s fails with %s', async (status, body, code) => {
    h.proxy.setFault(() => ({ status, body }))
    const error = await failure(h.make(PACE).send(notice(), soon()), h)
    h.proxy.setFault(undefined)
    expect(error).toMatchObject({ code, vendor: status === 500 ? '500' : body })
  })

  it.each(['ok', 'ok\n', '{"success":true}'])('has taken it where it says %j', async (body) => {
    h.proxy.setFault(() => ({ status: 200, body }))
    await h.make(PACE).send(notice(), soon())
    h.proxy.setFault(undefined)
  })
})
