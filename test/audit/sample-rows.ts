import type { Access, DriftRow, OrphanRow, RotationRow } from '../../shared/audit/summary.ts'
import { SAMPLE_ROWS } from './sample-finding-rows.ts'
import { daysAgo, hoursAgo, SAMPLE_IDENTITIES, SAMPLE_NOW, SAMPLE_SECRETS, type SampleIdentity, seeded } from './sample-names.ts'

const DAY = 86_400_000

const isNamed = ({ identityName }: SampleIdentity, name: string): boolean =>
  SAMPLE_ROWS.some(({ identity, secret }) => identity === identityName && secret === name)

/** Some 140 rows: workloads read a few secrets often, people read some now and then; and what findings name. */
export function sampleInventory(): readonly Access[] {
  const random = seeded(7)
  return SAMPLE_IDENTITIES.flatMap((identity) =>
    SAMPLE_SECRETS.filter(({ store }) => store === identity.store)
      .filter(({ name }) => {
        const chance = random()
        return isNamed(identity, name) || chance < SHARE[identity.identityName === 'ci-deploy' ? 'greedy' : identity.identityType]
      })
      .map((secret) => {
        const reads = Math.round(10 ** (random() * MAGNITUDE[identity.identityType]))
        const first = daysAgo(42 - random() * 20)
        return {
          identity: identity.identity,
          identityName: identity.identityName,
          identityType: identity.identityType,
          secret: secret.key,
          secretName: secret.name,
          store: secret.store,
          account: secret.account,
          first,
          last: reads === 1 ? first : first + (SAMPLE_NOW - first) * (0.6 + random() * 0.4),
          reads,
          writes: writesOf(identity, random()),
          denied: random() < 0.08 ? Math.ceil(random() * 12) : 0
        }
      })
  )
}

const SHARE = { workload: 0.35, person: 0.4, service: 1, unknown: 0.3, greedy: 0.9 } as const
const MAGNITUDE = { workload: 4.2, person: 1.4, service: 1.2, unknown: 2 } as const

const writesOf = ({ identityType }: SampleIdentity, chance: number): number =>
  identityType === 'service' ? Math.ceil(chance * 3) : identityType === 'person' && chance < 0.2 ? 1 : 0

const WHY = {
  'in-time': 'rotated in time',
  'due-soon': 'due within seven days',
  overdue: 'the period of 90 days is over',
  failing: 'the last 3 attempts failed',
  never: 'never rotated since it was made',
  held: 'held by dana.ortiz: migration of the ERP',
  unmanaged: 'no rotation is set up',
  unknown: 'neither the store nor the log tells'
} as const satisfies Record<RotationRow['state'], string>

const TURNS: readonly RotationRow['state'][] = [
  'in-time',
  'in-time',
  'in-time',
  'due-soon',
  'in-time',
  'overdue',
  'unmanaged',
  'in-time',
  'failing',
  'in-time',
  'due-soon',
  'never',
  'in-time',
  'held',
  'unknown'
]

/** One row a secret; every state is among them. */
export function sampleRotation(): readonly RotationRow[] {
  const random = seeded(11)
  return SAMPLE_SECRETS.map(({ key, store, account }, n) => {
    const state = TURNS[n % TURNS.length] ?? 'unknown'
    const due = dueOf(state, random())
    return {
      secret: key,
      store: `${store} ${account}`,
      state,
      lastRotated: due === undefined || state === 'never' ? undefined : due - 90 * DAY,
      due,
      failures: state === 'failing' ? 3 : 0,
      why: WHY[state],
      controls: state === 'in-time' ? [] : ['SOC 2 CC6.1', 'ISO 27001 A.5.17', 'HIPAA 164.308(a)(5)(ii)(D)']
    }
  })
}

function dueOf(state: RotationRow['state'], chance: number): number | undefined {
  if (state === 'unmanaged' || state === 'unknown') return undefined
  if (state === 'overdue' || state === 'failing' || state === 'never') return daysAgo(2 + Math.floor(chance * 38))
  return SAMPLE_NOW + Math.floor(state === 'due-soon' ? 1 + chance * 6 : 8 + chance * 75) * DAY
}

export function sampleDrift(): readonly DriftRow[] {
  const row = (policy: string, store: DriftRow['store'], account: string, more: Partial<DriftRow>): DriftRow => ({
    policy,
    store,
    account,
    changedAt: hoursAgo(200),
    changedBy: 'dana.ortiz@shop.example',
    changes: 1,
    state: 'changed',
    reviewedAt: daysAgo(60),
    reviewer: 'r.patel@shop.example',
    evidence: ['b1c9e2f0-77aa-4a1e-9c0d-5521'],
    controls: ['SOC 2 CC6.3', 'ISO 27001 A.5.18', 'HIPAA 164.308(a)(4)(ii)(C)'],
    ...more
  })
  return [
    row('prod/partners/shopware', 'aws', '123456789012', {}),
    row('payments-read', 'vault', 'root', { changedBy: 'oidc-mika.larsen', changes: 3, changedAt: hoursAgo(366) }),
    row('platform-admin', 'vault', 'root', { state: 'same', changes: 2, changedBy: 'oidc-mika.larsen' }),
    row('fraud-read', 'vault', 'root', { state: 'unreviewed', reviewedAt: undefined, reviewer: undefined }),
    row('kv-shop-prod access policies', 'azure', 'kv-shop-prod', { state: 'unknown', changedBy: 'jo.bauer@shop.example' }),
    row('projects/shop-prod-1/secrets/ads-api-key', 'gcp', 'shop-prod-1', {
      state: 'unreviewed',
      reviewedAt: undefined,
      reviewer: undefined,
      changedBy: 'sam.okafor@shop.example'
    })
  ]
}

export const sampleOrphans = (): readonly OrphanRow[] =>
  (
    [
      ['legacy/erp/odbc', 214, 'store'],
      ['legacy/fax-gateway', undefined, 'nobody'],
      ['secret/old/jenkins', 131, 'log'],
      ['intranet-smtp', 96, 'log'],
      ['sandbox-test', undefined, 'nobody']
    ] as const
  ).map(([name, days, from]) => {
    const secret = SAMPLE_SECRETS.find((one) => one.name === name)
    return {
      secret: secret?.key ?? name,
      store: `${secret?.store} ${secret?.account}`,
      lastRead: days === undefined ? undefined : daysAgo(days),
      from,
      days,
      why: days === undefined ? 'no read is known, and the store does not tell' : `not read for ${days} days`,
      controls: ['SOC 2 CC6.2', 'ISO 27001 A.5.18', 'HIPAA 164.308(a)(3)(ii)(C)']
    }
  })
