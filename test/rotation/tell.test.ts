import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { consumers } from '../../shared/consumers/consumers.ts'
import { silentLog } from '../../shared/log.ts'
import type { Metadata } from '../../shared/metadata.ts'
import type { Core } from '../../shared/rotation/core.ts'
import type { Outcome } from '../../shared/rotation/rotate.ts'
import { createSecret, fileStore } from '../../shared/stores/file.ts'
import { type EcsHarness, refused, startEcs } from '../doubles/consumer-ecs.ts'
import { type AcmeScene, acmeScene } from '../doubles/http-example-scene.ts'
import { HOUR, newToken, rotated } from './crash-worlds.ts'

const NAME = 'acme/key'
const DAY = 24 * HOUR

let ecs: EcsHarness
let acme: AcmeScene
let folder: string
let now: number
beforeEach(async () => {
  ;[ecs, acme] = [await startEcs(), await acmeScene()]
  folder = mkdtempSync(join(tmpdir(), 'keyturn-tell-'))
  now = Date.now()
})
afterEach(async () => {
  await ecs.stop()
  await acme.double.close()
  rmSync(folder, { recursive: true })
})

/** A key of Acme's, whose consumer is a service of ECS. */
async function core(restart: string): Promise<Core> {
  const settings = { folder, now: () => now }
  await createSecret(settings, NAME, acme.current.document, { kind: 'http-api-key', graceMs: HOUR, soakMs: HOUR, restart })
  const [store, table] = [fileStore(settings), consumers({ ecs: ecs.restart })]
  return { store, targetFor: () => acme.target, consumers: table, log: silentLog, runLivesMs: HOUR, stepNeedsMs: 100 }
}

const go = (on: Core, want: 'rotate' | 'sweep') => rotated(on, NAME, want, newToken())
const stepsOf = ({ done }: Outcome) => done.map(({ step }) => step)
const recordOf = async (on: Core): Promise<Metadata['restarted']> =>
  (await on.store.describe(NAME, AbortSignal.timeout(5_000)))?.metadata.restarted

test('the consumers are asked to start again once the new key is current, and how it went is recorded', async () => {
  const on = await core('ecs:orders/web')
  const outcome = await go(on, 'rotate')
  expect(stepsOf(outcome)).toContain('tell')
  expect(stepsOf(outcome).indexOf('tell')).toBeGreaterThan(stepsOf(outcome).indexOf('promote'))
  expect(ecs.restarts()).toBe(1)
  expect(await recordOf(on)).toMatchObject({ outcome: 'ok' })
  await go(on, 'sweep')
  expect(ecs.restarts()).toBe(1)
})

test('a consumer that could not be restarted undoes nothing, holds the retirement up, and is asked again by the sweep', async () => {
  const on = await core('ecs:orders/web')
  ecs.double.setFault(() => refused('AccessDeniedException', 'no'))
  const outcome = await go(on, 'rotate')
  expect(outcome.current).not.toBe(acme.current.principal)
  expect(outcome.waitsFor.join()).toContain('restart of the consumers failed: denied/provider')
  expect(await recordOf(on)).toMatchObject({ outcome: 'denied/provider' })
  now += 2 * DAY
  expect(await go(on, 'sweep')).toMatchObject({ phase: 'draining' })
  expect(acme.shelf.find('first')).toMatchObject({ isDisabled: false })
  ecs.double.setFault(undefined)
  expect(stepsOf(await go(on, 'sweep'))).toEqual(['tell', 'disable'])
  expect(ecs.restarts()).toBe(1)
})

test('all of several are asked, and the first failure is what is recorded', async () => {
  const on = await core('ecs:orders/gone ecs:orders/web')
  await go(on, 'rotate')
  expect(ecs.restarts()).toBe(1)
  expect(await recordOf(on)).toMatchObject({ outcome: 'not-found/principal' })
})

test.each([
  ['that this host cannot restart', 'run:europe-west1/shop', 'unsupported/restart'],
  ['that is spelled wrongly', 'ecs:orders', 'invalid/metadata']
])('a consumer %s is recorded as such, and the rotation is done', async (_, restart, outcome) => {
  const on = await core(restart)
  expect(stepsOf(await go(on, 'rotate'))).toContain('promote')
  expect(await recordOf(on)).toMatchObject({ outcome })
})

test('a host that restarts nobody says so', async () => {
  const on = { ...(await core('ecs:orders/web')), consumers: undefined }
  await go(on, 'rotate')
  expect(await recordOf(on)).toMatchObject({ outcome: 'unsupported/restart' })
})

test('who may not ask for the last use cannot tell it, and a person may acknowledge', async () => {
  const on = await core('ecs:orders/web')
  await go(on, 'rotate')
  now += 2 * DAY
  const denied = { status: 403, body: { error: { code: 'forbidden' } } }
  let lists = 0
  acme.double.setFault(({ op }) => (op === 'ListKeys' && ++lists > 1 ? denied : undefined))
  const waiting = await go(on, 'sweep')
  expect(waiting.waitsFor.join()).toContain('nobody can tell whether it is used')
  const facts = await on.store.describe(NAME, AbortSignal.timeout(5_000))
  const version = facts?.metadata.promoted?.previous ?? ''
  await on.store.annotate(
    NAME,
    { acknowledged: { version, at: facts?.seenAt ?? (0 as never), by: 'ann' } },
    undefined,
    AbortSignal.timeout(5_000)
  )
  lists = 0
  expect(stepsOf(await go(on, 'sweep'))).toEqual(['disable'])
})
