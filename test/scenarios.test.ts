import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

interface Row {
  readonly no: string
  readonly file: string
  readonly test: string
}

const rowsOf = (table: string): readonly Row[] =>
  table
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, no = '', , file = '', test = '']) => ({ no, file, test }))

const missingIn = (rows: readonly Row[]): readonly Row[] =>
  rows.filter(({ file, test }) => test === '' || !readFileSync(file, 'utf8').includes(test))

const rows = rowsOf(readFileSync('test/scenarios.md', 'utf8'))

it('every test that the table of scenarios names is there', () => {
  expect(missingIn(rows)).toEqual([])
})

it('a test that is not there is found', () => {
  expect(missingIn([{ no: '0', file: 'test/scenarios.md', test: 'no such' + ' test' }])).toHaveLength(1)
})

it('the scenarios of PostgreSQL, a pair and API keys have a test each, but 5, 6, 44 and 45, which are other engines’', () => {
  const covered = new Set(
    rows.flatMap(({ no }) => {
      const [from = 0, to = from] = no.split('–').map(Number)
      return Array.from({ length: to - from + 1 }, (_, at) => from + at)
    })
  )
  const asked = [...Array(80).keys(), ...Array.from({ length: 11 }, (_, at) => at + 87)].map((at) => at + 1)
  expect(asked.filter((no) => !covered.has(no) && ![5, 6, 44, 45].includes(no))).toEqual([])
})
