import { describe, expect, it } from 'vitest'
import { CONTROLS, controlsFor, controlsIn, controlsNamed, controlsOf, FRAMEWORKS, REPORTS } from '../../shared/audit/controls.ts'
import { SIGNALS } from '../../shared/audit/signals.ts'

const PARTS = [...SIGNALS.map(({ name }) => name), ...REPORTS]

/** Criteria of the series CC6 and CC7 (AICPA TSP section 100); the controls of themes 5 and 8 (ISO/IEC 27001:2022, Annex A). */
const MOST = { CC6: 8, CC7: 5, 'A.5': 37, 'A.8': 34 } as const

/** Paragraphs of 45 CFR 164.308(a) and 164.312 that are standards or implementation specifications, as the eCFR has them. */
const PARAGRAPHS: readonly string[] = [
  ...['A', 'B', 'C', 'D'].map((letter) => `164.308(a)(1)(ii)(${letter})`),
  ...['164.308(a)(1)(i)', '164.308(a)(2)', '164.308(a)(3)(i)', '164.308(a)(4)(i)', '164.308(a)(5)(i)', '164.308(a)(6)(i)'],
  ...['A', 'B', 'C'].flatMap((letter) => [`164.308(a)(3)(ii)(${letter})`, `164.308(a)(4)(ii)(${letter})`]),
  ...['A', 'B', 'C', 'D'].map((letter) => `164.308(a)(5)(ii)(${letter})`),
  ...['164.308(a)(6)(ii)', '164.308(a)(7)(i)', '164.308(a)(8)'],
  ...['164.312(a)(1)', '164.312(b)', '164.312(c)(1)', '164.312(c)(2)', '164.312(d)', '164.312(e)(1)'],
  ...['i', 'ii', 'iii', 'iv'].map((number) => `164.312(a)(2)(${number})`)
]

const isNumber = (id: string): boolean => {
  const [, series, number] = /^(CC6|CC7|A\.5|A\.8)\.(\d+)$/.exec(id) ?? []
  if (series === undefined) return PARAGRAPHS.includes(id)
  return Number(number) >= 1 && Number(number) <= MOST[series as keyof typeof MOST]
}

describe('controls', () => {
  it('are numbered as their standards number them, and each is there once', () => {
    expect(CONTROLS.map(({ id }) => id).filter((id) => !isNumber(id))).toEqual([])
    expect(new Set(CONTROLS.map(({ name }) => name)).size).toBe(CONTROLS.length)
    expect(new Set(CONTROLS.map(({ id }) => id)).size).toBe(CONTROLS.length)
    expect(['CC6.9', 'CC7.0', 'A.5.38', 'A.8.35', 'A.6.1', '164.308(a)(5)(ii)(E)', '164.312(f)'].filter(isNumber)).toEqual([])
  })

  it('say where they are published', () => {
    for (const { framework, id, source } of CONTROLS) {
      expect(new URL(source).protocol).toBe('https:')
      if (framework === 'hipaa') expect(source).toContain(`section-${id.slice(0, 7)}`)
    }
  })

  it('are backed by signals and reports that there are, and by nothing else', () => {
    expect(CONTROLS.flatMap(({ backs }) => backs).filter((part) => !PARTS.includes(part))).toEqual([])
    for (const { id, backs } of CONTROLS) expect([id, new Set(backs).size]).toEqual([id, backs.length])
  })

  it.each(PARTS)('of every framework are backed by %s', (part) => {
    for (const framework of FRAMEWORKS) {
      const some = controlsFor(part, framework)
      expect(some.length).toBeGreaterThan(0)
      expect(some.every((control) => control.framework === framework && control.backs.includes(part))).toBe(true)
    }
    expect(controlsOf(part)).toEqual(FRAMEWORKS.flatMap((framework) => controlsOf(part, framework)))
  })

  it('are none for a name that is neither a signal nor a report', () => {
    expect(controlsOf('nothing')).toEqual([])
    expect(controlsOf('toString')).toEqual([])
  })

  it('are found again by the names that rows have, those of one framework where one is asked for', () => {
    expect(controlsNamed(controlsOf('rotation')).map(({ name }) => name)).toEqual(controlsOf('rotation'))
    expect(controlsNamed(controlsOf('rotation'), 'hipaa').map(({ id }) => id)).toEqual(['164.308(a)(5)(ii)(D)', '164.312(d)'])
    expect(controlsNamed(['SOC 2 CC9.9'])).toEqual([])
    expect(controlsIn('soc2').every(({ name }) => name.startsWith('SOC 2 CC'))).toBe(true)
    expect(controlsIn(undefined)).toEqual(CONTROLS)
  })
})
