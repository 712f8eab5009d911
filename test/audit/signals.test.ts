import { describe, expect, test } from 'vitest'
import { SEVERITIES } from '../../shared/audit/finding.ts'
import { SIGNALS } from '../../shared/audit/signals.ts'
import { emptyState } from '../../shared/audit/state.ts'
import { DAY, daily, event, findings, HOUR, identity, MONDAY, many, run, sweepOf, type Wanted } from './events.ts'

const at = MONDAY

describe('findings', () => {
  test('what is alike is one finding, and what differs is another, though it is of the same moment', () => {
    const off = (operation: string, more: Partial<Wanted> = {}) =>
      event({ at, kind: 'audit', policy: 'main', marks: ['lessAudit'], operation, ...more })
    const told = findings('audit-disabled', [
      off('StopLogging'),
      off('DeleteTrail'),
      off('DeleteTrail', { outcome: 'denied' }),
      off('StopLogging')
    ])
    expect(told.map(({ title, count }) => `${count} ${title}`).sort()).toEqual([
      '1 app made the log less: DeleteTrail',
      '1 app tried to make the log less: DeleteTrail',
      '2 app made the log less: StopLogging'
    ])
    expect(new Set(told.map(({ id }) => id)).size).toBe(3)
  })

  test('the same log read again from nothing gives the same ids, whichever address is read first', () => {
    const events = [
      event({ at, kind: 'list', marks: ['byFilter'], address: '10.0.0.1' }),
      event({ at, kind: 'list', marks: ['byFilter'], address: '10.0.0.2' })
    ]
    const ids = (some: typeof events) => findings('batch-by-filter', some).map(({ id }) => id)
    expect(ids(events)).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)])
    expect(ids(events.toReversed())).toEqual(ids(events))
  })

  test('five events are named as evidence, the earliest first, though all are counted', () => {
    const events = many(9, { at, kind: 'delete', operation: 'DeleteSecret', secret: 'app/db', marks: ['unrecoverable'] })
    const ids = events.map(({ id }) => id)
    expect(findings('unrecoverable-deletion', events)).toMatchObject([{ count: 9, evidence: ids.slice(0, 5) }])
    expect(findings('unrecoverable-deletion', events.toReversed())).toMatchObject([{ count: 9, evidence: ids.slice(0, 5) }])
  })

  test('names from the log stay the text that they are', () => {
    const name = '<script>alert(1)</script>\n"};--$map'
    const { findings: all } = run(
      sweepOf(20, { at, who: identity(name) }).concat(event({ at, secret: name, who: identity(name), outcome: 'denied' }))
    )
    expect(all.map(({ signal, subject }) => [signal, subject.identityName, subject.secretName])).toEqual([
      ['mass-retrieval', name, undefined],
      ['denied', name, name]
    ])
    expect(all[1]?.title).toBe(`${name} was refused once, for ${name}`)
  })

  test('the worst come first, of equals the newest', () => {
    const root = identity('admin', { isRoot: true })
    const { findings: all } = run([
      event({ at, outcome: 'denied' }),
      event({ at: at + 1, who: root, marks: ['root'] }),
      event({ at: at + 2, who: root, kind: 'write', marks: ['root'] }),
      event({ at, kind: 'audit', marks: ['lessAudit'] })
    ])
    expect(all.map(({ signal, first }) => [signal, first - at])).toEqual([
      ['audit-disabled', 0],
      ['root-used', 2],
      ['root-used', 1],
      ['denied', 0]
    ])
  })

  test('a month of what is usual raises nothing', () => {
    const state = emptyState()
    const day = (start: number) => [
      ...many(24, { at: start, every: HOUR }),
      ...many(3, { at: start + 9 * HOUR, who: identity('ann', { type: 'person' }), every: HOUR }).filter(
        () => new Date(start).getUTCDay() % 6 !== 0
      )
    ]
    for (let n = 0; n < 30; n++) expect(run(day(MONDAY + n * DAY), { state }).findings).toEqual([])
    expect(run(daily(1, MONDAY + 30 * DAY, day), { state }).inventory).toHaveLength(2)
  })
})

test('every signal has a name of its own, a question, a technique of ATT&CK and what to do', () => {
  expect(SIGNALS).toHaveLength(18)
  expect(new Set(SIGNALS.map(({ name }) => name)).size).toBe(18)
  for (const { question, technique, todo, severity } of SIGNALS) {
    expect(question).toMatch(/^[A-Z].*\?$/)
    expect(technique).toMatch(/^T\d{4}(\.\d{3})?$/)
    expect(todo).toMatch(/[.]$/)
    expect(SEVERITIES).toContain(severity)
  }
})
