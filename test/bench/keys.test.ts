import { expect, test } from 'vitest'
import { type KeyFigures, keyLines } from './figures.ts'
import { countOnAws, countOnAzureKeys, countOnGcpKeys, type KeyCalls } from './keys.ts'

const COUNTS: readonly (readonly [on: string, count: () => Promise<KeyCalls>, wanted: Partial<KeyCalls>])[] = [
  ['the four steps on AWS', countOnAws, { storeCalls: 6, storeCallsCold: 7, providerCalls: 2 }],
  ['keyturn itself on Azure', countOnAzureKeys, { storeCalls: 8, storeCallsCold: 8, providerCalls: 6 }],
  ['keyturn itself on Google Cloud', countOnGcpKeys, { storeCalls: 11, storeCallsCold: 11, providerCalls: 3 }]
]

test.each(COUNTS)('a key is rotated by %s with no more calls than are written down', async (_, count, wanted) => {
  expect(await count()).toMatchObject(wanted)
})

test('the table says what is not met', () => {
  const figures: KeyFigures = {
    ...{ store: 'a store', provider: 'a provider', storeCalls: 9, storeCallsCold: 10, providerCalls: 6 },
    ...{ importMs: 80, emptyImportMs: 20, bundleBytes: 1_100_000, indexBytes: 400_000 }
  }
  expect(keyLines(figures).map(({ value, met }) => [value, met])).toEqual([
    ['9', false],
    ['10', true],
    ['6', false],
    ['60.0 ms', false],
    ['1.10 MB', false]
  ])
})
