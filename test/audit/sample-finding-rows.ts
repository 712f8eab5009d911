import type { Severity } from '../../shared/audit/finding.ts'
import { type Found, minute } from '../../shared/audit/findings.ts'
import { hoursAgo } from './sample-names.ts'

/** Who, what and when of a row; the words are those of the signals. */
export interface SampleRow {
  readonly signal: string
  readonly severity: Severity
  readonly ago: number
  readonly count?: number
  readonly identity?: string
  readonly secret?: string
  readonly address?: string
  readonly policy?: string
  readonly title: string
  readonly why: string
  readonly compared?: Found['compared']
}

/** What is seen once in six weeks. */
export const SAMPLE_ROWS: readonly SampleRow[] = [
  {
    signal: 'mass-retrieval',
    severity: 'critical',
    ago: 31,
    count: 38,
    identity: 'ci-deploy',
    title: 'ci-deploy read 34 different secrets within ten minutes',
    why: `From ${minute(hoursAgo(31))} on it read 34 different secrets in 38 calls; in such a time it usually reads 3.`,
    compared: { observed: 34, usual: 3, unit: 'secrets in 10 minutes' }
  },
  {
    signal: 'decoy-read',
    severity: 'critical',
    ago: 31,
    identity: 'ci-deploy',
    secret: 'canary/aws-root-backup',
    title: 'ci-deploy touched the decoy canary/aws-root-backup',
    why: 'GetSecretValue was answered; no program uses this secret.'
  },
  {
    signal: 'failed-logins',
    severity: 'critical',
    ago: 77,
    count: 26,
    address: '203.0.113.77',
    title: '26 logins from 203.0.113.77 failed within ten minutes',
    why: `26 failed from ${minute(hoursAgo(77))} on, for 9 different accounts; a login from there was taken at ${minute(hoursAgo(76))}.`,
    compared: { observed: 26, usual: undefined, unit: 'failed logins in 10 minutes' }
  },
  {
    signal: 'audit-disabled',
    severity: 'critical',
    ago: 30,
    identity: 'ci-deploy',
    policy: 'trail/org-audit',
    title: 'ci-deploy made the log less: StopLogging',
    why: 'StopLogging of trail/org-audit took effect; after it not everything is logged.'
  },
  {
    signal: 'policy-public',
    severity: 'critical',
    ago: 200,
    identity: 'dana.ortiz@shop.example',
    secret: 'prod/partners/shopware',
    title: 'dana.ortiz@shop.example opened prod/partners/shopware to others',
    why: 'PutResourcePolicy lets in everybody, or another account, and nothing in it narrows that.'
  },
  {
    signal: 'source-silent',
    severity: 'high',
    ago: 30,
    title: 'nothing was heard of vault root since 2026-08-01 18:40 UTC',
    why: 'Its longest pause was 3 h since 2026-06-22 00:04 UTC; now it is silent for 35 h.',
    compared: { observed: 127_200, usual: 10_800, unit: 's' }
  },
  {
    signal: 'compute-outside',
    severity: 'high',
    ago: 33,
    count: 12,
    identity: 'checkout-task',
    address: '198.51.100.23',
    title: 'checkout-task, which runs on compute, was used from 198.51.100.23',
    why: `It is known since 2026-06-22 00:10 UTC and never called from 198.51.100.0/24 before; 12 calls came from there from ${minute(hoursAgo(33))} on.`
  },
  {
    signal: 'root-used',
    severity: 'high',
    ago: 412,
    count: 2,
    identity: 'root',
    secret: 'ops/backup-key',
    title: 'root acted as root: GetSecretValue of ops/backup-key',
    why: 'Seen 2 times. Nothing limits root, and it is nobody’s own name.'
  },
  {
    signal: 'unrecoverable-deletion',
    severity: 'high',
    ago: 29,
    identity: 'ci-deploy',
    secret: 'ci/signing',
    title: 'ci-deploy deleted ci/signing for good',
    why: 'DeleteSecret, 1 of them, with no way back.'
  },
  {
    signal: 'long-ttl',
    severity: 'high',
    ago: 505,
    identity: 'token-reporting',
    title: 'auth/token gave token-reporting a token that never ends',
    why: 'The longest of 1 lives until it is revoked; more than 24 h is long.',
    compared: { observed: Number.POSITIVE_INFINITY, usual: 3_600, unit: 's' }
  },
  {
    signal: 'denied',
    severity: 'high',
    ago: 120,
    count: 61,
    identity: 'ldap-contractor-7',
    title: 'ldap-contractor-7 was refused 61 times, for 22 different things',
    why: '61 calls for 22 different things were denied; some of these secrets it had read before.'
  },
  {
    signal: 'list-then-read',
    severity: 'medium',
    ago: 32,
    count: 9,
    identity: 'ci-deploy',
    title: 'ci-deploy listed secrets and read 9 of them',
    why: `It listed at ${minute(hoursAgo(32))} and read 9 different secrets by ${minute(hoursAgo(31))}.`,
    compared: { observed: 9, usual: undefined, unit: 'secrets after a list' }
  },
  {
    signal: 'batch-by-filter',
    severity: 'medium',
    ago: 270,
    count: 4,
    identity: 'ledger-batch',
    title: 'ledger-batch fetched secrets by a filter, 4 times',
    why: 'A filter gives whatever matches, up to all that the caller may read; a program that needs a secret knows its name.'
  },
  {
    signal: 'same-address-two-stores',
    severity: 'medium',
    ago: 31,
    count: 44,
    address: '198.51.100.23',
    title: '198.51.100.23 read secrets in aws and vault',
    why: `It read in aws 38 times since ${minute(hoursAgo(31))}, and in vault 6 times since ${minute(hoursAgo(30))}.`
  },
  {
    signal: 'old-version-read',
    severity: 'medium',
    ago: 640,
    count: 3,
    identity: 'hr-sync',
    secret: 'hr-payroll-sftp',
    title: 'hr-sync asked for an old version of hr-payroll-sftp',
    why: 'SecretGet, 3 of them, named a version by itself or a secret that is deleted, and got it.'
  }
]
