import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readConfig, SETTINGS } from '../shared/config.ts'
import { CODES, KeyturnError } from '../shared/errors.ts'
import { decodeMetadata, encodePatch, type MetadataPatch } from '../shared/metadata.ts'
import { generatePassword } from '../shared/password.ts'
import { parseRequest } from '../shared/request.ts'
import { tokenFor } from '../shared/token.ts'
import { instant } from '../shared/types.ts'

const messageOf = (work: () => unknown): string => {
  try {
    work()
  } catch (e) {
    if (e instanceof KeyturnError) return `${e.code}: ${e.message}`
    throw e
  }
  return 'nothing was refused'
}

describe('settings', () => {
  it('have defaults for everything', () => {
    expect(readConfig({})).toMatchObject({ logLevel: 'info', connectTimeoutMs: 5_000, sweepConcurrency: 4 })
  })

  it('are refused with all problems at once', () => {
    const bad = { KEYTURN_CONNECT_TIMEOUT: 'soon', PASSWORD_LENGTH: '3', EXCLUDE_NUMBERS: 'perhaps', KEYTURN_LOG_LEVL: 'info' }
    const message = messageOf(() => readConfig(bad))
    expect(message).toContain('invalid/config')
    for (const name of Object.keys(bad)) expect(message).toContain(name)
  })

  it('keep those of AWS’s template working', () => {
    const { password } = readConfig({ EXCLUDE_CHARACTERS: '_', EXCLUDE_NUMBERS: 'True', PASSWORD_LENGTH: '40' })
    expect(password).toMatchObject({ exclude: '_', digits: false, length: 40 })
  })

  it('give a password symbols only where they are asked for', () => {
    expect(readConfig({}).password.symbols).toBe('')
    const asked = { KEYTURN_PASSWORD_SYMBOLS: '_.' }
    expect(generatePassword(readConfig(asked).password).reveal()).toMatch(/[_.]/)
    expect(readConfig({ ...asked, EXCLUDE_PUNCTUATION: 'true' }).password.symbols).toBe('')
  })

  it('are all told in the README’s table', () => {
    expect(SETTINGS.filter(({ says }) => says === '')).toEqual([])
  })
})

describe('the common request', () => {
  it.each([
    [{ action: 'rotat' }, 'action must be rotate, sweep or retire'],
    [{ action: 'rotate' }, 'secretId is required'],
    [{ action: 'sweep', secretId: 'x' }, 'sweep takes every managed secret'],
    [{ action: 'rotate', secretId: 'x', forced: true }, 'forced is no field'],
    [{ action: 'rotate', secretId: 'x', force: 'yes' }, 'force must be boolean'],
    [{ action: 'rotate', secretId: 'x', requestedAt: 'yesterday' }, 'requestedAt must be an ISO 8601 time'],
    ['rotate', 'request must be'],
    [null, 'request must be']
  ])('%j is refused by name', (body, says) => {
    const message = messageOf(() => parseRequest(body))
    expect(message).toContain('invalid/request')
    expect(message).toContain(says)
  })

  it('is refused without its values being quoted', () => {
    expect(messageOf(() => parseRequest({ action: 'hunter2', secretId: ['hunter2'] }))).not.toContain('hunter2')
  })

  it('gets the same token for the same secret whenever it is delivered, and another for another', () => {
    expect(tokenFor('message-1', 'app')).toBe(tokenFor('message-1', 'app'))
    expect(new Set([tokenFor('message-1', 'app'), tokenFor('message-2', 'app'), tokenFor('message-1', 'b')]).size).toBe(3)
    expect(tokenFor('message-1', 'app')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})

describe('metadata', () => {
  const every: MetadataPatch = {
    kind: 'postgres',
    owner: 'team Ä/ö=1',
    environment: 'prod',
    dataClass: 'pci',
    periodMs: 30 * 86_400_000,
    graceMs: 90_000,
    window: 'sat+sun 02:00-04:00',
    hold: { reason: 'incident 4/5 = "open"', until: instant(1_800_000_000_000) },
    admin: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:adm-AbCdEf',
    pair: ['app "a"/1', 'app_ü'],
    managedSince: instant(1_700_000_000_000),
    promoted: { version: 'v2', previous: 'v1', at: instant(1_750_000_000_000) },
    retired: { version: 'v1', at: instant(1_760_000_000_000), refusal: '28P01' }
  }

  it('comes back as it was written, in the alphabet of AWS tags', () => {
    const { set } = encodePatch(every)
    for (const value of Object.values(set)) expect(value).toMatch(/^[\p{L}\p{N}\p{Z}+\-=._:/@]{1,256}$/u)
    expect(decodeMetadata(set)).toEqual(every)
  })

  it('removes what is null and leaves what is not named', () => {
    expect(encodePatch({ hold: null, owner: 'x' })).toEqual({ set: { owner: 'x' }, remove: ['hold'] })
  })

  it.each([
    ['period', 'monthly'],
    ['grace', '24'],
    ['hold', 'reason/soon'],
    ['pair', 'only-one'],
    ['promoted', 'v1'],
    ['managed-since', 'once']
  ])('a bad %s is refused by name', (key, value) => {
    expect(messageOf(() => decodeMetadata({ [key]: value }))).toMatch(new RegExp(`^invalid/metadata: ${key}`))
  })

  it('a hold that a person wrote as a bare reason holds', () => {
    expect(decodeMetadata({ hold: 'do not touch' }).hold).toEqual({ reason: 'do not touch', until: undefined })
  })
})

it('every code says what to do, in a sentence', () => {
  for (const [code, [, todo]] of Object.entries(CODES)) {
    expect(code).toMatch(/^(not-found|conflict|denied|disabled|busy|invalid|throttled|unavailable|unsupported|bug)\/[a-z-]+$/)
    expect(todo, code).toMatch(/^\S.{10,}\.$/)
  }
})

it('every code is raised somewhere', () => {
  const files = globSync(['shared/**/*.ts', 'functions/**/*.ts']).filter((file) => file !== 'shared/errors.ts')
  const source = files.map((file) => readFileSync(file, 'utf8')).join('\n')
  expect(Object.keys(CODES).filter((code) => !source.includes(`'${code}'`))).toEqual([])
})
