import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { snsTopic } from '../../shared/notifiers/aws-sns.ts'
import { SecretText } from '../../shared/types.ts'
import { notifierSuite } from '../conformance/notifier.ts'
import { failure, notice, PACE, soon } from '../conformance/notifier-harness.ts'
import { attributesIn, type SnsHarness, snsRefusal, startSns } from '../doubles/channel-sns.ts'
import { startMotoSns } from '../doubles/channel-sns-moto.ts'
import { findMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'

notifierSuite('a topic of SNS', startSns)

const moto = findMoto()
if (moto === undefined) leaveOut('notices by SNS', 'moto_server is not installed')
else notifierSuite('a topic of SNS with a queue behind it, as moto plays them', () => startMotoSns(moto))

describe('a topic of SNS', () => {
  let h: SnsHarness
  beforeAll(async () => {
    h = await startSns()
  })
  afterAll(() => h?.stop())

  it.each([
    ['a long one', 'é'.repeat(300), /^\[critical\] \?+~$/],
    ['one of two lines', 'first\nsecond', /^\[critical\] first second$/],
    ['one in other letters', 'Zürich 日本', /^\[critical\] Z\?rich \?\?$/]
  ])('has a subject of at most 99 characters of ASCII: %s', async (_, title, subject) => {
    await h.make().send(notice({ title }), soon())
    expect(h.last()?.get('Subject')).toMatch(subject)
    expect(h.last()?.get('Subject')?.length).toBeLessThanOrEqual(99)
  })

  it('has the id, the severity and the fields as attributes that subscriptions filter by, ten at most', async () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`field-${n}`, `value ${n}`]))
    const said = notice({ fields: { severity: 'low', event: 'broken', 'not a name': 'x', 'aws.own': 'x', empty: '', ...many } })
    await h.make().send(said, soon())
    const found = attributesIn(h.last() ?? new URLSearchParams())
    expect(found.slice(0, 4)).toEqual([
      ['id', 'String', said.id],
      ['severity', 'String', 'critical'],
      ['event', 'String', 'broken'],
      ['field-0', 'String', 'value 0']
    ])
    expect(found).toHaveLength(10)
    expect(h.last()?.get('Message')).toContain('not a name: x')
  })

  it('that is FIFO drops a repeat of the id', async () => {
    const fifo = await startSns('arn:aws:sns:eu-west-1:123456789012:alerts.fifo')
    try {
      const said = notice()
      await fifo.make().send(said, soon())
      await fifo.make().send(said, soon())
      expect(await fifo.arrived()).toHaveLength(1)
      expect(fifo.last()?.get('MessageDeduplicationId')).toBe(said.id)
    } finally {
      await fifo.stop()
    }
  })

  it.each([
    ['InvalidSecurity', 403, 'denied/channel'],
    ['KMSAccessDenied', 400, 'denied/channel'],
    ['KMSDisabled', 400, 'denied/channel'],
    ['ExpiredToken', 403, 'denied/channel'],
    ['EndpointDisabled', 400, 'not-found/channel'],
    ['KMSThrottling', 400, 'throttled/channel'],
    ['ParameterValueInvalid', 400, 'invalid/notice'],
    ['AnErrorOfNextYear', 409, 'denied/channel']
  ])('that answers %s fails with its code', async (vendor, status, code) => {
    h.proxy.setFault(() => snsRefusal(status, vendor))
    const error = await failure(h.make(PACE).send(notice(), soon()), h)
    h.proxy.setFault(undefined)
    expect(error).toMatchObject({ code, vendor })
  })

  it('is asked with a signature that SNS checks', async () => {
    const credentials = async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: new SecretText('another-planted-key') })
    const other = snsTopic({ arn: h.arn, endpoint: h.proxy.url, credentials })
    const error = await failure(other.send(notice(), soon()), { secrets: ['another-planted-key'] })
    expect(error).toMatchObject({ code: 'denied/channel', vendor: 'SignatureDoesNotMatch' })
  })

  it('is not asked where there are no credentials', async () => {
    const calls = h.proxy.calls.length
    const credentials = async () => {
      throw new TypeError('no profile planted-profile')
    }
    const without = snsTopic({ arn: h.arn, endpoint: h.proxy.url, credentials })
    const error = await failure(without.send(notice(), soon()), { secrets: ['planted-profile'] })
    expect(error).toMatchObject({ code: 'denied/channel', vendor: 'TypeError' })
    expect(h.proxy.calls.length).toBe(calls)
  })

  it.each(['arn:aws:sns::123456789012:alerts', 'arn:aws:sns:evil.example/:123456789012:alerts'])(
    'of %s, which names no region, is refused',
    (arn) => {
      expect(() => snsTopic({ arn, credentials: async () => Promise.reject(new Error('nobody is asked')) })).toThrow(
        expect.objectContaining({ code: 'invalid/config' })
      )
    }
  )
})
