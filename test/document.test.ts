import { describe, expect, it } from 'vitest'
import { parseDocument, replaceFields } from '../shared/document.ts'
import { KeyturnError } from '../shared/errors.ts'
import { SecretText } from '../shared/types.ts'

const PLANTED = 'pl4nted-s3cret'
const minimal = { engine: 'postgres', host: 'db.example', username: 'app', password: PLANTED }
const text = (value: unknown): SecretText => new SecretText(typeof value === 'string' ? value : JSON.stringify(value))
const parse = (more: object) => parseDocument(text({ ...minimal, ...more }))

function refusal(value: unknown): KeyturnError {
  try {
    parseDocument(text(value))
  } catch (e) {
    if (e instanceof KeyturnError) return e
  }
  throw new Error('it was not refused')
}

describe('a database secret', () => {
  it('needs engine, host, username and password; port and dbname have AWS’s defaults', () => {
    const { password, ...rest } = parse({})
    expect(password.reveal()).toBe(PLANTED)
    expect(rest).toMatchObject({
      engine: 'postgres',
      host: 'db.example',
      port: 5432,
      dbname: 'postgres',
      username: 'app',
      endpoints: []
    })
  })

  it.each(['postgres', 'postgresql', 'aurora-postgresql', 'Postgres'])('may call the engine %s', (engine) => {
    expect(parse({ engine }).engine).toBe('postgres')
  })

  it.each([6432, '6432'])('may give the port as number or text: %j', (port) => {
    expect(parse({ port }).port).toBe(6432)
  })

  it('may carry masterarn, ssl, and null for what is not given', () => {
    expect(parse({ masterarn: 'arn:aws:x', ssl: 'true', dbname: null, port: null })).toMatchObject({
      masterarn: 'arn:aws:x',
      ssl: true,
      dbname: 'postgres',
      port: 5432
    })
    expect(parse({ ssl: false }).ssl).toBe(false)
    expect(parse({ ssl: null }).ssl).toBeUndefined()
  })

  it('may carry the pair, the owner’s check and more endpoints', () => {
    const endpoints = [
      { host: 'pool.example', port: '6432', role: 'pooler' },
      { host: 'ro.example', role: 'reader' }
    ]
    expect(parse({ port: 5433, pair: ['app', 'app_b'], verifyQuery: 'SELECT 1', endpoints })).toMatchObject({
      pair: ['app', 'app_b'],
      verifyQuery: 'SELECT 1',
      endpoints: [
        { host: 'pool.example', port: 6432, role: 'pooler' },
        { host: 'ro.example', port: 5433, role: 'reader' }
      ]
    })
  })

  it('may carry whatever else its owner likes', () => {
    expect(parse({ tags: { team: 'x' }, dbClusterIdentifier: 'c', n: [1.5, null] }).username).toBe('app')
  })

  it.each([
    ['host', ''],
    ['host', '/var/run/postgresql'],
    ['host', 'a b'],
    ['host', 'user@db'],
    ['host', 7],
    ['port', 0],
    ['port', 65_536],
    ['port', 1.5],
    ['port', 'x'],
    ['port', ''],
    ['dbname', ''],
    ['dbname', 5],
    ['username', ''],
    ['username', null],
    ['username', 'a\0b'],
    ['password', ''],
    ['password', 12345],
    ['password', { value: 'x' }],
    ['masterarn', 5],
    ['ssl', 'maybe'],
    ['ssl', 1],
    ['pair', 'app'],
    ['pair', ['app']],
    ['pair', ['app', '']],
    ['verifyQuery', 5],
    ['endpoints', {}],
    ['endpoints', [{ host: 'x', role: 'writer' }]],
    ['endpoints', [null]],
    ['engine', 5]
  ])('with a bad %s (%j) is refused by that name', (field, value) => {
    const e = refusal({ ...minimal, [field]: value })
    expect(e.code).toBe('invalid/document')
    expect(e.message).toContain(field)
  })

  it('says all that is wrong at once', () => {
    expect(refusal({ engine: 'postgres' }).message).toMatch(/host.*username.*password/)
  })

  it.each(['mysql', 'oracle', 'sqlserver'])('for the engine %s is refused as unsupported', (engine) => {
    expect(refusal({ ...minimal, engine }).code).toBe('unsupported/engine')
  })

  it.each([
    ['empty', ''],
    ['blank', ' \n'],
    ['a plain password', PLANTED],
    ['a connection URL', `postgres://app:${PLANTED}@db/x`],
    ['cut off', `{"password": "${PLANTED}`],
    ['with a comment', `{"password": "${PLANTED}" /* x */}`],
    ['with a trailing comma', `{"password": "${PLANTED}",}`],
    ['with a byte order mark', `\uFEFF{"password": "${PLANTED}"}`],
    ['an array', [PLANTED]],
    ['a text in JSON', JSON.stringify(PLANTED)],
    ['null', 'null'],
    ['binary', `\u0000\u0001${PLANTED}`],
    ['two passwords', `{"password":"${PLANTED}","password":"x"}`],
    ['two usernames, one of them escaped', `{"username":"a","\\u0075sername":"b","password":"${PLANTED}"}`]
  ])('that is %s is refused without quoting it', (_, value) => {
    const e = refusal(value)
    expect(e.code).toBe('invalid/document')
    expect(`${e.message} ${e.stack} ${JSON.stringify(e)}`).not.toContain('pl4nted')
  })
})

describe('replacing username and password', () => {
  const fields = { username: 'app_b', password: new SecretText('new "quoted" \\ pässword') }
  const replaced = (source: string): string => replaceFields(new SecretText(source), fields).reveal()

  it('leaves every other byte as it was', () => {
    const source = [
      '\t{ "zeta" : 12345678901234567890.10 ,\r\n',
      '  "password":"old" , "nested":{"password":"keep","username":["keep", {"password":1}]},\n',
      '  "port":"5432","esc\\u0061pe":"\\u00e9\\/","username" :\n "app","dup":1,"dup":2,"e":1E+2,"":null }\n\n'
    ].join('')
    const expected = source.replace('"old"', '"new \\"quoted\\" \\\\ pässword"').replace('"app",', '"app_b",')
    expect(replaced(source)).toBe(expected)
    expect(JSON.parse(replaced(source))).toMatchObject({ username: 'app_b', password: 'new "quoted" \\ pässword' })
  })

  it('finds the fields by their meaning, not by their spelling', () => {
    expect(replaced('{"pass\\u0077ord":"x","username":"y"}')).toBe(
      '{"pass\\u0077ord":"new \\"quoted\\" \\\\ pässword","username":"app_b"}'
    )
  })

  it('gives back what parses as before', () => {
    const source = text({ ...minimal, pair: ['app', 'app_b'], port: '5433', more: [1, 2] })
    const { password, username, ...before } = parseDocument(source)
    const { password: newPassword, username: newName, ...after } = parseDocument(replaceFields(source, fields))
    expect(after).toEqual(before)
    expect([newName, newPassword.reveal()]).toEqual([fields.username, fields.password.reveal()])
  })

  it.each(['{"username":"a"}', '{"password":"a"}', '{"username":"a","password":"b","password":"c"}', '[]', 'x'])(
    'refuses %s',
    (source) => {
      expect(() => replaced(source)).toThrowError(expect.objectContaining({ code: 'invalid/document' }))
    }
  )
})
