import { describe, expect, it } from 'vitest'
import { controlsOf } from '../../../shared/audit/controls.ts'
import { TECHNIQUES } from '../../../shared/audit/outputs/attack.ts'
import { ocsfLines } from '../../../shared/audit/outputs/ocsf.ts'
import { SIGNALS } from '../../../shared/audit/signals.ts'
import type { DriftRow, RotationRow, Summary } from '../../../shared/audit/summary.ts'
import { leaveOut } from '../../left-out.ts'
import { coldSummary, sampleSummary } from '../sample-summary.ts'
import { HOSTILE, summaryNamed } from './hostile.ts'
import { findOcsf, ocsfValidator } from './ocsf-schema.ts'
import { hasRealLogs, realSummary } from './real-summary.ts'

const about = { version: '0.1.0', generatedAt: Date.UTC(2026, 7, 3, 7) }

// biome-ignore lint/suspicious/noExplicitAny: events are looked at as what they are, JSON.
const eventsOf = (summary: Summary, more = {}): readonly any[] =>
  [...ocsfLines(summary, { ...about, ...more })].map((line) => JSON.parse(line))

const sampleWith = (changes: Partial<Summary>): Summary => ({ ...coldSummary(), ...changes })

describe('the OCSF of an audit', () => {
  it('is one Detection Finding for each finding, and one event a line', () => {
    const summary = sampleSummary()
    const lines = [...ocsfLines(summary, about)]
    expect(lines.filter((line) => line.indexOf('\n') !== line.length - 1)).toEqual([])
    const detections = eventsOf(summary).filter(({ class_uid }) => class_uid === 2004)
    expect(detections.map(({ finding_info }) => finding_info.uid)).toEqual(summary.findings.map(({ id }) => id))
    expect(new Set(detections.map(({ type_uid }) => type_uid))).toEqual(new Set([200401]))
  })

  it('has what was measured beside what is usual as the anomaly analysis', () => {
    const summary = sampleSummary()
    const measured = summary.findings.filter(({ observed, usual }) => observed !== undefined && usual !== undefined)
    expect(measured.length).toBeGreaterThan(3)
    for (const {
      anomaly_analyses: [analysis],
      finding_info
    } of eventsOf({ ...sampleWith({}), findings: measured })) {
      const one = measured.find(({ id }) => id === finding_info.uid)
      expect(analysis.anomalies[0].observations[0].value).toBe(String(one?.observed))
      expect(analysis.baselines[0].observations[0].value).toBe(String(one?.usual))
      expect(analysis.anomalies[0].observation_parameter).toBe(one?.unit)
      expect(finding_info.analytic.type).toBe('Statistical')
    }
  })

  it('says who and from where as the evidence, or the events where neither is known', () => {
    const [finding] = sampleSummary().findings
    if (!finding) throw new Error('the sample has no finding')
    const evidenceOf = (subject: object) => eventsOf(sampleWith({ findings: [{ ...finding, subject }] }))[0].evidences[0]
    const identity = { identity: 'aws:a', identityName: 'a' }
    expect(evidenceOf({ ...identity, address: '203.0.113.9' })).toMatchObject({
      actor: { user: { uid: 'aws:a', name: 'a' } },
      src_endpoint: { ip: '203.0.113.9' }
    })
    expect(evidenceOf({ network: 'vpce-1' })).toEqual({ src_endpoint: { name: 'vpce-1' } })
    expect(evidenceOf({ address: 'not an address' })).toEqual({ src_endpoint: { name: 'not an address' } })
    expect(evidenceOf({ secret: 'aws:1/s' })).toEqual({ data: { events: finding.evidence } })
  })

  it('tells a person from a service by the inventory', () => {
    const summary = sampleSummary()
    const byUser = new Map(
      eventsOf(summary).flatMap(({ evidences }) =>
        (evidences ?? []).flatMap(({ actor }: { actor?: { user: { uid: string; type: string } } }) =>
          actor ? [[actor.user.uid, actor.user.type] as const] : []
        )
      )
    )
    const words = { person: 'User', workload: 'Service', service: 'System', unknown: 'Unknown' }
    const known = summary.inventory.filter(({ identity }) => byUser.has(identity))
    expect(new Set(known.map(({ identityType }) => identityType)).size).toBeGreaterThan(1)
    for (const { identity, identityType } of known) expect(byUser.get(identity)).toBe(words[identityType])
  })

  it.each([
    ['aws', '123456789012', { provider: 'AWS', account: { uid: '123456789012', type_id: 10 } }],
    ['gcp', 'shop-1', { provider: 'GCP', account: { uid: 'shop-1', type_id: 11 } }],
    ['azure', '/subscriptions/0a1b/resourcegroups/g/vaults/v', { provider: 'Azure', account: { uid: '0a1b', type_id: 13 } }],
    ['azure', 'kv-shop', { provider: 'Azure' }],
    ['vault', 'root', undefined]
  ] as const)('names the cloud of %s %s', (store, account, cloud) => {
    const [finding] = sampleSummary().findings
    if (!finding) throw new Error('the sample has no finding')
    const [event] = eventsOf(sampleWith({ findings: [{ ...finding, store, account }] }))
    expect(event.cloud).toEqual(cloud)
    expect(event.metadata.profiles).toEqual(cloud && ['cloud'])
  })

  it('knows the name of every technique that a signal has, and of the technique above it', () => {
    const used = SIGNALS.flatMap(({ technique }) => [technique, technique.split('.')[0] ?? ''])
    expect(used.filter((one) => TECHNIQUES[one] === undefined)).toEqual([])
    expect(Object.keys(TECHNIQUES).filter((one) => !used.includes(one))).toEqual([])
  })

  const rotation = (state: RotationRow['state']): RotationRow => ({
    ...{ secret: 's', store: 'aws', state, lastRotated: undefined, due: undefined, failures: 0, why: 'because' },
    controls: controlsOf('rotation')
  })

  it.each([
    ['failing', 'Fail', 'High'],
    ['overdue', 'Fail', 'Medium'],
    ['never', 'Fail', 'Medium'],
    ['held', 'Warning', 'Low'],
    ['unmanaged', 'Warning', 'Low']
  ] as const)('has a Compliance Finding of a secret whose rotation is %s', (state, status, severity) => {
    const [event] = eventsOf(sampleWith({ rotation: [rotation(state)] }))
    expect(event).toMatchObject({ class_uid: 2003, type_uid: 200301, severity, compliance: { status } })
    expect(event.compliance.requirements).toEqual(controlsOf('rotation'))
  })

  it.each(['in-time', 'due-soon', 'unknown'] as const)('says nothing of a secret whose rotation is %s', (state) => {
    expect(eventsOf(sampleWith({ rotation: [rotation(state)] }))).toEqual([])
  })

  it('has a Compliance Finding of each policy that was not reviewed, and of each secret that nobody reads', () => {
    const { drift, orphans } = sampleSummary()
    const states = new Set(drift.map(({ state }) => state))
    expect(states).toEqual(new Set<DriftRow['state']>(['changed', 'same', 'unreviewed', 'unknown']))
    const events = eventsOf(sampleWith({ drift, orphans }))
    expect(events.filter(({ metadata }) => metadata.event_code === 'drift')).toHaveLength(
      drift.filter(({ state }) => state !== 'same').length
    )
    expect(events.filter(({ metadata }) => metadata.event_code === 'orphans')).toHaveLength(orphans.length)
    expect(new Set(events.map(({ finding_info }) => finding_info.uid)).size).toBe(events.length)
  })

  it('names the controls of one framework where one is asked for', () => {
    const [finding, compliance] = [0, -1].map((at) => eventsOf(sampleSummary(), { framework: 'iso27001' }).at(at))
    expect(finding.finding_info.tags[0].values).toContain('ISO 27001 A.8.16')
    expect(compliance.compliance.standards).toEqual(['ISO/IEC 27001:2022, Annex A'])
    expect(JSON.stringify([finding, compliance])).not.toMatch(/SOC 2|HIPAA/)
  })
})

const python = findOcsf()
if (!python) leaveOut('the schema of OCSF', 'PyPI ocsf-json-schema is not installed')
else
  describe('the OCSF of an audit, by the schema of OCSF 1.6.0', () => {
    const wrongIn = ocsfValidator(python, '1.6.0')

    it.each([
      ['six weeks and four stores', sampleSummary],
      ['a first run', coldSummary]
    ])('is valid for %s', (_, summary) => {
      expect(eventsOf(summary()).flatMap(wrongIn)).toEqual([])
      expect(eventsOf(summary(), { framework: 'hipaa' }).flatMap(wrongIn)).toEqual([])
    })

    it('is valid whatever names a log has', () => {
      for (const name of [...HOSTILE, '', 'fe80::1%eth0', '::ffff:203.0.113.9', '2001:db8::1', '203.0.113.0/24'])
        expect(eventsOf(summaryNamed(name)).flatMap(wrongIn)).toEqual([])
    })

    if (!hasRealLogs) leaveOut('the OCSF of a real log', 'the samples of audit logs are not here')
    else
      it('is valid for the CloudTrail of a simulated attack', async () => {
        const events = eventsOf(await realSummary())
        expect(events.length).toBeGreaterThan(5)
        expect(events.flatMap(wrongIn)).toEqual([])
      })

    /** A detection of the sample after a change, and a compliance finding after the same. */
    const changed = (of: 2003 | 2004, path: string, value: unknown): unknown => {
      const event = eventsOf(sampleSummary()).find(
        ({ class_uid, evidences }) => class_uid === of && (of === 2003 || evidences[0].actor)
      )
      const parts = path.split('.')
      const last = parts.pop() ?? ''
      const place = parts.reduce((at, part) => at[part], event)
      if (value === undefined) delete place[last]
      else place[last] = value
      return event
    }

    it.each([
      [2004, 'metadata', undefined],
      [2004, 'metadata.version', undefined],
      [2004, 'metadata.product', {}],
      [2004, 'finding_info', undefined],
      [2004, 'finding_info.uid', undefined],
      [2004, 'finding_info.made_up', 1],
      [2004, 'made_up', 1],
      [2004, 'severity_id', undefined],
      [2004, 'severity_id', 7],
      [2004, 'severity_id', '4'],
      [2004, 'activity_id', 12],
      [2004, 'type_uid', 200301],
      [2004, 'category_uid', 3],
      [2004, 'time', '2026-08-03T07:00:00Z'],
      [2004, 'time', 1.5],
      [2004, 'cloud', undefined],
      [2004, 'cloud.provider', undefined],
      [2004, 'metadata.profiles', undefined],
      [2004, 'evidences.0', {}],
      [2004, 'evidences.0.actor', {}],
      [2004, 'evidences.0.src_endpoint', { ip: 'nowhere' }],
      [2004, 'anomaly_analyses.0.anomalies', undefined],
      [2004, 'anomaly_analyses.0.analysis_targets', undefined],
      [2004, 'anomaly_analyses.0.anomalies.0.observations.0.value', 34],
      [2004, 'finding_info.attacks.0', { version: '18.1' }],
      [2004, 'finding_info.analytic.type_id', undefined],
      [2004, 'remediation', {}],
      [2004, 'message', 3],
      [2003, 'compliance', undefined],
      [2003, 'compliance.status_id', 4],
      [2003, 'compliance.checks.0.status', 1],
      [2003, 'resources.0.name', undefined],
      [2003, 'type_uid', 200401]
    ] as const)('%i with another %s (%j) is refused', (of, path, value) => {
      expect(wrongIn(changed(of, path, value)).length).toBeGreaterThan(0)
    })
  })
