import { afterEach, describe, expect, it, vi } from 'vitest'
import { codeIn, textAt, timeAt, wordOf } from '../../shared/targets/http-answers.ts'
import type { HttpMatch } from '../../shared/targets/http-description.ts'
import { pathOf, valuesAt } from '../../shared/targets/http-paths.ts'
import { aloneIn, fill, placeholdersIn } from '../../shared/targets/http-templates.ts'
import { ACME } from '../doubles/http-example.ts'

const JSON_ANSWER = { data: [{ id: 'a', tags: ['x', 'y'] }, { id: 'b' }], 'error-code': 7, toString: undefined, $: { x: 1 } }

describe('a path', () => {
  it.each([
    ['$', [JSON_ANSWER]],
    ['data[0].id', ['a']],
    ['data[1].tags[0]', []],
    ['data[*].id', ['a', 'b']],
    ['data[*].tags[*]', ['x', 'y']],
    ['data[7].id', []],
    ['error-code', [7]],
    ['error-code.more', []],
    ['data.id', []],
    ['data.length', []],
    ['constructor.name', []],
    ['__proto__', []],
    ['data[0].id?', ['a']],
    ['$.data[0].id', ['a']]
  ])('%s finds its place, and only what is the answer’s own', (path, found) => {
    expect(valuesAt(path, JSON_ANSWER)).toEqual(found)
  })

  it.each(['', '.', 'a.', '.a', 'a..b', '[0]', 'a[', 'a[-1]', 'a[x]', 'a[99999]', "a['b']", 'a b', 'a?.b', '$(x)', 'a[?(@.b)]'])(
    'is not %j',
    (text) => expect(pathOf(text)).toBeUndefined()
  )

  it.each(['a', '$', 'a[0]', '$.a', 'a.b-c_d[*].@id'])('is %j', (text) => expect(pathOf(text)).toBeDefined())

  it('of an array that is the whole answer begins with $', () => {
    expect(valuesAt('$[1].id', JSON_ANSWER.data)).toEqual(['b'])
  })
})

describe('a template', () => {
  it('has its placeholders filled once, and two braces for one', () => {
    expect(fill('a{{{mark}}}b{id}', (name) => `<{${name}}>`)).toBe('a{<{mark}>}b<{id}>')
    expect(placeholdersIn('{mark} {{id}} {config.a-b}')).toEqual(['mark', 'config.a-b'])
    expect(placeholdersIn('a } b')).toBeUndefined()
    expect([aloneIn('{config.a}'), aloneIn('{a}{b}'), aloneIn(' {a}')]).toEqual(['config.a', undefined, undefined])
  })
})

describe('a time', () => {
  afterEach(() => vi.unstubAllEnvs())
  const AT = Date.UTC(2026, 2, 14, 9, 26, 53)
  const read = (format: 'iso' | 'unix-s' | 'unix-ms' | 'rfc-2822', value: unknown, at = 'at') =>
    timeAt({ at, format, never: [0, 'N/A'] }, { at: value })

  it.each([
    ['iso', '2026-03-14T09:26:53Z', AT],
    ['iso', '2026-03-14T09:26:53.000000+00:00', AT],
    ['iso', '2026-03-14T11:26:53+02:00', AT],
    ['iso', '2026-03-14 09:26:53', AT],
    ['iso', '2026-03-14T09:26:53', AT],
    ['iso', '2026-03-14', Date.UTC(2026, 2, 14)],
    ['unix-s', AT / 1000, AT],
    ['unix-s', String(AT / 1000), AT],
    ['unix-ms', AT, AT],
    ['rfc-2822', 'Sat, 14 Mar 2026 09:26:53 +0000', AT],
    ['rfc-2822', 'Sat, 14 Mar 2026 09:26:53 GMT', AT],
    ['iso', null, 'never'],
    ['unix-s', 0, 'never'],
    ['iso', 'N/A', 'never'],
    ['iso', undefined, 'unreadable'],
    ['iso', 'yesterday', 'unreadable'],
    ['iso', AT, 'unreadable'],
    ['iso', '14/03/2026', 'unreadable'],
    ['unix-s', '2026-03-14', 'unreadable'],
    ['unix-s', AT, 'unreadable'],
    ['unix-ms', -1, 'unreadable'],
    ['iso', { at: 1 }, 'unreadable']
  ] as const)('as %s %j is %j', (format, value, expected) => {
    expect(read(format, value)).toBe(expected)
  })

  it('without a zone is UTC, wherever this machine is', () => {
    vi.stubEnv('TZ', 'Asia/Tokyo')
    expect(new Date(AT).getHours()).toBe(18)
    const texts = ['2026-03-14T09:26:53', '2026-03-14 09:26:53.000']
    expect(texts.map((text) => read('iso', text))).toEqual([AT, AT])
    expect(read('iso', '2026-03-14')).toBe(Date.UTC(2026, 2, 14))
  })

  it('that may be absent is never where it is absent, and only there', () => {
    expect([read('iso', undefined, 'at?'), read('iso', 'soon', 'at?')]).toEqual(['never', 'unreadable'])
  })
})

describe('a rule', () => {
  const word = (rule: HttpMatch, status: number, json: unknown) => wordOf(rule, { status, json, isJson: true })

  it('applies by its status and its own words, and says them, not the answer’s', () => {
    const rule = { status: [401, 403], at: 'errors[*].code', equals: [1000, 'gone', false] }
    expect(word(rule, 401, { errors: [{ code: 5 }, { code: 1000 }] })).toBe('1000')
    expect(word(rule, 403, { errors: [{ code: '1000' }] })).toBe('1000')
    expect(word(rule, 401, { errors: [{ code: false }] })).toBe('errors[*].code false')
    expect(word(rule, 400, { errors: [{ code: 1000 }] })).toBeUndefined()
    expect(word(rule, 401, { errors: [{ code: [1000] }] })).toBeUndefined()
    expect(word(rule, 401, 'gone')).toBeUndefined()
    expect(word(rule, 401, undefined)).toBeUndefined()
    const part = { status: 400, at: 'message', contains: 'no such key' }
    expect(word(part, 400, { message: 'There is no such key as sk-123' })).toBe('no such key')
    expect(word(part, 400, { message: 'There is no key' })).toBeUndefined()
    expect(word({ status: 404 }, 404, undefined)).toBe('status 404')
  })
})

it('an id is a text, or a number that is still what was sent', () => {
  const ids = ['a', 12, 2 ** 60, '', 'a\nb', null, {}, true].map((id) => textAt('id', { id }))
  expect(ids).toEqual(['a', '12', undefined, undefined, undefined, undefined, undefined, undefined])
})

it('a code is repeated where it looks like one, and else the status is', () => {
  const codes = ['invalid_key', 'AuthFailed', 'E1001', '20404', 1000, 'sk-live-7f3a9c', 'your key sk-1 is wrong', '', null, ['x']]
  const said = codes.map((code) => codeIn(ACME, { status: 401, json: { error: { code } }, isJson: true }))
  expect(said).toEqual(['invalid_key', 'AuthFailed', 'E1001', '20404', '1000', '401', '401', '401', '401', '401'])
})
