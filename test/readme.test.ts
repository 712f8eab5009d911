import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { generated, SECTIONS } from '../infra/docs.ts'

const readme = await readFile('README.md', 'utf8')

it('the README says what the code says: `npm run docs` changes nothing', () => {
  expect(generated(readme)).toBe(readme)
})

it('a section that differs from the code is found', () => {
  const [name] = SECTIONS[0] ?? []
  const stale = readme.replace(`<!-- ${name} -->\n`, `<!-- ${name} -->\nstale\n`)
  expect(stale).not.toBe(readme)
  expect(generated(stale)).toBe(readme)
})

it('a section that is missing is an error, not a gap', () => {
  expect(() => generated('# nothing')).toThrow('no section')
})

it('the first screen shows the two commands', () => {
  const screen = readme.split('\n').slice(0, 30).join('\n')
  expect(screen).toContain('npm start')
  expect(screen).toContain('npm cit')
})
