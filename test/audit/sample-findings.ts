import type { Finding } from '../../shared/audit/finding.ts'
import { finding, minute } from '../../shared/audit/findings.ts'
import { SIGNALS } from '../../shared/audit/signals.ts'
import { SAMPLE_ROWS, type SampleRow } from './sample-finding-rows.ts'
import { hoursAgo, identityNamed, SAMPLE_SECRETS, secretNamed } from './sample-names.ts'

const volume = ([name, ago, count, usual]: readonly [string, number, number, number]): SampleRow => ({
  signal: 'read-volume',
  severity: count > 10 * usual ? 'high' : 'medium',
  ago,
  count,
  secret: name,
  title: `${name} was read ${count} times in an hour`,
  why: `In the hour from ${minute(hoursAgo(ago))} it was read ${count} times; in such an hour it is usually read ${usual} times.`,
  compared: { observed: count, usual, unit: 'reads an hour' }
})

/** Secret, hours ago, reads, what is usual; the charts of the sample have the same hours. */
export const SAMPLE_SPIKES: readonly (readonly [string, number, number, number])[] = [
  ['prod/checkout/db', 31, 214, 18],
  ['prod/checkout/db', 30, 96, 17],
  ['prod/orders/db', 31, 131, 14],
  ['secret/payments/db', 310, 88, 21],
  ['crm-sql', 155, 72, 16],
  ['etl-bigquery', 498, 140, 30],
  ['prod/identity/jwt-signing', 31, 64, 9]
]

const strange = ([who, network, ago, count]: readonly [string, string, number, number]): SampleRow => ({
  signal: 'new-network',
  severity: 'medium',
  ago,
  count,
  identity: who,
  address: network.replace('0/24', '23'),
  title: `${who} came from ${network}, where it was never seen`,
  why: `${who} is known since 2026-06-22 00:10 UTC from 2 other networks; ${count} calls came from there.`
})

const late = ([who, ago, count]: readonly [string, number, number]): SampleRow => ({
  signal: 'off-hours',
  severity: 'low',
  ago,
  count,
  identity: who,
  title: `${who} was at work outside working hours on ${minute(hoursAgo(ago)).slice(0, 10)}`,
  why: `${count} calls in 2 hours from ${minute(hoursAgo(ago))} on; working hours are Mon–Fri 07–19 Europe/Berlin.`
})

const refused = ([who, name, ago, count]: readonly [string, string, number, number]): SampleRow => ({
  signal: 'denied',
  severity: 'low',
  ago,
  count,
  identity: who,
  secret: name,
  title: `${who} was refused ${count} times, for ${name}`,
  why: `${count} calls for 1 different things were denied.`
})

const MORE: readonly SampleRow[] = [
  ...SAMPLE_SPIKES.map(volume),
  ...(
    [
      ['ci-deploy', '198.51.100.0/24', 31, 38],
      ['checkout-task', '198.51.100.0/24', 33, 12],
      ['ldap-contractor-7', '192.0.2.0/24', 121, 61],
      ['jo.bauer@shop.example', '2001:db8:7::/48', 222, 7],
      ['etl@shop-prod-1.iam', '203.0.113.0/24', 700, 5]
    ] as const
  ).map(strange),
  ...(
    [
      ['dana.ortiz@shop.example', 200, 14],
      ['oidc-mika.larsen', 366, 9],
      ['jo.bauer@shop.example', 222, 7],
      ['sam.okafor@shop.example', 541, 22],
      ['oidc-mika.larsen', 703, 4]
    ] as const
  ).map(late),
  ...(
    [
      ['orders-task', 'prod/checkout/stripe', 88, 3],
      ['crm-api', 'hr-sql', 130, 12],
      ['hr-sync', 'crm-redis', 260, 2],
      ['kubernetes-fraud', 'secret/payments/hsm-pin', 333, 8],
      ['vision@shop-prod-1.iam', 'ads-api-key', 471, 1],
      ['sam.okafor@shop.example', 'ml-hf-token', 601, 2],
      ['oidc-mika.larsen', 'secret/platform/vpn', 811, 5],
      ['ci-deploy', 'prod/ledger/db', 34, 6]
    ] as const
  ).map(refused)
]

const evidence = (at: number, many: number): readonly string[] =>
  Array.from({ length: Math.min(many, 5) }, (_, n) => `${(at / 1000 + n).toString(16)}-4a1e-9c0d-${(n + 11) * 7919}`)

function sampleFinding({ signal, severity, ago, count = 1, title, why, compared, ...of }: SampleRow): Finding {
  const asked = SIGNALS.find(({ name }) => name === signal)
  if (!asked) throw new Error(`there is no signal ${signal}`)
  const who = of.identity === undefined ? undefined : identityNamed(of.identity)
  const what = of.secret === undefined ? undefined : secretNamed(of.secret)
  const where = what ?? SAMPLE_SECRETS.find(({ store }) => store === (who?.store ?? 'vault'))
  return finding(asked, {
    subject: {
      ...(who && { identity: who.identity, identityName: who.identityName }),
      ...(what && { secret: what.key, secretName: what.name }),
      ...(of.address && { address: of.address }),
      ...(of.policy && { policy: of.policy })
    },
    store: where?.store,
    account: where?.account,
    span: {
      first: hoursAgo(ago),
      last: hoursAgo(ago) + Math.min(count * 17, 3_599) * 1_000,
      count,
      evidence: [...evidence(hoursAgo(ago), count)]
    },
    title,
    why,
    severity,
    ...(compared && { compared })
  })
}

/** 40 findings: every signal, every severity. */
export const sampleFindings = (): readonly Finding[] => [...SAMPLE_ROWS, ...MORE].map(sampleFinding)
