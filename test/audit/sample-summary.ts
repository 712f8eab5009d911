import { HOUR_MS } from '../../shared/audit/hours.ts'
import { RETENTION } from '../../shared/audit/retention.ts'
import type { Charts, Coverage, RetentionRow, SourceRow, Summary } from '../../shared/audit/summary.ts'
import { SAMPLE_SPIKES, sampleFindings } from './sample-findings.ts'
import { daysAgo, hoursAgo, SAMPLE_FIRST, SAMPLE_NOW, secretNamed, seeded } from './sample-names.ts'
import { sampleDrift, sampleInventory, sampleOrphans, sampleRotation } from './sample-rows.ts'

/**
 * Six weeks of four stores, made up and the same every time: 40 findings of every signal and severity, 60 secrets, 18
 * identities, rows in every state that a report knows, and coverage with every kind of hole.
 */
export const sampleSummary = (): Summary => ({
  period: { now: SAMPLE_NOW, since: SAMPLE_FIRST, until: undefined, first: SAMPLE_FIRST + 251_000, last: SAMPLE_NOW - 48_000 },
  coverage: sampleCoverage(),
  findings: sampleFindings(),
  inventory: sampleInventory(),
  rotation: sampleRotation(),
  drift: sampleDrift(),
  orphans: sampleOrphans(),
  retention: sampleRetention(),
  charts: sampleCharts()
})

/** The first run of all: three days of one store, nothing found, and everything still learning. */
export function coldSummary(): Summary {
  const { inventory, retention, charts, coverage } = sampleSummary()
  return {
    period: { now: SAMPLE_NOW, since: undefined, until: undefined, first: daysAgo(3), last: SAMPLE_NOW },
    coverage: {
      ...coverage,
      sources: coverage.sources.slice(0, 1),
      damage: [],
      malformed: 0,
      gaps: [],
      learning: ['new-network', 'read-volume'].map((signal) => ({
        signal,
        until: SAMPLE_NOW + 4 * 24 * HOUR_MS,
        why: 'too few days'
      }))
    },
    findings: [],
    inventory: inventory.slice(0, 9),
    rotation: [],
    drift: [],
    orphans: [],
    retention,
    charts: { ...charts, reads: [] }
  }
}

const source = (name: string, format: SourceRow['format'], events: number, more: Partial<SourceRow> = {}): SourceRow => ({
  name,
  format,
  events,
  first: SAMPLE_FIRST + 251_000,
  last: SAMPLE_NOW - 48_000,
  problem: undefined,
  ...more
})

const sampleCoverage = (): Coverage => ({
  sources: [
    source('s3://org-trail/AWSLogs/123456789012/CloudTrail/', 'cloudtrail', 214_408),
    source('vault-audit.log', 'vault', 88_120, { last: hoursAgo(35) }),
    source('vault-server.log', 'vault-server', 14, { first: hoursAgo(700), last: hoursAgo(698) }),
    source('insights-logs-auditevent', 'key-vault', 30_377),
    source('projects/shop-prod-1/logs/cloudaudit', 'gcp', 12_590),
    source('notes.txt', undefined, 0, { first: undefined, last: undefined, problem: 'no format of ours' })
  ],
  records: 1_204_531,
  events: 345_509,
  skipped: 858_717,
  duplicates: 298,
  malformed: 7,
  damage: [
    { source: 'vault-audit.log', offset: 18_204_772, why: 'the line is cut off' },
    { source: 's3://org-trail/AWSLogs/123456789012/CloudTrail/…_a81f.json.gz', offset: 40_960, why: 'the gzip stream ends early' }
  ],
  bytes: 1_893_442_560,
  learning: [
    { signal: 'read-volume', until: SAMPLE_NOW + 5 * 24 * HOUR_MS, why: '3 secrets were seen for less than 10 days' },
    { signal: 'new-network', until: SAMPLE_NOW + 2 * 24 * HOUR_MS, why: '2 identities are new' }
  ],
  gaps: [
    { code: 'masked', text: 'Of 1,204 reads in gcp the address is masked: Google shows none of callers inside its network.' },
    { code: 'no-reads', text: 'gcp project shop-labs-2 logs no reads: Data Access logging is off.' },
    {
      code: 'salt',
      text: 'The salt of vault root changed at 2026-07-14 09:12 UTC: accessors before and after cannot be compared.'
    },
    { code: 'late', text: '412 events came more than an hour late.' }
  ]
})

function sampleRetention(): readonly RetentionRow[] {
  const EVENTS: Readonly<Record<string, number>> = {
    'failed access': 1_893,
    'secret read': 301_220,
    'secret write': 411,
    login: 28_806,
    token: 13_020,
    policy: 145,
    seal: 14,
    other: 0
  }
  return RETENTION.map(({ name, class: kept, days, kinds }) => ({
    name,
    class: kept,
    days,
    kinds,
    events: EVENTS[name] ?? 0,
    first: EVENTS[name] ? SAMPLE_FIRST + 300_000 : undefined,
    last: EVENTS[name] ? SAMPLE_NOW - 3_600_000 : undefined,
    gaps: name === 'secret read' ? ['gcp: Data Access logging is off in shop-labs-2'] : [],
    controls: ['SOC 2 CC7.2', 'ISO 27001 A.8.15', 'HIPAA 164.312(b)']
  }))
}

/** How busy an hour of the week is, from 0 to 1, Monday first. */
function busy(hour: number): number {
  const [day, clock] = [Math.floor(hour / 24) % 7, hour % 24]
  const swell = Math.max(0, Math.sin(((clock - 5) / 16) * Math.PI))
  return (day < 5 ? 1 : 0.35) * swell
}

const CHARTED: readonly string[] = [
  ...new Set([
    ...SAMPLE_SPIKES.map(([name]) => name),
    'prod/checkout/stripe',
    'secret/fraud/db',
    'hr-sql',
    'vision-db',
    'crm-redis'
  ])
]

function sampleCharts(): Charts {
  const random = seeded(3)
  const [from, to] = [SAMPLE_FIRST / HOUR_MS, Math.floor(SAMPLE_NOW / HOUR_MS)]
  const reads = CHARTED.map((name, n) => {
    const secret = secretNamed(name)
    const spikes = new Map(SAMPLE_SPIKES.flatMap(([of, ago, count]) => (of === name ? [[to - ago, count] as const] : [])))
    const scale = 30 - n * 2
    return {
      secret: secret.key,
      secretName: secret.name,
      hours: Array.from({ length: to - from }, (_, at) => {
        const usual = 1 + busy(at) * scale
        const count = spikes.get(from + at) ?? Math.round(usual * (0.6 + random() * 0.8))
        return [from + at, count, at < 10 * 24 ? undefined : Math.round(usual * 10) / 10] as const
      }),
      flagged: [...spikes.keys()].sort((a, b) => a - b)
    }
  })
  const week = Array.from({ length: 168 }, (_, hour) => hour)
  return {
    reads,
    week: {
      zone: 'Europe/Berlin',
      people: week.map((hour) => Math.round(busy(hour) * 60 * random() * (hour < 120 ? 1 : 0.2) + (hour === 51 ? 24 : 0))),
      others: week.map((hour) => Math.round(400 + busy(hour) * 2_400 * (0.8 + random() * 0.4)))
    }
  }
}
