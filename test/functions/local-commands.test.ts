import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalWorld, startLocalWorld } from './local-world.ts'

let world: LocalWorld
beforeAll(async () => {
  world = await startLocalWorld()
})
afterAll(async () => await world.stop())

const fileOf = (secret: string): string => readFileSync(join(world.folder, `${secret}.json`), 'utf8')

/** The secret's file, and what the server keeps of its two logins. */
async function everything(secret: string): Promise<string> {
  const roles = await world.server.query('SELECT rolname, rolpassword FROM pg_authid WHERE rolname ~ $1 ORDER BY 1', [
    `^${secret}_`
  ])
  return JSON.stringify([fileOf(secret), roles])
}

describe('rotate', () => {
  test('makes the other half current, and leaves the first one working', async () => {
    const { a, b } = await world.secret('turn')
    const before = await world.document('turn')
    const { exit, json } = await world.keyturn(['rotate', 'turn', '--json'])
    expect(exit).toBe(0)
    expect(json).toMatchObject({
      action: 'rotate',
      ok: true,
      results: [{ secret: 'turn', phase: 'draining', current: b, previous: a }]
    })
    for (const login of [before, await world.document('turn')]) await (await world.connect(login)).end()
  })

  test('inside the grace is refused with exit code 4 and says until when', async () => {
    const { exit, json, err } = await world.keyturn(['rotate', 'turn', '--json'])
    expect(exit).toBe(4)
    expect(json).toMatchObject({ ok: false, code: 'conflict/inside-grace', retryable: true })
    expect(json.message).toMatch(/turn_a is valid until 2/)
    expect(err).toBe('')
  })

  test('inside the grace is done when it is forced', async () => {
    const { exit, json } = await world.keyturn(['rotate', 'turn', '--force', '--reason', 'a drill', '--json'])
    expect(exit).toBe(0)
    expect(json.results[0].current).toBe('turn_a')
  })

  test('has effect once however often it is repeated with the same request id', async () => {
    await world.secret('once')
    const args = ['rotate', 'once', '--request-id', 'monday', '--json']
    await world.keyturn(args)
    const after = await everything('once')
    const { exit, json } = await world.keyturn(args)
    expect(exit).toBe(0)
    expect(json.results[0]).toMatchObject({ done: [], note: 'done already: this request made current' })
    expect(await everything('once')).toBe(after)
  })

  test('says in a dry run every step that it would do, and changes nothing', async () => {
    await world.secret('dry')
    const before = await everything('dry')
    const { exit, json } = await world.keyturn(['rotate', 'dry', '--dry-run', '--json'])
    expect(exit).toBe(0)
    expect(json).toMatchObject({ ok: true, dryRun: true })
    expect(json.results[0].steps).toEqual([
      { phase: 'due', step: 'issue', does: 'stage dry_b' },
      { phase: 'staged', step: 'promote', does: 'apply, verify, promote dry_b' },
      { phase: 'promoted', step: 'settle', does: 'record the promotion, then drop the pending' }
    ])
    expect(await everything('dry')).toBe(before)
  })

  test('says in a dry run that it would be refused inside the grace', async () => {
    const { exit, json } = await world.keyturn(['rotate', 'turn', '--dry-run', '--json'])
    expect(exit).toBe(4)
    expect(json.results[0]).toMatchObject({ steps: [], refusal: { code: 'conflict/inside-grace' } })
  })

  test('says in a dry run what the target would refuse', async () => {
    await world.secret('lost')
    await world.server.query('DROP ROLE lost_b')
    const { exit, json } = await world.keyturn(['rotate', 'lost', '--dry-run', '--json'])
    expect(exit).toBe(1)
    expect(json.results[0].problems.map((p: { code: string }) => p.code)).toContain('not-found/role')
  })
})

describe('retire', () => {
  test('kills the previous half inside the grace only when it is forced', async () => {
    await world.secret('old')
    await world.keyturn(['rotate', 'old'])
    expect(await world.keyturn(['retire', 'old', '--json'])).toMatchObject({ exit: 4, json: { code: 'conflict/inside-grace' } })
  })

  test('says in a dry run what it would do, and changes nothing', async () => {
    const before = await everything('old')
    const { exit, json } = await world.keyturn(['retire', 'old', '--force', '--dry-run', '--json'])
    expect(exit).toBe(0)
    expect(json.results[0].steps).toEqual([{ phase: 'retiring', step: 'retire', does: 'retire old_a, prove it once, record it' }])
    expect(await everything('old')).toBe(before)
  })

  test('names the sessions that stand against it, and ends them when told to, with the proof', async () => {
    const old = { username: 'old_a', password: 'first of old' }
    const client = await world.connect(old)
    const refused = await world.keyturn(['retire', 'old', '--force', '--json'])
    expect(refused).toMatchObject({ exit: 4, json: { code: 'conflict/in-use' } })
    expect(refused.json.message).toContain('1 from 127.0.0.1')
    const { exit, json } = await world.keyturn(['retire', 'old', '--force', '--end-sessions', '--json'])
    expect(exit).toBe(0)
    expect(json.results[0].done).toMatchObject([
      { step: 'retire', principal: 'old_a', proof: { refusal: '28P01', sessionsEnded: 1 } }
    ])
    await expect(world.connect(old)).rejects.toMatchObject({ code: '28P01' })
    await client.end().catch(() => {})
  })

  test('has nothing to do when there is no previous half', async () => {
    expect(await world.keyturn(['retire', 'old', '--json'])).toMatchObject({ exit: 0, json: { results: [{ done: [] }] } })
  })
})

describe('rollback', () => {
  test('makes the previous half current again with the password that its readers hold', async () => {
    await world.secret('back')
    const first = await world.document('back')
    await world.keyturn(['rotate', 'back'])
    const before = await everything('back')
    const dry = await world.keyturn(['rollback', 'back', '--dry-run', '--json'])
    expect(dry).toMatchObject({
      exit: 0,
      json: { results: [{ steps: [{ step: 'issue' }, { does: 'apply, verify, promote back_a' }, {}] }] }
    })
    expect(await everything('back')).toBe(before)
    const { exit, json } = await world.keyturn(['rollback', 'back', '--json'])
    expect(exit).toBe(0)
    expect(json.results[0]).toMatchObject({ current: 'back_a', previous: 'back_b', phase: 'draining' })
    expect(await world.document('back')).toEqual(first)
    await (await world.connect(first)).end()
  })

  test('is refused when there is no previous half', async () => {
    await world.secret('new')
    expect(await world.keyturn(['rollback', 'new', '--json'])).toMatchObject({
      exit: 1,
      json: { code: 'conflict/previous-dead' }
    })
  })

  test('is refused when the previous half was retired', async () => {
    await world.keyturn(['retire', 'back', '--force'])
    const { json } = await world.keyturn(['rollback', 'back', '--json'])
    expect(json).toMatchObject({ code: 'conflict/previous-dead', message: 'back: the previous credential was retired' })
  })

  test('is refused when the server refuses the previous half, and changes nothing', async () => {
    await world.secret('gone')
    await world.keyturn(['rotate', 'gone'])
    await world.server.query("ALTER ROLE gone_a PASSWORD 'something else'")
    const before = await everything('gone')
    const { exit, json } = await world.keyturn(['rollback', 'gone', '--json'])
    expect(exit).toBe(1)
    expect(json.code).toBe('conflict/previous-dead')
    expect(await everything('gone')).toBe(before)
  })
})

describe('sweep', () => {
  test('retires what is over, and leaves what is on hold', async () => {
    await world.secret('swept', ['--grace', '1ms'])
    await world.keyturn(['rotate', 'swept'])
    await world.keyturn(['hold', 'turn', '--reason', 'a freeze'])
    const { exit, json } = await world.keyturn(['sweep', '--concurrency', '2', '--json'])
    const of = (secret: string) => json.results.find((r: { secret: string }) => r.secret === secret)
    expect(of('swept').done).toMatchObject([{ step: 'retire', principal: 'swept_a', proof: { refusal: '28P01' } }])
    expect(of('turn').note).toContain('on hold: a freeze')
    expect([exit, json.ok]).toEqual([0, true])
  })

  test('heals a current credential that somebody broke at the server', async () => {
    await world.secret('hurt')
    await world.server.query("ALTER ROLE hurt_a PASSWORD 'something else'")
    const { json } = await world.keyturn(['sweep', '--json'])
    expect(json.results.find((r: { secret: string }) => r.secret === 'hurt').done).toMatchObject([{ step: 'heal' }])
    await (await world.connect(await world.document('hurt'))).end()
  })

  test('goes on to the others when one fails, and its exit code is that one’s', async () => {
    await world.secret('wrong')
    const file = JSON.parse(fileOf('wrong'))
    writeFileSync(join(world.folder, 'wrong.json'), JSON.stringify({ ...file, metadata: { ...file.metadata, period: '1h' } }))
    const { exit, json } = await world.keyturn(['sweep', '--json'])
    expect(exit).toBe(1)
    expect(json.ok).toBe(false)
    expect(json.results.filter((r: { ok: boolean }) => !r.ok)).toMatchObject([{ secret: 'wrong', code: 'invalid/grace' }])
    expect(json.results.length).toBeGreaterThan(5)
  })

  test('says in a dry run what it would do to every secret, and changes nothing', async () => {
    const before = await everything('swept')
    const { json } = await world.keyturn(['sweep', '--dry-run', '--json'])
    expect(json.results.map((r: { secret: string }) => r.secret)).toContain('swept')
    expect(await everything('swept')).toBe(before)
  })
})

test('a secret never shows its password in what any command prints', async () => {
  await world.secret('quiet')
  const commands = ['status', 'doctor', 'rotate', 'rollback', 'sweep', 'retire']
  const said: string[] = []
  for (const command of commands) {
    const secret = command === 'sweep' ? [] : ['quiet']
    for (const more of [['--dry-run'], ['--json', '--verbose'], []]) {
      const { out, err } = await world.keyturn([command, ...secret, ...more])
      said.push(out, err)
    }
  }
  const { versions } = JSON.parse(fileOf('quiet')) as { versions: Record<string, { text: string }> }
  const passwords = Object.values(versions).map(({ text }) => JSON.parse(text).password)
  expect(passwords.length).toBeGreaterThan(1)
  for (const password of passwords) expect(said.join('\n')).not.toContain(password)
})
