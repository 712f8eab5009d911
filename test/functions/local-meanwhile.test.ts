import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { composeLocal } from '../../functions/local/compose.ts'
import { SecretText } from '../../shared/types.ts'
import { type LocalWorld, startLocalWorld } from './local-world.ts'

let world: LocalWorld
beforeAll(async () => {
  world = await startLocalWorld()
})
afterAll(async () => await world.stop())

const fileOf = (secret: string): string => join(world.folder, `${secret}.json`)

test('a command that is interrupted stops between two steps with exit code 130, and the next one goes on', async () => {
  await world.secret('stop')
  const interrupted = AbortSignal.abort()
  const { exit, json } = await world.keyturn(['rotate', 'stop', '--json'], { interrupted })
  expect([exit, json.code]).toEqual([130, 'unavailable/deadline'])
  expect((await world.keyturn(['rotate', 'stop'])).exit).toBe(0)
})

test('while another run holds the pair, a rotation may be tried again later, and the status says who cannot tell', async () => {
  await world.secret('busy')
  await world.keyturn(['rotate', 'busy'])
  const { core } = await composeLocal({ environment: world.env, logTo: { write: () => {} } })
  const document = new SecretText(JSON.stringify(await world.document('busy')))
  const target = core.targetFor(document)
  const hold = await target.hold(target.inspect(document, {}), {}, AbortSignal.timeout(10_000))
  try {
    const rotated = await world.keyturn(['rotate', 'busy', '--force', '--json'])
    expect(rotated).toMatchObject({ exit: 3, json: { code: 'busy/locked', retryable: true } })
    const { exit, json } = await world.keyturn(['status', 'busy', '--json'])
    expect(exit).toBe(0)
    expect(json.secrets[0].usage).toMatchObject({ state: 'cannot-tell', why: expect.stringContaining('busy/locked') })
  } finally {
    await hold.release()
  }
})

test('a rollback is refused while a value is pending, and carries on the one of its own that was killed', async () => {
  await world.secret('half')
  await world.keyturn(['rotate', 'half'])
  const file = JSON.parse(readFileSync(fileOf('half'), 'utf8'))
  const token = 'another-attempt-of-somebody-else-0001'
  const pending = { token, base: file.current, driver: 'keyturn' }
  const versions = { ...file.versions, [token]: file.versions[file.previous] }
  writeFileSync(fileOf('half'), JSON.stringify({ ...file, pending, versions }))
  const refused = await world.keyturn(['rollback', 'half', '--json'])
  expect(refused).toMatchObject({ exit: 3, json: { code: 'conflict/pending-other' } })
  writeFileSync(fileOf('half'), JSON.stringify(file))
  expect((await world.keyturn(['rollback', 'half', '--request-id', 'once', '--json'])).exit).toBe(0)
  const again = await world.keyturn(['rollback', 'half', '--request-id', 'once', '--json'])
  expect(again).toMatchObject({ exit: 0, json: { results: [{ current: 'half_a', done: [] }] } })
})

test('a file in the folder that is no secret is named, and hides none of the others', async () => {
  await world.secret('seen')
  writeFileSync(fileOf('notes'), '{"a": 1}')
  for (const command of ['status', 'doctor']) {
    const { exit, json } = await world.keyturn([command, '--json'])
    expect(exit).toBe(1)
    const names = json.secrets.map((s: { secret: string }) => s.secret)
    expect(names).toContain('seen')
    expect(names.at(-1)).toBe('(the store)')
    expect(JSON.stringify(json.secrets.at(-1))).toContain('the file of notes is no secret file')
  }
  expect((await world.keyturn(['sweep', '--dry-run', '--json'])).json.results.at(-1).refusal.code).toBe('unsupported/store')
  rmSync(fileOf('notes'))
})
