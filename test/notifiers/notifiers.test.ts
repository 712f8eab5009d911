import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest'
import { awsNotifiers } from '../../functions/aws/notifiers.ts'
import { azureNotifiers } from '../../functions/azure/notifiers.ts'
import { gcpNotifiers } from '../../functions/gcp/notifiers.ts'
import { localNotifiers } from '../../functions/local/notifiers.ts'
import { signedIn } from '../../functions/local/signed-in.ts'
import type { Channel } from '../../shared/channels.ts'
import { type Config, readConfig } from '../../shared/config.ts'
import { addressing, type Builders, notifyAll, notifyLate } from '../../shared/notifiers/notifiers.ts'
import { slack } from '../../shared/notifiers/slack.ts'
import { webhook } from '../../shared/notifiers/webhook.ts'
import type { Notify } from '../../shared/ports/notify.ts'
import { notice, PACE, soon } from '../conformance/notifier-harness.ts'
import { type SlackHarness, startSlack } from '../doubles/channel-slack.ts'
import { startWebhook, type WebhookHarness } from '../doubles/channel-webhook.ts'
import { sharedAuthority } from '../servers/certificates.ts'

let hook: WebhookHarness
let chat: SlackHarness
beforeAll(async () => {
  ;[hook, chat] = [await startWebhook(), await startSlack()]
})
afterEach(async () => {
  hook.proxy.setFault(undefined)
  chat.proxy.setFault(undefined)
  await Promise.all([hook.arrived(), chat.arrived()])
})
afterAll(async () => {
  await hook?.stop()
  await chat?.stop()
})

describe('a notice to all channels', () => {
  it('is sent to each of them, and gets through to the others where one fails', async () => {
    hook.proxy.setFault(() => hook.refusals.denied)
    const untold = await notifyAll([hook.make(PACE), chat.make(PACE)], notice(), soon())
    expect(untold).toMatchObject([{ channel: 'webhook:TEAM_HOOK', error: { code: 'denied/channel' } }])
    expect(await chat.arrived()).toHaveLength(1)
  })

  it('is sent to all at once: a silent one does not keep the others waiting', async () => {
    hook.proxy.setFault(() => 'silent')
    const abort = new AbortController()
    const waiting = notifyAll([hook.make(PACE), chat.make(PACE)], notice(), abort.signal)
    await expect.poll(async () => (await chat.arrived()).length).toBe(1)
    abort.abort()
    expect(await waiting).toMatchObject([{ channel: 'webhook:TEAM_HOOK', error: { code: 'unavailable/channel' } }])
  })

  it('ends with the run’s own time, and names whoever was not told by then', async () => {
    const untold = await notifyAll([hook.make(PACE), chat.make(PACE)], notice(), AbortSignal.abort())
    expect(untold.map(({ channel, error }) => [channel, error.code])).toEqual([
      ['webhook:TEAM_HOOK', 'unavailable/channel'],
      ['slack:TEAM_SLACK', 'unavailable/channel']
    ])
  })

  it('has an answer even for what is a bug', async () => {
    const send = async () => Promise.reject(new TypeError('planted'))
    const untold = await notifyAll([{ name: 'odd', send }, chat.make(PACE)], notice(), soon())
    expect(untold).toMatchObject([{ channel: 'odd', error: { code: 'bug/internal', message: 'unexpected TypeError' } }])
    expect(await chat.arrived()).toHaveLength(1)
  })
})

const CHANNELS = (): readonly Channel[] => [
  { kind: 'webhook', place: 'TEAM_HOOK', url: hook.settings.url, secrets: hook.settings.secrets },
  { kind: 'slack', place: 'TEAM_SLACK', url: chat.settings.url, secrets: [] }
]

const builders = (): Builders => ({
  webhook: (channel) => webhook({ ...hook.settings, ...channel, ...PACE }),
  slack: (channel) => slack({ ...chat.settings, ...channel, ...PACE })
})

describe('the channels of a host', () => {
  it('are built when the first notice is sent, and once', async () => {
    let count = 0
    const notify = notifyLate(CHANNELS(), [], async () => {
      count += 1
      return builders()
    })
    expect(count).toBe(0)
    expect(await notify?.(notice(), soon())).toEqual([])
    expect(await notify?.(notice(), soon())).toEqual([])
    expect(count).toBe(1)
    expect(await hook.arrived()).toHaveLength(2)
  })

  it('are told once of the same news in one process; those that were not are told the next time', async () => {
    const notify = notifyLate(CHANNELS(), [], async () => builders())
    const said = notice()
    chat.proxy.setFault(() => chat.refusals.throttled)
    expect(await notify?.(said, soon())).toMatchObject([{ channel: 'slack:TEAM_SLACK', error: { code: 'throttled/channel' } }])
    chat.proxy.setFault(undefined)
    expect(await notify?.(said, soon())).toEqual([])
    expect(await notify?.(said, soon())).toEqual([])
    expect([await hook.arrived(), await chat.arrived()].map((found) => found.length)).toEqual([1, 1])
  })

  it('are told alone that are asked for, by their names or by the kind that one was called by', async () => {
    const notify = notifyLate(CHANNELS(), [], async () => builders())
    for (const only of [['slack:TEAM_SLACK'], ['slack'], ['slack:TEAM_SLACK', 'sns:gone'], ['slack:TEAM'], []])
      expect(await notify?.(notice(), soon(), only)).toEqual([])
    expect([await hook.arrived(), await chat.arrived()].map((found) => found.length)).toEqual([0, 3])
  })

  it('that cannot be built are named, and the others are told', async () => {
    const sns: Channel = { kind: 'sns', place: 'arn:aws:sns:nowhere:123456789012:alerts' }
    const notify = notifyLate([sns, ...CHANNELS()], ['sns'], async () => ({ ...awsNotifiers({}, readConfig({})), ...builders() }))
    expect(await notify?.(notice(), soon())).toMatchObject([{ channel: 'sns', error: { code: 'invalid/config' } }])
    expect(await chat.arrived()).toHaveLength(1)
  })

  it('are all named where none can be built', async () => {
    const notify = notifyLate(CHANNELS(), [], async () => Promise.reject(new Error('planted')))
    expect(await notify?.(notice(), soon())).toMatchObject([{ channel: 'webhook' }, { channel: 'slack' }])
  })
})

const all =
  'sns:arn:aws:sns:eu-west-1:123456789012:a queue:https://a.example/alerts eventgrid:https://a.example/api/events pubsub:projects/acme-1/topics/alerts slack:HOOK'
const config = readConfig({ KEYTURN_NOTIFY: all, HOOK: 'https://hooks.slack.com/x' })
const nobody = async (): Promise<never> => Promise.reject(new Error('nobody is asked'))
const endpoints = {
  ...{ iam: undefined, token: undefined, policyAnalyzer: undefined, apiKeys: undefined, run: undefined },
  ...{ pubsub: undefined, verifyUrl: undefined }
}

const HOSTS: readonly (readonly [host: string, kinds: Parameters<typeof notifyLate>[1], build: (config: Config) => Builders])[] =
  [
    ['AWS', ['sns'], (c) => awsNotifiers({}, c)],
    ['Azure', ['queue', 'eventgrid'], (c) => azureNotifiers(c, nobody)],
    ['Google Cloud', ['pubsub'], (c) => gcpNotifiers(c, { endpoints }, { authorize: nobody })],
    ['this machine', ['sns', 'queue', 'eventgrid', 'pubsub'], (c) => localNotifiers({}, c, signedIn())]
  ]

test.each(HOSTS)('%s tells its own channels, those at an address, and no other', async (_, kinds, build) => {
  const own = config.channels.filter(({ kind }) => kind === 'slack' || kinds.some((one) => one === kind))
  expect(Object.keys(build(config)).sort()).toEqual([...kinds, 'slack', 'webhook'].sort())
  expect(notifyLate(own, kinds, async () => build(config))).toBeTypeOf('function')
  const foreign = config.channels.filter((one) => !own.includes(one)).map(({ kind }) => kind)
  if (foreign.length === 0) return
  expect(() => notifyLate(config.channels, kinds, async () => build(config))).toThrow(
    expect.objectContaining({ code: 'invalid/config', message: expect.stringContaining(foreign.join(', ')) })
  )
})

test('who is told nothing has no channels', () => {
  expect(notifyLate([], ['sns'], nobody)).toBeUndefined()
})

test('an authority of the deployment’s own is trusted beside the public ones', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-notify-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'ca.pem'), (await sharedAuthority()).caPem)
  const own = readConfig({ KEYTURN_CA_FILE: join(folder, 'ca.pem'), KEYTURN_PRIVATE_HOSTS: '127.0.0.1' })
  expect(addressing(own).ca?.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(100)
  expect(addressing(readConfig({})).ca).toBeUndefined()
  const notify: Notify | undefined = notifyLate(CHANNELS(), ['sns'], async () => awsNotifiers({}, own))
  expect(await notify?.(notice(), soon())).toEqual([])
  expect(await chat.arrived()).toHaveLength(1)
  const others = notifyLate(CHANNELS(), [], async () => awsNotifiers({}, { ...own, privateHosts: [] }))
  expect(await others?.(notice(), soon())).toMatchObject([
    { error: { code: 'denied/address' } },
    { error: { code: 'denied/address' } }
  ])
})
