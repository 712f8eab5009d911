import { isIP } from 'node:net'
import { controlsOf } from '../controls.ts'
import type { Finding, Subject } from '../finding.ts'
import { SIGNALS } from '../signals.ts'
import type { Access } from '../summary.ts'
import type { About } from './about.ts'
import { ATTACK_VERSION, TECHNIQUES, techniqueUrl } from './attack.ts'
import { cloudOf, findingBase, timeOf } from './ocsf-base.ts'

/** Types of identities, by key. */
export type IdentityTypes = ReadonlyMap<string, Access['identityType']>

/** Detection Finding 2004. What was measured beside what is usual is its anomaly analysis. */
export function detectionFinding(one: Finding, types: IdentityTypes, about: About): object {
  const { subject, first, last, count, title, todo, account } = one
  return {
    ...findingBase(2004, one.signal, one.severity, cloudOf(one.store, account), about),
    message: title,
    start_time: timeOf(first),
    end_time: timeOf(last),
    count,
    is_alert: true,
    finding_info: findingInfo(one, about),
    anomaly_analyses: anomalyAnalyses(one),
    evidences: [evidence(one, types)],
    resources: resources(subject, account),
    observables: observables(subject),
    remediation: { desc: todo }
  }
}

const findingInfo = (one: Finding, { framework }: About): object => ({
  uid: one.id,
  title: one.title,
  desc: one.why,
  types: [one.signal],
  first_seen_time: timeOf(one.first),
  last_seen_time: timeOf(one.last),
  analytic: {
    uid: one.signal,
    name: one.signal,
    desc: SIGNALS.find(({ name }) => name === one.signal)?.question,
    ...(one.usual === undefined ? { type_id: 1, type: 'Rule' } : { type_id: 3, type: 'Statistical' })
  },
  attacks: [attack(one.technique)],
  related_events: one.evidence.map((uid) => ({ uid })),
  related_events_count: one.count,
  tags: [{ name: 'controls', values: controlsOf(one.signal, framework) }]
})

function attack(technique: string): object {
  const [parent = technique] = technique.split('.')
  const named = (uid: string) => ({ uid, name: TECHNIQUES[uid], src_url: techniqueUrl(uid) })
  return {
    version: ATTACK_VERSION,
    technique: named(parent),
    ...(parent !== technique && { sub_technique: named(technique) })
  }
}

function anomalyAnalyses({ observed, usual, unit = '', subject, signal }: Finding): object | undefined {
  if (observed === undefined) return undefined
  const measured = (value: number) => ({ observation_parameter: unit, observations: [{ value: String(value) }] })
  return [
    {
      analysis_targets: [analysisTarget(subject, signal)],
      anomalies: [measured(observed)],
      ...(usual !== undefined && { baselines: [measured(usual)] })
    }
  ]
}

function analysisTarget({ secret, identity, address, source }: Subject, signal: string): object {
  if (secret) return { name: secret, type: 'Secret' }
  if (identity) return { name: identity, type: 'Identity' }
  if (address) return { name: address, type: 'Network Address' }
  return source ? { name: source, type: 'Log' } : { name: signal, type: 'Signal' }
}

const USER_TYPES = { person: [1, 'User'], workload: [4, 'Service'], service: [3, 'System'], unknown: [0, 'Unknown'] } as const

/** Who, and from where; where neither is known, the ids of the events, because an evidence must have something. */
function evidence({ subject, evidence }: Finding, types: IdentityTypes): object {
  const { identity, identityName, address, network } = subject
  const [typeId, type] = USER_TYPES[types.get(identity ?? '') ?? 'unknown']
  const user = identity && { uid: identity, name: identityName ?? identity, type_id: typeId, type }
  const endpoint = address ? { ...(isIp(address) ? { ip: address } : { name: address }) } : network && { name: network }
  return {
    ...(user && { actor: { user } }),
    ...(endpoint && { src_endpoint: endpoint }),
    ...(user || endpoint ? {} : { data: { events: evidence } })
  }
}

/** OCSF's ip_t has no room for the zone of an address. */
const isIp = (address: string): boolean => isIP(address) !== 0 && !address.includes('%')

function resources({ secret, secretName, policy, source }: Subject, account: string | undefined): readonly object[] | undefined {
  const target = { role_id: 1, role: 'Target', namespace: account }
  const found = [
    ...(secret ? [{ uid: secret, name: secretName ?? secret, type: 'Secret', ...target }] : []),
    ...(policy ? [{ name: policy, type: 'Policy', ...target }] : []),
    ...(source ? [{ name: source, type: 'Log', ...target }] : [])
  ]
  return found.length > 0 ? found : undefined
}

/** What a SIEM joins on: 2 is an IP address, 4 a user's name, 10 a resource's id. */
function observables({ address = '', identityName, secret }: Subject): readonly object[] {
  const all = [
    ['evidences.src_endpoint.ip', 2, 'IP Address', isIp(address) ? address : undefined],
    ['evidences.actor.user.name', 4, 'User Name', identityName],
    ['resources.uid', 10, 'Resource UID', secret]
  ] as const
  return all.flatMap(([name, type_id, type, value]) => (value === undefined ? [] : [{ name, type_id, type, value }]))
}
