import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ChannelHarness, failure, HOSTILE, notice, PACE, soon } from './notifier-harness.ts'

/** Every channel runs these, at its double and at whatever plays it better. */
export function notifierSuite(name: string, start: () => Promise<ChannelHarness>): void {
  describe(`${name}, as every channel`, () => {
    let h: ChannelHarness
    beforeAll(async () => {
      h = await start()
    })
    afterEach(() => h?.proxy.setFault(undefined))
    afterAll(() => h?.stop())

    it('is told a notice with everything that it says', async () => {
      const said = notice()
      await h.make(PACE).send(said, soon())
      const [found, ...others] = await h.arrived()
      expect(others).toEqual([])
      expect(found?.id).toBe(said.id)
      for (const part of [
        said.title,
        ...said.lines,
        ...Object.values(said.fields),
        'critical',
        said.link ?? '',
        '2025-01-31T12:30'
      ])
        expect(found?.text).toContain(part)
    })

    it('is told the same under the same id when it is told again', async () => {
      const said = notice({ link: undefined })
      await h.make(PACE).send(said, soon())
      const [first] = await h.arrived()
      await h.make(PACE).send(said, soon())
      for (const again of await h.arrived()) expect(again).toEqual(first)
      expect(first?.id).toBe(said.id)
    })

    it('shows hostile text as it is, one line each, and is not steered by it', async () => {
      const said = notice({ title: HOSTILE.slice(0, 2).join(' '), lines: HOSTILE, fields: { detail: HOSTILE.join(' ') } })
      await h.make(PACE).send(said, soon())
      const [found] = await h.arrived()
      const lines = found?.text.split('\n') ?? []
      for (const hostile of HOSTILE) expect(lines).toContain(h.shows(onOneLine(hostile)))
      expect(lines).not.toContain('severity: low')
      expect(found?.text).not.toMatch(/(?!\n)[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u)
      expect(found?.text).not.toMatch(/\p{Cs}/u)
    })

    it('is told as much of a long notice as it takes, and how much was cut', async () => {
      const lines = Array.from({ length: Math.ceil(h.most / 80) }, (_, n) => `${n} ${'finding & '.repeat(10)}`)
      await h.make().send(notice({ lines }), AbortSignal.timeout(60_000))
      const [found] = await h.arrived()
      expect(found?.text).toContain(h.shows(lines[0] ?? '').trim())
      const left = /\((\d+) more lines were cut: the channel takes no more\)/.exec(found?.text ?? '')?.[1]
      expect(Number(left)).toBeGreaterThan(0)
      expect(found?.text).toContain(`${lines.length - Number(left) - 1} finding`)
      expect(found?.text).not.toContain(`\n${lines.length - Number(left)} finding`)
      expect(found?.size).toBeLessThanOrEqual(h.most)
      expect(found?.size).toBeGreaterThan(h.most * 0.8)
    })

    it('is told the beginning of a line that is longer than it takes, and no half of a character', async () => {
      await h.make().send(notice({ lines: [`begin ${'🔑'.repeat(h.most / 2)}`, 'the last line'] }), soon())
      const [found] = await h.arrived()
      expect(found?.text).toMatch(/begin 🔑+…/u)
      expect(found?.text).toContain('the last line')
      expect(found?.text).not.toContain('\uFFFD')
      expect(found?.size).toBeLessThanOrEqual(h.most)
    })

    it('is not told what is too long without any line', async () => {
      const said = notice({ fields: { detail: 'x'.repeat(h.most) } })
      if (h.cutsFields) {
        await h.make().send(said, soon())
        expect((await h.arrived())[0]?.size).toBeLessThanOrEqual(h.most)
        return
      }
      expect(await failure(h.make().send(said, soon()), h)).toMatchObject({ code: 'invalid/notice', retryable: false })
      expect(await h.arrived()).toEqual([])
    })

    it.each(['', 'a b', 'x'.repeat(129), 'a.b', 'a\r\nx-injected: 1', 'ü'])(
      'is not told anything under %j, which is no id',
      async (id) => {
        const before = h.proxy.calls.length
        expect(await failure(h.make().send(notice({ id }), soon()), h)).toMatchObject({ code: 'invalid/notice' })
        expect(h.proxy.calls.length).toBe(before)
      }
    )

    it('that is not there is told apart', async () => {
      expect(await failure(h.missing.send(notice(), soon()), h)).toMatchObject({ code: 'not-found/channel', retryable: false })
    })

    it('that refuses has a permission to be given, which is named', async () => {
      h.proxy.setFault(() => h.refusals.denied)
      const error = await failure(h.make(PACE).send(notice(), soon()), h)
      expect(error).toMatchObject({ code: 'denied/channel', retryable: false })
      expect(error.message).toMatch(h.needs)
      expect(await h.arrived()).toEqual([])
    })

    it('that does not take the message says so, in keyturn’s words', async () => {
      h.proxy.setFault(() => h.refusals.rejected)
      const error = await failure(h.make(PACE).send(notice(), soon()), h)
      expect(error).toMatchObject({ code: 'invalid/notice', retryable: false })
      expect(error.message).not.toContain('in words')
    })

    it('that is throttling is told later', async () => {
      h.proxy.setFault(() => h.refusals.throttled)
      expect(await failure(h.make(PACE).send(notice(), soon()), h)).toMatchObject({ code: 'throttled/channel', retryable: true })
      expect(await h.arrived()).toEqual([])
    })

    it('that does not answer is not taken for told', async () => {
      const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>' }
      const gone = { status: 503, body: 'upstream connect error' }
      for (const fault of ['before', gone, ...(h.trusts200 ? [] : [page])] as const) {
        h.proxy.setFault(() => fault)
        const error = await failure(h.make(PACE).send(notice(), soon()), h)
        expect(error).toMatchObject({ code: 'unavailable/channel', retryable: true })
      }
      h.proxy.setFault(() => 'silent')
      const hasty = h.make({ pausesMs: [], requestTimeoutMs: 100 })
      expect(await failure(hasty.send(notice(), soon()), h)).toMatchObject({ code: 'unavailable/channel' })
      expect(await h.arrived()).toEqual([])
    })

    it('is told though an answer was lost on the way', async () => {
      const said = notice()
      const from = h.proxy.calls.length
      h.proxy.setFault(() => (h.proxy.calls.length === from + 1 ? 'lost' : undefined))
      await h.make(PACE).send(said, soon())
      const found = await h.arrived()
      expect(h.proxy.calls.length).toBe(from + 2)
      expect(found.length).toBeGreaterThan(0)
      for (const { id } of found) expect(id).toBe(said.id)
    })

    it('is not looked for where a redirect points to', async () => {
      h.proxy.setFault(() => ({ status: 307, headers: { location: 'https://elsewhere.example/' } }))
      expect(await failure(h.make(PACE).send(notice(), soon()), h)).toMatchObject({ code: 'not-found/channel' })
    })

    it('is not told anything when the time is over', async () => {
      const work = h.make(PACE).send(notice(), AbortSignal.abort())
      expect(await failure(work, h)).toMatchObject({ code: 'unavailable/channel' })
      expect(await h.arrived()).toEqual([])
    })

    it('has a name for reports that gives no secret away', () => {
      for (const secret of h.secrets) expect(h.make().name).not.toContain(secret)
      expect(h.make().name).toMatch(/^[a-z]+:[\w./-]+$/)
    })
  })
}

/** What is left of a text that must stay on its line: the characters that nobody sees are a space. */
const onOneLine = (text: string): string =>
  Buffer.from(text)
    .toString()
    .replaceAll(/[\p{Cc}\u2028\u2029\u202E\u2066\u2069\uFFFE]+/gu, ' ')
