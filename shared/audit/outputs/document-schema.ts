import * as v from 'valibot'
import { FRAMEWORKS } from '../controls.ts'
import { KINDS } from '../event.ts'
import { SEVERITIES } from '../finding.ts'
import { FORMATS } from '../reader.ts'

/**
 * The published form of a summary, version 1. `npm run docs` writes `keyturn-audit-1.schema.json` from it. What is not known
 * is null and never left out, but for the members of a subject. A member that is added, taken away or means something else
 * is a new version: who reads version 1 may refuse all that is not here.
 */
const Time = v.pipe(v.string(), v.isoTimestamp(), v.description('ISO 8601, UTC'))
const Count = v.pipe(v.number(), v.integer(), v.minValue(0))
const Text = v.string()
const Store = v.picklist(['aws', 'azure', 'gcp', 'vault'])
const Controls = v.pipe(v.array(Text), v.description('Names of rows of `controls`'))
const Measured = v.pipe(
  v.nullable(v.union([v.number(), v.literal('Infinity')])),
  v.description('`Infinity`: a token that never ends')
)

const Period = v.strictObject({
  now: Time,
  since: v.nullable(Time),
  until: v.nullable(Time),
  first: v.nullable(Time),
  last: v.nullable(Time)
})

const Source = v.strictObject({
  name: Text,
  format: v.nullable(v.picklist(FORMATS)),
  events: Count,
  first: v.nullable(Time),
  last: v.nullable(Time),
  problem: v.nullable(Text)
})

const Coverage = v.strictObject({
  sources: v.array(Source),
  records: Count,
  events: Count,
  skipped: Count,
  duplicates: Count,
  malformed: Count,
  damage: v.array(v.strictObject({ source: Text, offset: Count, why: Text })),
  bytes: Count,
  learning: v.array(v.strictObject({ signal: Text, until: v.nullable(Time), why: Text })),
  gaps: v.array(v.strictObject({ code: Text, text: Text }))
})

const Finding = v.strictObject({
  id: Text,
  signal: Text,
  severity: v.picklist(SEVERITIES),
  title: Text,
  why: Text,
  store: v.nullable(Store),
  account: v.nullable(Text),
  subject: v.strictObject({
    identity: v.exactOptional(Text),
    identityName: v.exactOptional(Text),
    secret: v.exactOptional(Text),
    secretName: v.exactOptional(Text),
    address: v.exactOptional(Text),
    network: v.exactOptional(Text),
    policy: v.exactOptional(Text),
    source: v.exactOptional(Text)
  }),
  first: Time,
  last: Time,
  count: Count,
  observed: Measured,
  usual: Measured,
  unit: v.nullable(Text),
  evidence: v.pipe(v.array(Text), v.description('Ids of events in the log')),
  technique: v.pipe(Text, v.description('MITRE ATT&CK')),
  todo: Text,
  controls: Controls
})

const Access = v.strictObject({
  identity: Text,
  identityName: Text,
  identityType: v.picklist(['person', 'workload', 'service', 'unknown']),
  secret: Text,
  secretName: Text,
  store: Store,
  account: Text,
  first: Time,
  last: Time,
  reads: Count,
  writes: Count,
  denied: Count
})

const Rotation = v.strictObject({
  secret: Text,
  store: Text,
  state: v.picklist(['in-time', 'due-soon', 'overdue', 'failing', 'never', 'held', 'unmanaged', 'unknown']),
  lastRotated: v.nullable(Time),
  due: v.nullable(Time),
  failures: Count,
  why: Text,
  controls: Controls
})

const Drift = v.strictObject({
  policy: Text,
  store: Store,
  account: Text,
  changedAt: Time,
  changedBy: Text,
  changes: Count,
  state: v.picklist(['changed', 'same', 'unreviewed', 'unknown']),
  reviewedAt: v.nullable(Time),
  reviewer: v.nullable(Text),
  evidence: v.array(Text),
  controls: Controls
})

const Orphan = v.strictObject({
  secret: Text,
  store: Text,
  lastRead: v.nullable(Time),
  from: v.picklist(['log', 'store', 'nobody']),
  days: v.nullable(Count),
  why: Text,
  controls: Controls
})

const Retention = v.strictObject({
  name: Text,
  class: v.picklist(['medium', 'high', 'critical']),
  days: v.pipe(v.nullable(Count), v.description('null: for ever')),
  kinds: v.array(v.picklist(KINDS)),
  events: Count,
  first: v.nullable(Time),
  last: v.nullable(Time),
  gaps: v.array(Text),
  controls: Controls
})

const Charts = v.strictObject({
  reads: v.array(
    v.strictObject({
      secret: Text,
      secretName: Text,
      hours: v.array(v.strictObject({ hour: Time, reads: Count, usual: v.nullable(v.number()) })),
      flagged: v.array(Time)
    })
  ),
  week: v.strictObject({
    zone: Text,
    people: v.pipe(v.array(Count), v.length(168)),
    others: v.pipe(v.array(Count), v.length(168))
  })
})

const Control = v.strictObject({
  name: Text,
  framework: v.picklist(FRAMEWORKS),
  id: Text,
  title: Text,
  source: Text
})

export const DocumentSchema = v.strictObject({
  schema: v.literal('keyturn-audit/1'),
  generator: v.strictObject({ name: v.literal('keyturn'), version: Text }),
  generatedAt: Time,
  framework: v.pipe(v.nullable(v.picklist(FRAMEWORKS)), v.description('null: controls of all')),
  period: Period,
  coverage: Coverage,
  findings: v.array(Finding),
  inventory: v.array(Access),
  rotation: v.array(Rotation),
  drift: v.array(Drift),
  orphans: v.array(Orphan),
  retention: v.array(Retention),
  charts: Charts,
  controls: v.pipe(v.array(Control), v.description('Every control that is named above'))
})

/** Those that have a name of their own in the JSON Schema. */
export const DEFINITIONS = { Time, Source, Finding, Access, Rotation, Drift, Orphan, Retention, Control }

export type AuditDocument = v.InferOutput<typeof DocumentSchema>
