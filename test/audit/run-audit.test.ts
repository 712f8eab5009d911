import { describe, expect, test } from 'vitest'
import { reportName } from '../../shared/audit/report-names.ts'
import { type AuditHost, runAudit } from '../../shared/audit/run-audit.ts'
import { type Deadline, deadline } from '../../shared/deadline.ts'
import { KeyturnError } from '../../shared/errors.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { auditScene, NOW, readOf, spree, trail } from './audit-scene.ts'

const minute = (): Deadline => deadline(60_000)
const fresh = (host: AuditHost) => runAudit(host, { kind: 'new' }, minute())
const objects = (host: AuditHost, ...names: readonly string[]) =>
  runAudit(host, { kind: 'objects', objects: names.map((name) => ({ place: (host.logs ?? host.state).place, name })) }, minute())

describe('a run over all that is new', () => {
  test('reads what it finds below the prefix, keeps the state, and writes the reports', async () => {
    const { host, write, state, names, documents, read } = auditScene()
    write('logs/a.json.gz', trail(spree(25)))
    write('logs/b.json.gz', trail(spree(2, 'shop')))
    expect(await fresh(host())).toEqual({
      ...{ action: 'summarize', events: 27, records: 27, malformed: 0, duplicates: 0 },
      ...{ findings: { low: 0, medium: 0, high: 0, critical: 1 }, told: 0, untold: 0, isCut: false }
    })
    expect(state().tally.identities.size).toBe(2)
    expect(names().map((name) => name.replace(/Z-[0-9a-f]{8}/, 'Z-…'))).toEqual([
      'reports/2026-07-01/130001Z-….html',
      'reports/2026-07-01/130001Z-….json.gz',
      'reports/2026-07-01/130001Z-….ocsf.ndjson',
      'reports/latest.html'
    ])
    expect(documents()).toMatchObject([{ schema: 'keyturn-audit/1', coverage: { events: 27 } }])
    expect(read('reports/latest.html').toString()).toContain('read 25 different secrets within ten minutes')
  })

  test('reads what is new alone, and counts what was delivered twice once', async () => {
    const { host, write, documents } = auditScene()
    const [first, second] = [spree(3), spree(2, 'shop')]
    write('logs/a.json.gz', trail(first))
    await fresh(host())
    expect(await fresh(host())).toMatchObject({ events: 0, records: 0 })
    write('logs/b.json.gz', trail([...first, ...second]))
    expect(await fresh(host())).toMatchObject({ events: 2, records: 5, duplicates: 3 })
    expect(
      documents()
        .at(-1)
        ?.inventory.map(({ reads }) => reads)
    ).toEqual([1, 1, 1, 1, 1])
  })

  test('never reads its own state and reports where logs lie beside them', async () => {
    const { host, write, logged } = auditScene()
    const beside = host({ logs: { place: host().state.place, prefix: '' } })
    write('logs/a.json.gz', trail(spree(3)))
    await fresh(beside)
    expect(await fresh(beside)).toMatchObject({ records: 0, malformed: 0 })
    expect(logged.filter(([event]) => event === 'damaged')).toEqual([])
  })

  test('says where a log is damaged or none at all, and reads the others', async () => {
    const { host, write, logged, documents } = auditScene()
    write('logs/a.json.gz', trail(spree(3)).subarray(0, -8))
    write('logs/b.txt', 'Minutes of a meeting.\n'.repeat(30))
    write('logs/c.json.gz', trail(spree(2, 'shop')))
    expect(await fresh(host())).toMatchObject({ events: 5, malformed: 2 })
    expect(logged.filter(([event]) => event === 'damaged').map(([, { source, why }]) => [String(source).slice(-9), why])).toEqual(
      [
        ['a.json.gz', 'the gzip file is cut off'],
        ['ogs/b.txt', 'nothing at its beginning is a record of any known log']
      ]
    )
    expect(documents()[0]?.coverage.sources.map(({ problem }) => problem?.split(':')[0] ?? null)).toEqual([
      'invalid/log',
      'invalid/log',
      null
    ])
  })

  test('without a place for reports, or for logs, answers all the same', async () => {
    const { host, write, names, state } = auditScene()
    write('logs/a.json.gz', trail(spree(3)))
    expect(await fresh(host({ reports: undefined }))).toMatchObject({ events: 3 })
    expect(await fresh(host({ logs: undefined, reports: undefined }))).toMatchObject({ events: 0 })
    expect([names(), state().objects.size]).toEqual([[], 1])
  })
})

describe('a run of objects that were named', () => {
  test('passes over what is gone, what is no log, and what is its own, and writes nothing then', async () => {
    const { host, write, names, read } = auditScene()
    const own = ['kept/audit.state', 'reports/latest.html', `reports/${reportName(NOW)}.json.gz`]
    for (const name of own) write(name, 'anything')
    const before = names()
    const digest = 'logs/AWSLogs/1/CloudTrail-Digest/us-east-1/2026/07/01/d.json.gz'
    write(digest, trail(spree(9)))
    expect(await objects(host(), digest, ...own)).toMatchObject({ events: 0, records: 0, findings: { critical: 0 } })
    expect([names(), read('kept/audit.state').toString()]).toEqual([before, 'anything'])
  })

  test('fails where the state is damaged, and leaves all as it was', async () => {
    const { host, write, names, read } = auditScene()
    write('logs/a.json.gz', trail(spree(25)))
    write('kept/audit.state', 'anything')
    await expect(objects(host(), 'logs/a.json.gz')).rejects.toMatchObject({ code: 'invalid/state' })
    expect([names(), read('kept/audit.state').toString()]).toEqual([[], 'anything'])
  })

  test('reads an object once, and one that came again changes nothing', async () => {
    const { host, write, names } = auditScene()
    write('logs/a.json.gz', trail(spree(25)))
    expect(await objects(host(), 'logs/a.json.gz', 'logs/gone.json.gz')).toMatchObject({ events: 25, findings: { critical: 1 } })
    const before = names()
    expect(await objects(host(), 'logs/a.json.gz')).toMatchObject({ events: 0, records: 0, findings: { critical: 0 } })
    expect(names()).toEqual(before)
  })

  test('takes nothing for read that lies below the prefix for longer', async () => {
    const { host, write } = auditScene()
    write('logs/a.json.gz', trail(spree(2)))
    write('logs/old.json.gz', trail(spree(3, 'shop')), 30)
    await objects(host(), 'logs/a.json.gz')
    expect(await fresh(host())).toMatchObject({ events: 3 })
  })

  test('has a page with what was found in the last days, and a document with what this run found', async () => {
    const { host, write, documents, read } = auditScene()
    write('logs/a.json.gz', trail(spree(25)))
    write('logs/b.json.gz', trail(spree(1, 'quiet')))
    await objects(host(), 'logs/a.json.gz')
    await objects(host(), 'logs/b.json.gz')
    expect(documents().map(({ findings }) => findings.length)).toEqual([1, 0])
    expect(read('reports/latest.html').toString()).toContain('read 25 different secrets within ten minutes')
    write('logs/c.json.gz', trail([readOf('late', { eventTime: '2026-07-09T12:00:00Z' })]))
    await objects(host({ now: () => NOW + 8 * 86_400_000 }), 'logs/c.json.gz')
    expect(read('reports/latest.html').toString()).not.toContain('read 25 different secrets')
  })
})

describe('a run whose time is nearly over', () => {
  /** Asked for at the start, and then before each log but the first. */
  const clockOf = (later: () => number): Deadline => {
    let asked = 0
    return { ...minute(), remainingMs: () => (asked++ === 0 ? 60_000 : later()) }
  }
  const timeForOne = (): Deadline => clockOf(() => 29_000)

  test('keeps what it has read, says so, and the next one goes on, however old the rest is', async () => {
    const { host, write, documents, state } = auditScene()
    for (const name of ['a', 'b', 'c']) write(`logs/${name}.json.gz`, trail(spree(2, name)))
    expect(await runAudit(host(), { kind: 'new' }, timeForOne())).toMatchObject({ events: 2, isCut: true })
    expect(documents()[0]?.coverage.gaps).toContainEqual({
      code: 'cut',
      text: 'time was up before all logs were read: the next run goes on'
    })
    expect([...state().listedSince]).toEqual([])
    expect(await runAudit(host(), { kind: 'new' }, timeForOne())).toMatchObject({ events: 2, isCut: true })
    expect(await fresh(host())).toMatchObject({ events: 2, isCut: false })
    expect(state().listedSince.size).toBe(1)
  })

  test('of named objects fails, so that its event comes again, and has kept what it has read', async () => {
    const { host, write, state } = auditScene()
    for (const name of ['a', 'b']) write(`logs/${name}.json.gz`, trail(spree(2, name)))
    const { place } = host().state
    const wanted = { kind: 'objects', objects: ['a', 'b'].map((name) => ({ place, name: `logs/${name}.json.gz` })) } as const
    await expect(runAudit(host(), wanted, timeForOne())).rejects.toMatchObject({ code: 'unavailable/deadline', retryable: true })
    expect([...state().objects.keys()].map((name) => name.slice(-9))).toEqual(['a.json.gz'])
    expect(await runAudit(host(), wanted, minute())).toMatchObject({ events: 2, isCut: false })
  })

  test('in the middle of a log keeps nothing', async () => {
    const { host, write, place } = auditScene()
    for (const name of ['a', 'b']) write(`logs/${name}.json.gz`, trail(spree(2, name)))
    const abort = new AbortController()
    const over = clockOf(() => {
      abort.abort()
      return 60_000
    })
    const run = runAudit(host(), { kind: 'new' }, { ...over, signal: abort.signal })
    await expect(run).rejects.toMatchObject({ code: 'unavailable/deadline' })
    expect(await place.describe('kept/audit.state', AbortSignal.timeout(1_000))).toBeUndefined()
  })
})

describe('two runs at once', () => {
  test('lose nothing: who finds the state written meanwhile begins anew', async () => {
    const { host, write, state, documents } = auditScene()
    const both = ['a', 'b'].map((name) => `logs/${name}.json.gz`)
    for (const name of both) write(name, trail(spree(4, name)))
    const said = await Promise.all(both.map((name) => objects(host(), name)))
    expect(said.map(({ events }) => events)).toEqual([4, 4])
    expect(state().objects.size).toBe(2)
    expect(state().tally.identities.size).toBe(2)
    expect(documents()).toHaveLength(2)
  })

  test('that read the same log count it once', async () => {
    const { host, write, state } = auditScene()
    write('logs/a.json.gz', trail(spree(4)))
    const said = await Promise.all([fresh(host()), fresh(host())])
    expect(said.map(({ events }) => events).sort()).toEqual([0, 4])
    expect([...state().tally.identities.values()].map(({ count }) => count)).toEqual([4])
  })
})

describe('the store’s list', () => {
  const facts = (name: string): SecretFacts =>
    ({ id: name, name, seenAt: NOW, metadata: {}, stages: [], createdAt: NOW - 400 * 86_400_000 }) as unknown as SecretFacts
  async function* listing(names: readonly string[], failsWith?: KeyturnError): AsyncGenerator<SecretFacts> {
    for (const name of names) yield facts(name)
    if (failsWith) throw failsWith
  }

  test('that does not answer costs the report of rotation, and not the audit', async () => {
    const { host, write, documents, logged } = auditScene()
    write('logs/a.json.gz', trail(spree(2)))
    const down = new KeyturnError('unavailable/store', 'no answer')
    expect(await fresh(host({ list: () => listing([], down) }))).toMatchObject({ events: 2 })
    expect(documents()[0]?.coverage.gaps).toContainEqual({
      code: 'unlisted',
      text: 'the store listed none of its secrets (unavailable/store): rotation and orphans are told by the log for the others'
    })
    expect(logged).toContainEqual(['unlisted', { code: 'unavailable/store', message: 'no answer' }])
  })

  test('that ends in the middle is used as far as it goes', async () => {
    const { host, write, documents } = auditScene()
    write('logs/a.json.gz', trail(spree(2)))
    const denied = new KeyturnError('denied/store', 'ListSecrets')
    await fresh(host({ list: () => listing(['one', 'two'], denied) }))
    expect(documents()[0]?.rotation.map(({ secret }) => secret)).toEqual(expect.arrayContaining(['one', 'two']))
    expect(documents()[0]?.coverage.gaps.find(({ code }) => code === 'unlisted')?.text).toMatch(
      /^the store listed no more than 2/
    )
  })

  test('is not asked for where there is no report', async () => {
    const { host, write, logged } = auditScene()
    write('logs/a.json.gz', trail(spree(2)))
    const list = () => listing([], new KeyturnError('bug/internal', 'asked'))
    await fresh(host({ list, reports: undefined }))
    expect(logged.map(([event]) => event)).toEqual(['summarized'])
  })
})
