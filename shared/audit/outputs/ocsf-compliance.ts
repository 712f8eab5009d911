import { controlsNamed, FRAMEWORK_FACTS } from '../controls.ts'
import type { Severity } from '../finding.ts'
import type { DriftRow, OrphanRow, RotationRow } from '../summary.ts'
import { type About, isoTime } from './about.ts'
import { cloudOf, findingBase, timeOf } from './ocsf-base.ts'

const STATUS = { fail: [3, 'Fail'], warning: [2, 'Warning'], unknown: [0, 'Unknown'] } as const

type Standing = readonly [status: keyof typeof STATUS, severity: Severity]

/** What is not here is as it must be, or nobody can say. */
const ROTATION: Partial<Record<RotationRow['state'], Standing>> = {
  failing: ['fail', 'high'],
  overdue: ['fail', 'medium'],
  never: ['fail', 'medium'],
  held: ['warning', 'low'],
  unmanaged: ['warning', 'low']
}

const DRIFT: Partial<Record<DriftRow['state'], { readonly standing: Standing; readonly says: string }>> = {
  changed: { standing: ['fail', 'medium'], says: 'changed since it was reviewed' },
  unreviewed: { standing: ['warning', 'low'], says: 'changed, and never reviewed' },
  unknown: { standing: ['unknown', 'low'], says: 'changed; the log has no text to compare with the review' }
}

/** Compliance Finding 2003 of a secret that is not rotated in time; undefined: it is. */
export function rotationFinding(row: RotationRow, about: About): object | undefined {
  const standing = ROTATION[row.state]
  return (
    standing &&
    complianceFinding(about, {
      standing,
      report: 'rotation',
      control: 'Secrets are rotated within their period',
      title: `${row.secret}: ${row.state}`,
      row,
      key: [row.store, row.secret],
      resource: { name: row.secret, type: 'Secret' },
      cloud: cloudOf(row.store),
      todo: 'Rotate it now, or find out why the last rotation did not.'
    })
  )
}

/** Compliance Finding 2003 of a policy that is not what was reviewed; undefined: it is. */
export function driftFinding(row: DriftRow, about: About): object | undefined {
  const drift = DRIFT[row.state]
  return (
    drift &&
    complianceFinding(about, {
      standing: drift.standing,
      report: 'drift',
      control: 'Changes of policies are reviewed',
      title: `${row.policy}: ${drift.says}`,
      row: { ...row, why: `${row.changedBy} changed it last, at ${isoTime(row.changedAt)}` },
      key: [row.store, row.account, row.policy],
      resource: { name: row.policy, type: 'Policy', namespace: row.account },
      cloud: cloudOf(row.store, row.account),
      todo: 'Look at the change with who made it. Where it is right, mark it as reviewed.',
      more: { last_seen_time: timeOf(row.changedAt), related_events: row.evidence.map((uid) => ({ uid })) }
    })
  )
}

/** Compliance Finding 2003 of a secret that nobody reads. */
export const orphanFinding = (row: OrphanRow, about: About): object =>
  complianceFinding(about, {
    standing: ['warning', 'low'],
    report: 'orphans',
    control: 'Secrets that nobody reads are removed',
    title: `${row.secret}: ${row.why}`,
    row,
    key: [row.store, row.secret],
    resource: { name: row.secret, type: 'Secret' },
    cloud: cloudOf(row.store),
    todo: 'Ask its owner whether it is still needed. Disable it first, delete it later.'
  })

interface Checked {
  readonly standing: Standing
  readonly report: string
  readonly control: string
  readonly title: string
  readonly row: { readonly why: string; readonly controls: readonly string[] }
  /** What tells two findings of one report apart. */
  readonly key: readonly string[]
  readonly resource: object
  readonly cloud: object | undefined
  readonly todo: string
  /** Of finding_info. */
  readonly more?: object
}

function complianceFinding(about: About, checked: Checked): object {
  const { standing, report, control, title, row, key, resource, cloud, todo, more } = checked
  const [status_id, status] = STATUS[standing[0]]
  const controls = controlsNamed(row.controls, about.framework)
  const editionOf = (framework: keyof typeof FRAMEWORK_FACTS): string => FRAMEWORK_FACTS[framework].edition
  return {
    ...findingBase(2003, report, standing[1], cloud, about),
    message: title,
    finding_info: { uid: `keyturn:${report}:${key.join(':')}`, title, desc: row.why, types: [report], ...more },
    compliance: {
      control,
      standards: [...new Set(controls.map(({ framework }) => editionOf(framework)))],
      requirements: controls.map(({ name }) => name),
      checks: controls.map(({ id, title: name, framework }) => ({
        ...{ uid: id, name, status_id, status },
        standards: [editionOf(framework)]
      })),
      status_id,
      status,
      status_details: [row.why]
    },
    resources: [{ ...resource, role_id: 1, role: 'Target' }],
    remediation: { desc: todo }
  }
}
