import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { ACME, type Example, startExample } from '../doubles/http-example.ts'
import { acmeAdmin, acmeEnv, acmeKey } from './key-world.ts'
import { type Hands, keyturn, type Said } from './local-world.ts'

const ADMIN_TOKEN = 'admin-token-of-the-command-line'
const VALUE = 'value-of-the-first-key-of-the-command-line'

/** The same provider, of which nobody knows when a key was used. */
const BLIND: HttpDescription = {
  ...ACME,
  name: 'acme-blind',
  list: { ...ACME.list, lastUsed: undefined },
  facts: { ...ACME.facts, lastUsed: 'none', telemetryLagMs: 0 }
} as HttpDescription

let example: Example
let folder: string
let env: Record<string, string>
beforeAll(async () => {
  example = await startExample()
  folder = mkdtempSync(join(tmpdir(), 'keyturn-cli-keys-'))
  env = { KEYTURN_FOLDER: folder, ...acmeEnv(example, `${folder}-providers.json`, [ACME, BLIND]) }
  const admin = acmeAdmin(example, ADMIN_TOKEN)
  const made = await keyturn(['create', 'acme-admin', '--from', '-', '--no-managed'], env, { stdin: JSON.stringify(admin) })
  if (made.exit !== 0) throw new Error(made.err)
})
afterAll(async () => {
  await example.double.close()
  rmSync(`${folder}-providers.json`)
  rmSync(folder, { recursive: true })
})

/** A key of a project of its own, put under management. */
async function secret(name: string, options: readonly string[] = [], provider = 'acme'): Promise<Said> {
  const key = { provider, project: name, keyId: `first-${name}`, apiKey: `${VALUE}-${name}`, adminsecret: 'acme-admin' }
  const stdin = JSON.stringify(acmeKey(example, key))
  return say(['create', name, '--from', '-', '--grace', '1ms', '--soak', '1ms', ...options], { stdin })
}

async function say(args: readonly string[], hands: Hands = {}): Promise<Said> {
  const said = await keyturn(args, env, hands)
  for (const value of [VALUE, ADMIN_TOKEN]) expect(`${said.out} ${said.err}`).not.toContain(value)
  return said
}

const liveOf = (name: string): readonly string[] => example.shelf.of(name).map(({ id }) => id)

describe('a key on one’s own machine', () => {
  test('is created as what its document says, and refused where its metadata say otherwise', async () => {
    const { exit, json } = await secret('kind', ['--json'])
    expect([exit, json]).toMatchObject([0, { current: 'first-kind', managed: true }])
    const status = await say(['status', 'kind', '--json'])
    expect(status.json.secrets[0]).toMatchObject({ managed: true, current: 'first-kind', phase: 'settled' })
  })

  test('is rotated; the status shows both keys, when each was used, and what the old one waits for', async () => {
    await secret('shown')
    const rotated = await say(['rotate', 'shown', '--json'])
    expect(rotated.exit).toBe(0)
    const { current, previous, waitsFor } = rotated.json.results[0]
    expect(previous).toBe('first-shown')
    expect(waitsFor.join()).toContain('it must be quiet for a while')
    example.shelf.used('first-shown', example.double.now() - 60_000)
    const { json, exit } = await say(['status', 'shown', '--json'])
    const [standing] = json.secrets
    expect(exit).toBe(0)
    expect(standing).toMatchObject({ phase: 'draining', current, previous: 'first-shown' })
    expect(standing.keys).toMatchObject([
      { id: 'first-shown', role: 'previous', lastUsed: { state: 'last-used' } },
      { id: current, role: 'current' }
    ])
    expect(standing.retirement).toMatchObject({ isOverdue: false, earliest: expect.stringMatching(/^20/) })
    expect(standing.retirement.waitsFor.join()).toContain('last used')
    const people = (await say(['status', 'shown'])).out
    expect(people).toMatch(/previous key +first-shown, made .*last used/)
    expect(people).toMatch(/waits for +it must be quiet/)
  })

  test('is retired at a person’s word only when it is quiet, or when they cut who uses it: disabled, then deleted and proved', async () => {
    await secret('retired', ['--soak', '1d'])
    const { json } = await say(['rotate', 'retired', '--json'])
    const current = json.results[0].current
    example.shelf.used('first-retired', example.double.now())
    const refused = await say(['retire', 'retired', '--json'])
    expect(refused.json).toMatchObject({ ok: false, code: 'conflict/in-use' })
    expect(refused.exit).toBe(4)
    const disabled = await say(['retire', 'retired', '--end-sessions', '--json'])
    expect(disabled.json).toMatchObject({ ok: false, code: 'conflict/soaking' })
    expect(example.shelf.find('first-retired')).toMatchObject({ isDisabled: true, isDeleted: false })
    expect((await say(['status', 'retired'])).out).toMatch(/disabled +20/)
    const again = await say(['rotate', 'retired', '--json'])
    expect(again.json.code).toBe('conflict/not-retired')
    const gone = await say(['retire', 'retired', '--force', '--json'])
    expect(gone.json.results[0].done).toMatchObject([{ step: 'retire', proof: { refusal: expect.stringMatching(/./) } }])
    expect(liveOf('retired')).toEqual([current])
    expect((await say(['status', 'retired', '--json'])).json.secrets[0]).toMatchObject({ phase: 'settled', previous: null })
  })

  test('that was disabled is current again after a rollback', async () => {
    await secret('rolled', ['--soak', '1d'])
    await say(['rotate', 'rolled'])
    await say(['retire', 'rolled', '--end-sessions'])
    expect(example.shelf.find('first-rolled')?.isDisabled).toBe(true)
    const { exit, json } = await say(['rollback', 'rolled', '--json'])
    expect([exit, json.results[0].current]).toEqual([0, 'first-rolled'])
    expect(example.shelf.find('first-rolled')?.isDisabled).toBe(false)
  })

  test('that a person made is named by the status, never touched, and deleted only when a person says so', async () => {
    await secret('strange')
    for (let n = liveOf('strange').length; n < 5; n++)
      example.shelf.add({ id: `hand-${n}`, account: 'strange', value: `by hand ${n}` })
    const refused = await say(['rotate', 'strange', '--json'])
    expect(refused.json).toMatchObject({ ok: false, code: 'conflict/full' })
    expect(refused.json.message).toContain('hand-1')
    expect((await say(['status', 'strange'])).out).toContain('keyturn remove-key strange hand-1')
    expect((await say(['remove-key', 'strange', 'first-strange', '--yes', '--json'])).json.code).toBe('conflict/key-not-ours')
    expect((await say(['remove-key', 'strange', 'hand-9', '--yes', '--json'])).json.code).toBe('not-found/principal')
    expect((await say(['remove-key', 'strange', 'hand-1', '--dry-run'])).out).toContain('would be deleted')
    expect((await say(['remove-key', 'strange', 'hand-1'], { answer: false })).exit).toBe(4)
    expect(liveOf('strange')).toContain('hand-1')
    expect((await say(['remove-key', 'strange', 'hand-1'], { answer: true })).exit).toBe(0)
    expect(liveOf('strange')).not.toContain('hand-1')
    expect((await say(['rotate', 'strange'])).exit).toBe(0)
  })

  test('that is deleted behind keyturn’s back is said at once, and a rotation makes a new one', async () => {
    await secret('deleted')
    example.shelf.remove('first-deleted')
    const swept = await say(['sweep', '--json'])
    const found = swept.json.results.find((r: { secret: string }) => r.secret === 'deleted')
    expect([swept.exit, found.code]).toEqual([5, 'bug/broken'])
    const { done } = (await say(['rotate', 'deleted', '--json'])).json.results[0]
    expect(done.map((d: { step: string }) => d.step)).toContain('promote')
    expect(liveOf('deleted')).toHaveLength(1)
    expect((await say(['status', 'deleted', '--json'])).json.secrets[0].current).toBe(liveOf('deleted')[0])
  })

  test('of a provider that tells no last use waits for an acknowledgement, and is then deleted by the sweep', async () => {
    await secret('blind', [], 'acme-blind')
    const { json } = await say(['rotate', 'blind', '--json'])
    const before = await say(['sweep', '--json'])
    const waiting = before.json.results.find((r: { secret: string }) => r.secret === 'blind')
    expect(waiting.waitsFor.join()).toContain('nobody can tell whether it is used')
    expect((await say(['retire', 'blind', '--json'])).json.code).toBe('conflict/unacknowledged')
    const said = await say(['ack', 'blind', '--by', 'Ann'])
    expect([said.exit, said.out]).toEqual([0, expect.stringContaining('nobody uses first-blind')])
    expect((await say(['status', 'blind'])).out).toMatch(/acknowledged +by Ann/)
    await say(['sweep'])
    await say(['sweep'])
    expect(liveOf('blind')).toEqual([json.results[0].current])
    expect((await say(['ack', 'blind', '--json'])).json.code).toBe('invalid/request')
  })

  test('is examined, and adopted when it is asked for', async () => {
    await secret('taken', ['--no-managed'])
    expect((await say(['doctor', 'taken'])).out).toContain('not managed')
    expect((await say(['adopt', 'taken', '--quiet', '2h', '--dry-run'])).out).toContain('would be adopted as http-api-key')
    expect((await say(['adopt', 'taken', '--quiet', '2h', '--restart', 'ecs:prod/shop'], { answer: true })).exit).toBe(0)
    expect((await say(['adopt', 'taken', '--restart', 'nobody', '--json'])).json.code).toBe('invalid/metadata')
    const rotated = await say(['rotate', 'taken', '--json'])
    expect(rotated.json.results[0].done.map((d: { step: string }) => d.step)).toContain('tell')
    expect((await say(['status', 'taken'])).out).toMatch(/restart +[a-z]+\/[a-z-]+, /)
  })
})
