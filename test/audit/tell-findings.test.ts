import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AuditHost, type AuditReport, runAudit } from '../../shared/audit/run-audit.ts'
import type { Channel } from '../../shared/channels.ts'
import { deadline } from '../../shared/deadline.ts'
import { type Builders, notifyLate } from '../../shared/notifiers/notifiers.ts'
import { slack } from '../../shared/notifiers/slack.ts'
import { webhook } from '../../shared/notifiers/webhook.ts'
import type { Notify } from '../../shared/ports/notify.ts'
import { PACE } from '../conformance/notifier-harness.ts'
import { type SlackHarness, startSlack } from '../doubles/channel-slack.ts'
import { startWebhook, type WebhookHarness } from '../doubles/channel-webhook.ts'
import { type AuditScene, auditScene, deletions, spree, trail } from './audit-scene.ts'

let hook: WebhookHarness
let chat: SlackHarness
beforeAll(async () => {
  ;[hook, chat] = await Promise.all([startWebhook(), startSlack()])
})
beforeEach(async () => {
  for (const { proxy } of [hook, chat]) proxy.setFault(undefined)
  await Promise.all([hook.arrived(), chat.arrived()])
})
afterAll(async () => {
  await Promise.all([hook.stop(), chat.stop()])
})

/** The channels of a new process, that remembers nothing. */
function channels(...kinds: readonly Channel['kind'][]): Notify {
  const all: readonly Channel[] = [
    { kind: 'webhook', place: 'TEAM_HOOK', url: hook.settings.url, secrets: hook.settings.secrets },
    { kind: 'slack', place: 'TEAM_SLACK', url: chat.settings.url, secrets: [] }
  ]
  const build = async (): Promise<Builders> => ({
    webhook: (channel) => webhook({ ...hook.settings, ...channel, ...PACE }),
    slack: (channel) => slack({ ...chat.settings, ...channel, ...PACE })
  })
  const own = all.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind))
  return notifyLate(own, [], build) as Notify
}

let files = 0

/** One run over one more log, in a new process unless told otherwise. */
function reading({ host, write }: AuditScene, records: readonly object[], more: Partial<AuditHost> = {}): Promise<AuditReport> {
  write(`logs/${String(++files).padStart(5, '0')}.json.gz`, trail(records as Parameters<typeof trail>[0]))
  return runAudit(host({ notify: channels(), ...more }), { kind: 'new' }, deadline(60_000))
}

const arrived = async () => ({ hook: await hook.arrived(), chat: await chat.arrived() })
const counts = async () => {
  const { hook: hooked, chat: chatted } = await arrived()
  return [hooked.length, chatted.length]
}

describe('a finding', () => {
  test('is told once: why, what to do, and the events; the same seen again is no news', async () => {
    const scene = auditScene()
    const records = spree(25)
    expect(await reading(scene, records)).toMatchObject({ findings: { critical: 1 }, told: 1, untold: 0 })
    const { hook: hooked, chat: chatted } = await arrived()
    expect([hooked.length, chatted.length]).toEqual([1, 1])
    expect(chatted[0]?.text).toMatch(/read 25 different secrets within ten minutes[\s\S]*What to do: [\s\S]*Events: /)
    expect(hooked[0]?.id).toBe(chatted[0]?.id)
    expect(await reading(scene, spree(26))).toMatchObject({ findings: { critical: 1 }, told: 0, untold: 0 })
    expect(await reading(scene, records)).toMatchObject({ events: 0, told: 0 })
    expect(await counts()).toEqual([0, 0])
  })

  test('is told when it is as bad as the setting says, and not else', async () => {
    const records = deletions(1)
    expect(await reading(auditScene(), records, { notifyFrom: 'critical' })).toMatchObject({ findings: { high: 1 }, told: 0 })
    expect(await reading(auditScene(), records, { notifyFrom: 'high' })).toMatchObject({ findings: { high: 1 }, told: 1 })
  })

  test('is told by nobody where there is no channel, and nothing waits', async () => {
    const scene = auditScene()
    expect(await reading(scene, spree(25), { notify: undefined })).toMatchObject({ told: 0, untold: 0 })
    expect([scene.state().told.size, scene.state().untold]).toEqual([0, []])
  })
})

describe('more findings than anybody reads', () => {
  test('are told in eleven notices: ten by themselves, and the others in one', async () => {
    const scene = auditScene()
    expect(await reading(scene, deletions(14))).toMatchObject({ findings: { high: 14 }, told: 11, untold: 0 })
    const { chat: chatted } = await arrived()
    expect(chatted.map(({ text }) => text.includes('4 more findings'))).toEqual([...Array(10).fill(false), true])
    expect(chatted.at(-1)?.text.match(/high: /g)).toHaveLength(4)
    expect(new Set(chatted.map(({ id }) => id)).size).toBe(11)
    expect(scene.state().told.size).toBe(14)
  })

  test('of which one is left after ten are eleven notices, each with its own finding', async () => {
    expect(await reading(auditScene(), deletions(11))).toMatchObject({ told: 11 })
    expect((await chat.arrived()).filter(({ text }) => text.includes('more findings'))).toEqual([])
  })
})

describe('a channel that fails', () => {
  test('is told with the next run, and the others are not told again', async () => {
    const scene = auditScene()
    chat.proxy.setFault(() => chat.refusals.denied)
    expect(await reading(scene, spree(25))).toMatchObject({ told: 0, untold: 1 })
    expect(await counts()).toEqual([1, 0])
    expect(scene.logged).toContainEqual([
      'untold',
      expect.objectContaining({ channel: 'slack:TEAM_SLACK', code: 'denied/channel' })
    ])
    expect(await reading(scene, spree(1, 'shop'))).toMatchObject({ told: 0, untold: 1 })
    expect(await counts()).toEqual([0, 0])
    chat.proxy.setFault(undefined)
    expect(await reading(scene, spree(1, 'shop'))).toMatchObject({ findings: { critical: 0 }, told: 1, untold: 0 })
    expect(await counts()).toEqual([0, 1])
    expect(await reading(scene, spree(1, 'shop'))).toMatchObject({ told: 0, untold: 0 })
    expect(await counts()).toEqual([0, 0])
  })

  test('that was taken out of the settings is waited for no more', async () => {
    const scene = auditScene()
    hook.proxy.setFault(() => hook.refusals.denied)
    await reading(scene, spree(25))
    expect(await counts()).toEqual([0, 1])
    hook.proxy.setFault(undefined)
    expect(await reading(scene, spree(1, 'shop'), { notify: channels('slack') })).toMatchObject({ untold: 0 })
    expect(await reading(scene, spree(1, 'shop'))).toMatchObject({ told: 0 })
    expect(await counts()).toEqual([0, 0])
  })

  test('for long has two hundred findings kept for it, the newest, and the log says what was dropped', async () => {
    const scene = auditScene()
    for (const { proxy, refusals } of [hook, chat]) proxy.setFault(() => refusals.denied)
    expect(await reading(scene, deletions(150))).toMatchObject({ untold: 150 })
    expect(await reading(scene, spree(25))).toMatchObject({ untold: 151 })
    expect(await reading(scene, deletions(210).slice(150))).toMatchObject({ untold: 200 })
    const waiting = scene.state().untold.map(({ finding }) => finding.title)
    expect(waiting.filter((title) => /gone\/(1[5-9]\d|20\d)/.test(title))).toHaveLength(60)
    expect(scene.logged).toContainEqual(['dropped', { findings: 11, why: 'more than 200 wait to be told' }])
  })

  test('by saying nothing takes half of the time that is left at most, so that what was read is kept', async () => {
    const scene = auditScene()
    for (const { proxy } of [hook, chat]) proxy.setFault(() => 'silent')
    const limit = { ...deadline(60_000), remainingMs: () => 1_000, signal: AbortSignal.timeout(5_000) }
    scene.write('logs/a.json.gz', trail(spree(25)))
    const run = runAudit(scene.host({ notify: channels() }), { kind: 'new' }, limit)
    expect(await run).toMatchObject({ events: 25, told: 0, untold: 1 })
    expect(scene.state().objects.size).toBe(1)
  })
})
