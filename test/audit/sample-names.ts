import type { StoreKind } from '../../shared/audit/event.ts'
import { HOUR_MS } from '../../shared/audit/hours.ts'
import type { Access } from '../../shared/audit/summary.ts'

/** Six weeks, from a Monday to a Monday. */
export const SAMPLE_FIRST = Date.UTC(2026, 5, 22)
export const SAMPLE_NOW = Date.UTC(2026, 7, 3, 6)

export const hoursAgo = (hours: number): number => SAMPLE_NOW - hours * HOUR_MS
export const daysAgo = (days: number): number => hoursAgo(days * 24)

/** Numbers in [0, 1), the same every time: mulberry32 (Tommy Ettinger, public domain). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export interface SampleSecret {
  readonly key: string
  readonly name: string
  readonly store: StoreKind
  readonly account: string
}

export type SampleIdentity = Pick<Access, 'identity' | 'identityName' | 'identityType'> & { readonly store: StoreKind }

const ACCOUNTS = { aws: '123456789012', azure: 'kv-shop-prod', gcp: 'shop-prod-1', vault: 'root' } as const

const NAMES: Readonly<Record<StoreKind, readonly string[]>> = {
  aws: [
    'prod/checkout/db',
    'prod/checkout/stripe',
    'prod/orders/db',
    'prod/orders/kafka',
    'prod/search/opensearch',
    'prod/identity/jwt-signing',
    'prod/identity/db',
    'prod/mail/sendgrid',
    'prod/media/cdn',
    'prod/ledger/db',
    'prod/ledger/sftp',
    'prod/partners/shopware',
    'staging/checkout/db',
    'staging/orders/db',
    'staging/identity/db',
    'ci/github-app',
    'ci/npm-publish',
    'ci/signing',
    'ops/pagerduty',
    'ops/grafana',
    'ops/backup-key',
    'legacy/erp/odbc',
    'legacy/fax-gateway',
    'canary/aws-root-backup'
  ],
  vault: [
    'secret/payments/db',
    'secret/payments/hsm-pin',
    'secret/payments/acquirer',
    'secret/fraud/db',
    'secret/fraud/maxmind',
    'secret/platform/registry',
    'secret/platform/dns',
    'secret/platform/vpn',
    'secret/data/warehouse',
    'secret/data/airflow',
    'secret/mobile/fcm',
    'secret/mobile/apns',
    'secret/old/jenkins',
    'database/creds/reporting'
  ],
  azure: [
    'crm-sql',
    'crm-graph-client',
    'crm-redis',
    'hr-sql',
    'hr-payroll-sftp',
    'hr-docusign',
    'bi-synapse',
    'bi-powerbi',
    'shop-storage',
    'shop-servicebus',
    'intranet-sql',
    'intranet-smtp'
  ],
  gcp: [
    'ads-api-key',
    'maps-key',
    'ml-registry',
    'ml-hf-token',
    'etl-bigquery',
    'etl-salesforce',
    'vision-db',
    'vision-webhook',
    'sandbox-openai',
    'sandbox-test'
  ]
}

export const SAMPLE_SECRETS: readonly SampleSecret[] = (['aws', 'vault', 'azure', 'gcp'] as const).flatMap((store) =>
  NAMES[store].map((name) => ({ key: `${store}:${ACCOUNTS[store]}/${name}`, name, store, account: ACCOUNTS[store] }))
)

export const secretNamed = (name: string): SampleSecret => {
  const found = SAMPLE_SECRETS.find((one) => one.name === name)
  if (!found) throw new Error(`the sample has no secret ${name}`)
  return found
}

const identity = (store: StoreKind, identityType: Access['identityType'], identityName: string): SampleIdentity => ({
  identity: store === 'aws' ? `aws:arn:aws:iam::${ACCOUNTS.aws}:role/${identityName}` : `${store}:entity/${identityName}`,
  identityName,
  identityType,
  store
})

export const SAMPLE_IDENTITIES: readonly SampleIdentity[] = [
  identity('aws', 'workload', 'checkout-task'),
  identity('aws', 'workload', 'orders-task'),
  identity('aws', 'workload', 'ci-deploy'),
  identity('aws', 'workload', 'ledger-batch'),
  identity('aws', 'person', 'dana.ortiz@shop.example'),
  identity('aws', 'person', 'root'),
  identity('aws', 'service', 'secretsmanager.amazonaws.com'),
  identity('vault', 'workload', 'approle-payments'),
  identity('vault', 'workload', 'kubernetes-fraud'),
  identity('vault', 'person', 'oidc-mika.larsen'),
  identity('vault', 'person', 'ldap-contractor-7'),
  identity('vault', 'unknown', 'token-reporting'),
  identity('azure', 'workload', 'crm-api'),
  identity('azure', 'workload', 'hr-sync'),
  identity('azure', 'person', 'jo.bauer@shop.example'),
  identity('gcp', 'workload', 'etl@shop-prod-1.iam'),
  identity('gcp', 'workload', 'vision@shop-prod-1.iam'),
  identity('gcp', 'person', 'sam.okafor@shop.example')
]

export const identityNamed = (name: string): SampleIdentity => {
  const found = SAMPLE_IDENTITIES.find((one) => one.identityName === name)
  if (!found) throw new Error(`the sample has no identity ${name}`)
  return found
}
