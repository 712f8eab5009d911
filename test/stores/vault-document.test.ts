import { describe, expect, test } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { dataOf, keptAs, textOf } from '../../shared/stores/vault-document.ts'
import { SecretText } from '../../shared/types.ts'
import { expectSilence, PLANTED } from '../conformance/store-harness.ts'

const kept = (text: string): string => keptAs(new SecretText(text)).reveal()
const givenBack = (text: string): string => textOf(dataOf(keptAs(new SecretText(text)))).reveal()
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
const wide = (fields: number): string =>
  JSON.stringify(Object.fromEntries(Array.from({ length: fields }, (_, n) => [`k${n}`, n])))

describe('a document in Vault KV', () => {
  test('that is a JSON object is kept as its fields, and is the same text in whatever order they come', () => {
    const text =
      '{ "username": "app",\n "port": 5432, "pair": ["a", "b"], "10": null, "ssl": true, "nested": {"z": 1, "y": "ü"} }'
    expect(dataOf(new SecretText(text))).toEqual(JSON.parse(text))
    expect(JSON.parse(givenBack(text))).toEqual(JSON.parse(text))
    expect(kept('{"b":1,"a":{"d":[{"z":1,"y":2}],"c":0}}')).toBe(kept('{"a": {"c": 0, "d": [{"y": 2, "z": 1}]}, "b": 1}'))
    expect(givenBack(text)).toBe(kept(text))
  })

  test.each(['', 'planted "x" \\ = {"json": true} 🔑\n', '[1, 2]', '"text"', '12', 'null', 'true', '{"half": '])(
    'that is not one is kept to the letter: %j',
    (text) => {
      expect(dataOf(new SecretText(text))).toEqual({ 'keyturn-text': text })
      expect(givenBack(text)).toBe(text)
    }
  )

  test.each([
    ['1.10', 1.1],
    ['1e3', 1000],
    ['1E-7', 1e-7],
    ['-12.50e+2', -1250],
    ['9007199254740992', 2 ** 53],
    ['12345678901234567000', 12_345_678_901_234_567_000],
    ['0.0', 0],
    ['5e-324', 5e-324]
  ])('keeps the number %s', (literal, value) => {
    expect(JSON.parse(givenBack(`{"n":${literal}}`))).toEqual({ n: value })
  })

  test('keeps what is as deep and as wide as servers take it', () => {
    for (const text of [nested(64), wide(900), '{"__proto__":{"a":1},"":"empty"}'])
      expect(JSON.parse(givenBack(text))).toEqual(JSON.parse(text))
  })

  test.each([
    ['a name given twice', `{"a":1,"password":"${PLANTED}","a":2}`, /twice/],
    ['a name given twice further in', `{"a":{"b":"${PLANTED}","b":1}}`, /twice/],
    ['a name given twice, once escaped', `{"a":"${PLANTED}","\\u0061":2}`, /twice/],
    ['a number that a double rounds', `{"p":"${PLANTED}","n":9007199254740993}`, /number/],
    ['a number that a double cannot reach', `{"p":"${PLANTED}","n":1e400}`, /number/],
    ['a number that a double takes for zero', `{"p":"${PLANTED}","n":1e-400}`, /number/],
    ['a fraction that a double rounds', `{"p":"${PLANTED}","n":[0.10000000000000001]}`, /number/],
    ['half a pair of surrogates', `${PLANTED} \ud800`, /surrogate/],
    ['half a pair of surrogates, escaped', `{"p":"${PLANTED} \\udc00x"}`, /surrogate/],
    ['half a pair of surrogates in a name', `{"\\ud83d":"${PLANTED}"}`, /surrogate/],
    ['more nesting than servers take', `{"p":"${PLANTED}","n":${nested(64)}}`, /nested/],
    ['nesting that would exhaust a parser', `{"n":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, /nested/],
    ['more texts than servers take', wide(901), /900/],
    ['nothing but the field that stands for a text', `{"keyturn-text":"${PLANTED}"}`, /keyturn-text/]
  ])('is refused for %s', (_, text, why) => {
    let said: unknown
    try {
      keptAs(new SecretText(text))
    } catch (e) {
      said = e
    }
    expect(said).toBeInstanceOf(KeyturnError)
    expect(said).toMatchObject({ code: 'invalid/document', message: expect.stringMatching(why) })
    expectSilence([said])
  })
})
