import { inspect } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { jsonLog } from '../../shared/log.ts'
import { failed, succeeded } from '../../shared/report.ts'
import { postgres } from '../../shared/targets/postgres.ts'
import { SecretText } from '../../shared/types.ts'
import { newFaults } from '../conformance/crash.ts'
import { formsOf } from '../conformance/secret-forms.ts'
import { type AwsWorld, awsWorld, HOUR, newToken, rotated, type Subject } from './crash-worlds.ts'

const faults = newFaults()
const said: string[] = []
let world: AwsWorld

/** Everything that a server may keep of a statement, successful or not, is switched on. */
const TALKATIVE = {
  log_statement: 'all',
  log_min_duration_statement: '0',
  log_min_error_statement: 'debug5',
  log_error_verbosity: 'verbose',
  log_connections: 'on',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'all',
  'pg_stat_statements.track_utility': 'on'
}

beforeAll(async () => {
  const log = jsonLog('trace', { write: (line) => void said.push(line) })
  world = await awsWorld(faults, { settings: TALKATIVE, log })
  await world.server.query('CREATE EXTENSION pg_stat_statements; SELECT pg_stat_statements_reset()')
})
afterAll(() => world?.stop())

/** An error in every way that it may come to light: message, stack, causes, hidden members, JSON. */
const everyFormOf = (e: unknown): string => `${inspect(e, { depth: 12, showHidden: true })}\n${JSON.stringify(e)}\n${String(e)}`

const passwordsOf = (subject: Subject): readonly string[] =>
  world.double.versions(subject.id).flatMap(({ value }) => {
    const text = value && 'SecretString' in value ? value.SecretString : undefined
    return text === undefined ? [] : [(JSON.parse(text) as { password: string }).password]
  })

async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    said.push(everyFormOf(await work()))
  } catch (e) {
    said.push(everyFormOf(e), JSON.stringify(failed('secret', e)))
  }
}

/** A rotation, its retirement, and both killed and lost at every fifth call. */
async function liveThrough(subject: Subject): Promise<void> {
  await attempt(() => world.rotateSecret(subject.id, newToken()))
  world.advance(2 * HOUR)
  await attempt(async () => succeeded(await rotated(world.core, subject.id, 'retire', newToken())))
  for (let at = 0; at < 30; at += 5) {
    faults.arm(at, 'lost, lives on')
    await attempt(() => rotated(world.core, subject.id, 'rotate', newToken(), true))
    faults.arm(at, 'dies after')
    await attempt(() => rotated(world.core, subject.id, 'sweep', newToken()))
    faults.disarm()
  }
  for (let n = 0; n < 3; n++) await attempt(() => rotated(world.core, subject.id, 'rotate', newToken(), true))
}

it('no password of any version appears in a log, error, report, statement or statistic', { timeout: 120_000 }, async () => {
  const subject = await world.fresh()
  await liveThrough(subject)
  const passwords = [...passwordsOf(subject), 'the admin of the crash suite']
  expect(passwords.length).toBeGreaterThan(4)
  const [statements] = await world.server.query<{ text: string }>(
    `SELECT string_agg(query, chr(10)) AS text FROM pg_stat_statements`
  )
  const activity = await world.server.query('SELECT query FROM pg_stat_activity')
  const seen = [...said, world.server.readLog(), statements?.text ?? '', JSON.stringify(activity), process.argv.join(' ')].join(
    '\n'
  )
  expect(seen, 'the server did write our statements down').toContain('SCRAM-SHA-256$')
  const found = passwords.flatMap((password) => formsOf(password).filter((form) => seen.includes(form)))
  expect(found.map((form) => `${form.length} characters of a password`)).toEqual([])
})

it('the search finds a password that does appear, in each of its forms', () => {
  for (const form of formsOf("pa's wörd/1")) expect(`before ${form} after`.includes(form)).toBe(true)
  expect(Buffer.from(`{"password":"pa's wörd/1"}`).toString('base64')).toMatch(
    new RegExp(
      formsOf("pa's wörd/1")
        .slice(4)
        .map((f) => f.replace(/[+/=]/g, '\\$&'))
        .join('|')
    )
  )
})

it('a document that cannot be read is refused without being quoted', () => {
  const target = postgres({})
  const planted = 'hunter2-planted'
  const bad = [
    planted,
    `{"password":"${planted}"`,
    `{"engine":"postgres","password":["${planted}"]}`,
    `["${planted}"]`,
    `{"engine":"${planted}"}`
  ]
  for (const text of bad) {
    const error = (() => {
      try {
        return target.inspect(new SecretText(text), {})
      } catch (e) {
        return e
      }
    })()
    expect(error).toBeInstanceOf(Error)
    expect(everyFormOf(error)).not.toContain(planted)
  }
})

it('a SecretText prints [secret] in every way there is', () => {
  const secret = new SecretText('hunter2-planted')
  const printed = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }, { depth: 9, showHidden: true }),
    `${[secret]}`
  ]
  for (const text of printed) {
    expect(text).toContain('[secret]')
    expect(text).not.toContain('hunter2')
  }
  expect(Object.keys(secret)).toEqual([])
  expect({ ...secret }).toEqual({})
})
