import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { act } from '../../shared/act.ts'
import { deadline } from '../../shared/deadline.ts'
import { KeyturnError } from '../../shared/errors.ts'
import type { Log, LogFields } from '../../shared/log.ts'
import type { MetadataPatch } from '../../shared/metadata.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import { slack } from '../../shared/notifiers/slack.ts'
import { webhook } from '../../shared/notifiers/webhook.ts'
import { parseRequest } from '../../shared/request.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { type Outcome, run } from '../../shared/rotation/rotate.ts'
import { createSecret, fileStore } from '../../shared/stores/file.ts'
import { GRACE_MS } from '../conformance/interleave-world.ts'
import { type SlackHarness, startSlack } from '../doubles/channel-slack.ts'
import { startWebhook, type WebhookHarness } from '../doubles/channel-webhook.ts'
import { type AcmeScene, acmeScene } from '../doubles/http-example-scene.ts'
import { parse } from '../doubles/model-target.ts'
import { bench, codeOf } from './bench.ts'
import { HOUR, newToken, rotated } from './crash-worlds.ts'

const NAME = 'acme/key'
const DAY = 24 * HOUR

let hook: WebhookHarness
let chat: SlackHarness
let acme: AcmeScene
let folder: string
let now: number
let logged: [event: string, fields: LogFields][]
beforeEach(async () => {
  ;[hook, chat, acme] = [await startWebhook(), await startSlack(), await acmeScene()]
  folder = mkdtempSync(join(tmpdir(), 'keyturn-page-'))
  now = Date.UTC(2025, 0, 31, 12)
  logged = []
})
afterEach(async () => {
  await Promise.all([hook.stop(), chat.stop(), acme.double.close()])
  rmSync(folder, { recursive: true })
})

const log: Log = { info: () => {}, warn: () => {}, error: (...line) => void logged.push(line) }

/** A process with two channels. */
const notify = (): Core['notify'] =>
  notifyLate(
    [
      { kind: 'webhook', place: 'TEAM_HOOK', url: hook.settings.url, secrets: hook.settings.secrets },
      { kind: 'slack', place: 'TEAM_SLACK', url: chat.settings.url, secrets: [] }
    ],
    [],
    async () => ({
      webhook: (channel) => webhook({ ...hook.settings, ...channel, pausesMs: [] }),
      slack: (channel) => slack({ ...chat.settings, ...channel, pausesMs: [] })
    })
  )

/** A key of Acme's in a file store. */
async function core(more: MetadataPatch = {}): Promise<Core> {
  const settings = { folder, now: () => now }
  await createSecret(settings, NAME, acme.current.document, { kind: 'http-api-key', graceMs: HOUR, soakMs: HOUR, ...more })
  const store = fileStore(settings)
  return { store, targetFor: () => acme.target, notify: notify(), log, runLivesMs: HOUR, stepNeedsMs: 100 }
}

const sweep = (on: Core): Promise<Outcome> => rotated(on, NAME, 'sweep', newToken())

/** A sweep as a host runs it. */
async function swept(on: Core) {
  const limit = deadline(30_000)
  try {
    return await act(on, parseRequest({ action: 'sweep' }), { id: newToken(), deadline: limit, sweepConcurrency: 1 })
  } finally {
    limit.end()
  }
}

const arrived = async () => ({ hook: await hook.arrived(), chat: await chat.arrived() })

describe('a current key that its provider refuses', () => {
  test('pages whoever is to be told, in every channel, and the run fails with what it found', async () => {
    const on = await core()
    acme.shelf.remove('first')
    await expect(sweep(on)).rejects.toMatchObject({ code: 'bug/broken' })
    const found = await arrived()
    expect([found.hook.length, found.chat.length]).toEqual([1, 1])
    expect(hook.last()?.json.data).toMatchObject({
      severity: 'critical',
      title: `${NAME}: first is refused, and every reader holds it`,
      lines: [expect.stringContaining('bug/broken'), expect.stringContaining('a person has to look now')],
      fields: { event: 'broken', code: 'bug/broken', secret: NAME, principal: 'first' },
      link: null
    })
    expect(JSON.stringify(hook.last()?.json)).not.toContain('value-of-the-first-key')
  })

  test('pages once a day and not at each sweep, and under the same id again where another process finds it', async () => {
    const on = await core()
    acme.shelf.remove('first')
    for (const hours of [0, 1, 2]) {
      now += hours * HOUR
      await expect(sweep(on)).rejects.toMatchObject({ code: 'bug/broken' })
    }
    const [first, ...more] = (await arrived()).hook
    expect(more).toEqual([])
    await expect(sweep({ ...on, notify: notify() })).rejects.toMatchObject({ code: 'bug/broken' })
    expect((await arrived()).hook.map(({ id }) => id)).toEqual([first?.id])
    now += DAY
    await expect(sweep(on)).rejects.toMatchObject({ code: 'bug/broken' })
    const next = (await arrived()).hook.map(({ id }) => id)
    expect(next).toHaveLength(1)
    expect(next).not.toContain(first?.id)
  })

  test('pages later whoever could not be told; the run fails with what it found, and says who was not told', async () => {
    const on = await core()
    acme.shelf.remove('first')
    chat.proxy.setFault(() => chat.refusals.throttled)
    const { results } = await swept(on)
    expect(results).toMatchObject([
      {
        secret: NAME,
        ok: false,
        code: 'bug/broken',
        pages: [{ what: 'broken', notTold: [{ channel: 'slack:TEAM_SLACK', code: 'throttled/channel' }] }]
      }
    ])
    expect(logged.find(([event]) => event === 'not-paged')?.[1]).toMatchObject({
      secret: NAME,
      what: 'broken',
      channel: 'slack:TEAM_SLACK',
      code: 'throttled/channel'
    })
    chat.proxy.setFault(undefined)
    await swept(on)
    const found = await arrived()
    expect([found.hook.length, found.chat.length]).toEqual([1, 1])
  })

  test('where every channel is silent fails with what it found, not with them', async () => {
    const on = await core()
    acme.shelf.remove('first')
    for (const { proxy } of [hook, chat]) proxy.setFault(() => 'before')
    await expect(sweep(on)).rejects.toMatchObject({ code: 'bug/broken' })
    expect(logged.filter(([event]) => event === 'not-paged')).toHaveLength(2)
    expect(JSON.stringify(logged)).not.toMatch(new RegExp([...hook.secrets, ...chat.secrets].join('|').replaceAll('+', '\\+')))
  })

  test('pages nobody where nobody is to be told', async () => {
    const on = { ...(await core()), notify: undefined }
    acme.shelf.remove('first')
    const { results } = await swept(on)
    expect(results[0]).not.toHaveProperty('pages')
    expect(logged.map(([event]) => event)).toEqual(['broken', 'failed'])
  })

  test('pages nobody in a dry run', async () => {
    const on = await core()
    acme.shelf.remove('first')
    const limit = deadline(30_000)
    const asked = { secretId: NAME, token: newToken(), force: false, endSessions: false, dryRun: true, deadline: limit }
    await run(on, { want: 'sweep', force: false }, asked)
    limit.end()
    expect((await arrived()).hook).toEqual([])
  })
})

test('a rotation that goes well pages nobody', async () => {
  const on = await core()
  await rotated(on, NAME, 'rotate', newToken())
  now += 2 * DAY
  await sweep(on)
  expect(await arrived()).toEqual({ hook: [], chat: [] })
})

test('an old key that lives beyond its limit is told with what it waits for, and the run succeeds', async () => {
  const on = await core({ limitMs: 2 * DAY, quietMs: 30 * DAY })
  await rotated(on, NAME, 'rotate', newToken())
  now += 1.5 * DAY
  await sweep(on)
  expect((await arrived()).hook).toEqual([])
  now += DAY
  const { results } = await swept(on)
  expect(results).toMatchObject([{ ok: true, phase: 'draining', pages: [{ what: 'overdue', notTold: [] }] }])
  expect(hook.last()?.json.data).toMatchObject({
    severity: 'high',
    title: `${NAME}: the old key first is beyond its limit, and lives`,
    lines: [expect.stringContaining('it must be quiet for a while'), expect.stringContaining('--end-sessions')],
    fields: { event: 'overdue', principal: 'first' }
  })
})

describe('a login', () => {
  const go = async (b: ReturnType<typeof bench>, asked: string, want: 'sweep' | 'retire' = 'sweep') => {
    const limit = deadline(30_000)
    const more = { token: asked.padEnd(32, '-'), force: false, endSessions: false, dryRun: false, deadline: limit }
    try {
      return await run({ ...b.core(), notify: notify() }, { want, force: false }, { secretId: b.w.id, ...more })
    } finally {
      limit.end()
    }
  }

  test('that was refused and was set again is told, though nothing is left to do', async () => {
    const b = bench()
    b.w.target.setBehind('app_a', 'somebody else’s')
    expect((await go(b, 'S1')).done.map(({ step }) => step)).toEqual(['heal'])
    expect(hook.last()?.json.data).toMatchObject({ severity: 'high', fields: { event: 'healed', principal: 'app_a' } })
  })

  test('that was retired and still logs in is told at once', async () => {
    const b = bench()
    const { password } = parse(b.current())
    await b.go('rotate', 'T0')
    b.w.advance(GRACE_MS + 1)
    b.before('be refused', () => b.w.target.setBehind('app_a', password))
    const error = await go(b, 'S1', 'retire').catch((e: KeyturnError) => e)
    expect(error).toMatchObject({ code: 'bug/proof' })
    expect(hook.last()?.json.data).toMatchObject({
      severity: 'critical',
      title: 'app: app_a was retired, and still logs in',
      lines: [expect.stringContaining('bug/proof'), expect.stringContaining('block it at the target now')],
      fields: { event: 'proof', code: 'bug/proof', principal: 'app_a' }
    })
  })

  test('that opens nothing any more, not even the lock, is told', async () => {
    const b = bench()
    b.w.target.setBehind('app_a', 'somebody else’s')
    b.hit('lock', new KeyturnError('denied/login', 'as the test wants it'))
    expect(await codeOf(go(b, 'S1'))).toBe('denied/login')
    expect(hook.last()?.json.data).toMatchObject({ severity: 'critical', fields: { event: 'broken', code: 'denied/login' } })
  })

  test('whose lock another run has is not told: that one may be about to set it again', async () => {
    const b = bench()
    b.w.target.setBehind('app_a', 'somebody else’s')
    b.hit('lock', new KeyturnError('busy/locked', 'as the test wants it'))
    expect(await codeOf(go(b, 'S1'))).toBe('busy/locked')
    expect(await arrived()).toEqual({ hook: [], chat: [] })
  })
})
