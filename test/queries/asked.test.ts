import { describe, expect, it } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { type Asked, QUESTIONS } from '../../shared/ports/audit-query.ts'
import { accessRow, signalRow } from '../../shared/queries/asked.ts'
import { type QueryTexts, textQuery } from '../../shared/queries/asked-query.ts'
import { athenaSql } from '../../shared/queries/aws-athena-sql.ts'
import { kqlTexts } from '../../shared/queries/azure-log-analytics-kql.ts'
import { bigquerySql } from '../../shared/queries/gcp-bigquery-sql.ts'
import { sqlTexts } from '../../shared/queries/sql-questions.ts'
import { ASKED } from './scene.ts'

const LANGUAGES: readonly (readonly [name: string, texts: QueryTexts])[] = [
  ['Athena', sqlTexts(athenaSql({ database: 'a', table: 't', accounts: ['111122223333'], regions: ['eu-west-1'] }))],
  ['BigQuery', sqlTexts(bigquerySql({ project: 'my-project', dataset: 'logs' }))],
  ['Log Analytics', kqlTexts]
]

const changed = (settings: Partial<Asked['settings']>): Asked => ({ ...ASKED, settings: { ...ASKED.settings, ...settings } })

const HOSTILE: readonly (readonly [names: string, asked: Asked])[] = [
  ['zone', changed({ zone: "UTC') OR ('1'='1" })],
  ['zone', changed({ zone: 'Europe/London\\' })],
  ['zone', changed({ zone: 'Mars/Olympus' })],
  ['zone', changed({ zone: '' })],
  ['holidays', changed({ holidays: ["2026-12-25'); DROP TABLE x; --"] })],
  ['workHours', changed({ workHours: ['7' as unknown as number, 19] })],
  ['workHours', changed({ workHours: [19, 7] })],
  ['workDays', changed({ workDays: [8] })],
  ['workDays', changed({ workDays: ['1) OR (1=1' as unknown as number] })],
  ['a threshold', changed({ failedLogins: Number.NaN })],
  ['a threshold', changed({ volumeFactor: '0 OR 1=1' as unknown as number })],
  ['a threshold', changed({ longTtlSeconds: { ...ASKED.settings.longTtlSeconds, gcp: Number.POSITIVE_INFINITY } })],
  ['a threshold', changed({ learnMs: -1 })],
  ['since and until', { ...ASKED, since: ASKED.until }],
  ['since and until', { ...ASKED, until: Number.NaN }],
  ['since and until', { ...ASKED, since: '1' as unknown as number }],
  ['historyMs', { ...ASKED, historyMs: Number.POSITIVE_INFINITY }],
  ['mostRows', { ...ASKED, mostRows: 0 }],
  ['mostRows', { ...ASKED, mostRows: 1e9 }]
]

describe.each(LANGUAGES)('what is asked of %s', (_, texts) => {
  it.each(HOSTILE)('is refused before any text is made where its settings have another form: %s', async (names, asked) => {
    const run = async (): Promise<undefined> => expect.fail('nothing is run')
    const query = textQuery('x', { ...texts, question: () => expect.fail('no text is made') }, run)
    const error = await query.ask('off-hours', asked, () => {}, new AbortController().signal).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(KeyturnError)
    expect(error).toMatchObject({ code: 'invalid/query', message: expect.stringContaining(names) })
  })

  it.each(QUESTIONS)('has the thresholds of the settings in it: %s', (question) => {
    const other = changed({
      ...{ zone: 'Asia/Tokyo', workHours: [8, 17], workDays: [1, 3], holidays: ['2026-01-01'], learnMs: 1_111_111 },
      ...{ volumeFactor: 7.25, volumeZ: 6.5, volumeDays: 13, failedLogins: 17 },
      longTtlSeconds: { ...ASKED.settings.longTtlSeconds, aws: 777, azure: 777, gcp: 777 }
    })
    const found: Readonly<Record<(typeof QUESTIONS)[number], readonly RegExp[]>> = {
      'new-network': [/>= 1111111\b/],
      'read-volume': [/> 7\.25 \* /, /> 6\.5\b/, />= 13\b/],
      'off-hours': [/'Asia\/Tokyo'/, />= '?0?8\b/, /< '?17\b/, /\('?0'?, '?1'?, '?3'?\)/, /'2026-01-01'/],
      denied: [],
      'failed-logins': [/>= 17\b/],
      'long-ttl': [/> 777\b/]
    }
    for (const pattern of found[question]) {
      expect(texts.question(question, other)).toMatch(pattern)
      expect(texts.question(question, ASKED)).not.toMatch(pattern)
    }
  })

  it('reads no more of the log than a question needs', () => {
    const first = texts.question('denied', ASKED)
    const [since, history] = [ASKED.since, ASKED.since - ASKED.historyMs].map((at) => [
      new Date(at).toISOString().slice(0, 10),
      String(at)
    ])
    const has = (text: string, some: readonly string[] = []): boolean =>
      some.some((one) => text.includes(one) || text.includes(one.replaceAll('-', '/')))
    expect([has(first, since), has(first, history)]).toEqual([true, false])
    expect(has(texts.question('new-network', ASKED), history)).toBe(true)
  })
})

describe('a row', () => {
  const cells = ['a', 'i', 'n', 's', 'sn', '192.0.2.1', '192.0.2.0/24', 'sts', '1', '2', '3', '1.0E15', '2.5', null, '']

  it('is made from texts and numbers alike, and a token that never ends lives for ever', () => {
    expect(signalRow('long-ttl', 'gcp', cells)).toEqual({
      ...{ signal: 'long-ttl', store: 'gcp', account: 'a', identity: 'i', identityName: 'n', secret: 's', secretName: 'sn' },
      ...{ address: '192.0.2.1', network: '192.0.2.0/24', source: 'sts', first: 1, last: 2, count: 3 },
      ...{ observed: Number.POSITIVE_INFINITY, usual: 2.5, breadth: undefined, takenAt: undefined }
    })
  })

  it('of an answer that has not its columns is none', () => {
    expect(() => signalRow('denied', 'aws', cells.slice(0, 9))).toThrow(KeyturnError)
    expect(() => accessRow('aws', ['a', 'i', 'n', 'person', 's', 'sn', 'x'])).toThrow(/no number/)
  })

  it('names no kind of identity that is not known', () => {
    expect(accessRow('aws', ['a', 'i', 'n', 'robot', 's', 'sn', 1, 2, 3, 4, 5]).identityType).toBe('unknown')
  })
})
