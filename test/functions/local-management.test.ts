import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readCurrent } from '../../shared/stores/file.ts'
import { type LocalWorld, place, startLocalWorld } from './local-world.ts'

let world: LocalWorld
beforeAll(async () => {
  world = await startLocalWorld()
})
afterAll(async () => await world.stop())

describe('status', () => {
  test('of one secret says who is still on the old half, until when it lives, and what comes next', async () => {
    await world.secret('app')
    const client = await world.connect(await world.document('app'))
    await world.keyturn(['rotate', 'app'])
    const { exit, json } = await world.keyturn(['status', 'app', '--json'])
    await client.end()
    expect(exit).toBe(0)
    const [standing] = json.secrets
    expect(standing).toMatchObject({
      ...{ secret: 'app', managed: true, phase: 'draining', current: 'app_b', previous: 'app_a', pending: null, hold: null },
      usage: { state: 'used', sessions: [{ principal: 'app_a', address: '127.0.0.1', count: 1 }] },
      next: { what: 'retire app_a, once nobody uses it', at: standing.graceEnds }
    })
    expect(Date.parse(standing.graceEnds) - Date.parse(standing.promotedAt)).toBe(24 * 3_600_000)
  })

  test('for people counts the time, and for everybody lists every managed secret', async () => {
    await world.secret('other')
    expect((await world.keyturn(['status', 'app'])).out).toMatch(/grace ends +\S+ \S+ UTC \(in 23 h 59 min\)/)
    const { json, out } = await world.keyturn(['status', '--json'])
    expect(json.secrets.map((s: { secret: string }) => s.secret)).toEqual(['app', 'other'])
    expect(out.trim().split('\n')).toHaveLength(1)
  })

  test('after a retirement says when, and what the server answered', async () => {
    await world.keyturn(['retire', 'app', '--force'])
    const { json } = await world.keyturn(['status', 'app', '--json'])
    expect(json.secrets[0]).toMatchObject({
      phase: 'settled',
      previous: null,
      retired: { refusal: '28P01' },
      next: { what: 'rotate' }
    })
  })
})

describe('hold and release', () => {
  test('stop a rotation, say why and until when, and let it go again', async () => {
    const { exit, json } = await world.keyturn(['hold', 'app', '--reason', 'a freeze', '--until', '36h', '--json'])
    expect(exit).toBe(0)
    expect(Date.parse(json.hold.until) - Date.now()).toBeGreaterThan(35 * 3_600_000)
    const refused = await world.keyturn(['rotate', 'app', '--json'])
    expect(refused).toMatchObject({ exit: 4, json: { code: 'conflict/held' } })
    expect(refused.json.message).toContain('a freeze')
    expect((await world.keyturn(['status', 'app'])).out).toContain('on hold, a freeze')
    expect(await world.keyturn(['release', 'app', '--json'])).toMatchObject({ exit: 0, json: { hold: null } })
    expect((await world.keyturn(['rotate', 'app'])).exit).toBe(0)
  })

  test('change nothing in a dry run', async () => {
    await world.keyturn(['hold', 'other', '--reason', 'none', '--dry-run'])
    expect((await world.keyturn(['status', 'other', '--json'])).json.secrets[0].hold).toBeNull()
  })

  test('refuse a time that is past, or none', async () => {
    for (const until of ['2020-01-01', 'tomorrow', '36'])
      expect(await world.keyturn(['hold', 'app', '--reason', 'x', '--until', until, '--json'])).toMatchObject({
        exit: 2,
        json: { code: 'invalid/request' }
      })
  })
})

describe('doctor', () => {
  test('finds nothing where a rotation would go through', async () => {
    expect(await world.keyturn(['doctor', 'other', '--json'])).toMatchObject({ exit: 0, json: { secrets: [{ problems: [] }] } })
  })

  test('names what would be refused, and whether it is fatal', async () => {
    await world.secret('ill')
    await world.server.query('DROP ROLE ill_b')
    await world.keyturn(['hold', 'ill', '--reason', 'being repaired'])
    const { exit, json } = await world.keyturn(['doctor', 'ill', '--json'])
    expect(exit).toBe(1)
    const found = json.secrets[0].problems.map(({ code, fatal }: { code: string; fatal: boolean }) => [code, fatal])
    expect(found).toContainEqual(['conflict/held', false])
    expect(found).toContainEqual(['not-found/role', true])
  })

  test('examines every managed secret, and names the one that does not exist', async () => {
    const { json } = await world.keyturn(['doctor', '--json'])
    expect(json.secrets.length).toBeGreaterThanOrEqual(3)
    expect(await world.keyturn(['doctor', 'nothing', '--json'])).toMatchObject({
      exit: 1,
      json: { secrets: [{ problems: [{ code: 'not-found/secret' }] }] }
    })
  })
})

describe('create', () => {
  const document = (): string => JSON.stringify({ ...place(world.server), username: 'made', password: 'of a file', note: 'kept' })

  test('takes a document from a file, keeps it as it is, and only for its owner', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyturn-create-'))
    writeFileSync(join(folder, 'document.json'), document())
    const args = ['create', 'made', '--from', join(folder, 'document.json'), '--owner', 'platform', '--period', '7d', '--json']
    const { exit, json } = await world.keyturn(args)
    rmSync(folder, { recursive: true })
    expect(exit).toBe(0)
    expect(json).toMatchObject({ secret: 'made', managed: true, current: 'made' })
    expect((await readCurrent(world.folder, 'made')).reveal()).toBe(document())
    expect(statSync(join(world.folder, 'made.json')).mode & 0o777).toBe(0o600)
  })

  test('refuses a name that is taken, a document that is none, a bad policy and a missing file, and makes nothing', async () => {
    const cases: readonly (readonly [string, readonly string[], string, string])[] = [
      ['made', [], document(), 'invalid/request'],
      ['bad1', [], 'password=hunter2', 'invalid/document'],
      ['bad2', ['--grace', '31d'], document(), 'invalid/grace'],
      ['bad3', ['--window', 'always'], document(), 'invalid/metadata'],
      ['bad4', ['--period', 'weekly'], document(), 'invalid/request']
    ]
    for (const [name, more, stdin, code] of cases) {
      const said = await world.keyturn(['create', name, '--from', '-', ...more, '--json'], { stdin })
      expect(said.json).toMatchObject({ ok: false, code })
      expect(said.out).not.toContain('hunter2')
      if (name !== 'made') await expect(readCurrent(world.folder, name)).rejects.toMatchObject({ code: 'not-found/secret' })
    }
    const missing = await world.keyturn(['create', 'bad5', '--from', '/nowhere', '--json'])
    expect(missing).toMatchObject({ exit: 2, json: { code: 'invalid/request', message: '--from: /nowhere cannot be read' } })
  })
})

describe('adopt', () => {
  const keepsWorking = async (name: string) => {
    const client = await world.connect(await world.document(name))
    await client.query('INSERT INTO solo_things VALUES (1)')
    await client.end()
  }

  beforeAll(async () => {
    await world.server.query(`CREATE ROLE solo LOGIN PASSWORD 'alone'; GRANT solo TO keyturn_admin WITH ADMIN OPTION;
      GRANT CREATE ON SCHEMA public TO solo; SET ROLE solo; CREATE TABLE solo_things (id int)`)
    const stdin = JSON.stringify({
      ...place(world.server),
      username: 'solo',
      password: 'alone',
      masterarn: 'admin',
      note: 'kept'
    })
    await world.keyturn(['create', 'solo', '--from', '-', '--no-managed'], { stdin })
  })

  test('prints the SQL in a dry run, and does none of it', async () => {
    const { exit, json } = await world.keyturn(['adopt', 'solo', '--dry-run', '--json'])
    expect(exit).toBe(0)
    expect(json).toMatchObject({ adopted: false, pair: ['solo', 'solo_b'], owner: 'solo_owner' })
    expect(json.statements.map((s: { sql: string }) => s.sql)).toContain('CREATE ROLE "solo_b" LOGIN')
    expect(await world.server.query("SELECT FROM pg_roles WHERE rolname ~ '^solo_'")).toEqual([])
  })

  test('asks, shows what it asks about, and leaves everything alone when the answer is no', async () => {
    const { exit, out, err } = await world.keyturn(['adopt', 'solo'], { answer: false })
    expect(exit).toBe(4)
    expect(err).toContain('CREATE ROLE "solo_b" LOGIN')
    expect(out).toContain('left as it was')
    expect(await world.server.query("SELECT FROM pg_roles WHERE rolname ~ '^solo_'")).toEqual([])
  })

  test('makes the twin, the owner role, the metadata and the pair in the document, and readers notice nothing', async () => {
    const { exit, json, err } = await world.keyturn(['adopt', 'solo', '--yes', '--owner', 'platform', '--json'])
    expect([exit, err]).toEqual([0, ''])
    expect(json).toMatchObject({ adopted: true })
    expect(await world.document('solo')).toMatchObject({
      username: 'solo',
      password: 'alone',
      pair: ['solo', 'solo_b'],
      note: 'kept'
    })
    await keepsWorking('solo')
    expect((await world.keyturn(['status', 'solo', '--json'])).json.secrets[0]).toMatchObject({ managed: true, phase: 'settled' })
  })

  test('is followed by a rotation to the twin, which may do what the first login may', async () => {
    const { exit, json } = await world.keyturn(['rotate', 'solo', '--json'])
    expect([exit, json.results?.[0]?.current]).toEqual([0, 'solo_b'])
    await keepsWorking('solo')
  })

  test('is done once: a repeat makes nothing new', async () => {
    const { exit, json } = await world.keyturn(['adopt', 'solo', '--yes', '--json'])
    expect(exit).toBe(0)
    expect(json.statements.filter((s: { sql: string }) => !s.sql.startsWith('COMMENT '))).toEqual([])
  })
})
