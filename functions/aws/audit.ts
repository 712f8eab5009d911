import * as v from 'valibot'
import { AUDIT_ENVIRONMENT, auditSettingsOf } from '../../shared/audit/function-settings.ts'
import type { AuditHost } from '../../shared/audit/run-audit.ts'
import type { Config } from '../../shared/config.ts'
import { readHostSettings } from '../../shared/host-settings.ts'
import { jsonLog } from '../../shared/log.ts'
import { s3Bucket } from '../../shared/objects/aws-s3.ts'
import type { Objects } from '../../shared/ports/objects.ts'
import { awsPlace } from './compose.ts'

/** What the audit works with on AWS. */
export interface AwsAudit {
  readonly config: Config
  readonly host: AuditHost
  readonly bucket: (name: string) => Objects
}

const S3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/

const place = (name: string, example: string) =>
  v.pipe(v.string(`${name} must be set, and read like ${example}`), v.regex(S3, `${name} must read like ${example}`))

const ENVIRONMENT = v.object({
  ...AUDIT_ENVIRONMENT,
  KEYTURN_AUDIT_STATE: v.pipe(
    place('KEYTURN_AUDIT_STATE', 's3://my-bucket/keyturn/audit.state'),
    v.check((text) => !/\/$|^s3:\/\/[^/]+$/.test(text), 'KEYTURN_AUDIT_STATE must name an object')
  ),
  KEYTURN_AUDIT_LOGS: v.optional(place('KEYTURN_AUDIT_LOGS', 's3://my-logs/AWSLogs/123456789012/CloudTrail/')),
  KEYTURN_AUDIT_REPORTS: v.optional(place('KEYTURN_AUDIT_REPORTS', 's3://my-bucket/reports/')),
  KEYTURN_S3_ENDPOINT: v.optional(v.pipe(v.string(), v.url('KEYTURN_S3_ENDPOINT must be a URL')))
})

type Environment = Readonly<Record<string, string | undefined>>

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeAwsAudit(environment: Environment): Promise<AwsAudit> {
  const { config, given } = readHostSettings(ENVIRONMENT, environment, () => [])
  const buckets = new Map<string, Objects>()
  const bucket = (name: string): Objects => {
    const known = buckets.get(name) ?? s3Bucket({ bucket: name, endpoint: given.KEYTURN_S3_ENDPOINT })
    buckets.set(name, known)
    return known
  }
  const at = (url: string): { readonly place: Objects; readonly name: string } => {
    const [, name = '', key = ''] = S3.exec(url) ?? []
    return { place: bucket(name), name: key }
  }
  const { KEYTURN_AUDIT_LOGS: logs, KEYTURN_AUDIT_REPORTS: reports, KEYTURN_AUDIT_FRAMEWORK: framework } = given
  const logsAt = logs === undefined ? undefined : at(logs)
  const reportsAt = reports === undefined ? undefined : at(reports)
  const { store } = await awsPlace(environment, config)
  return {
    config,
    bucket,
    host: {
      settings: auditSettingsOf(given),
      state: at(given.KEYTURN_AUDIT_STATE),
      logs: logsAt && { place: logsAt.place, prefix: logsAt.name },
      reports:
        reportsAt &&
        (async (summary, signal) => {
          const { writeReports } = await import('../../shared/audit/write-reports.ts')
          await writeReports({ place: reportsAt.place, prefix: reportsAt.name, framework }, summary, signal)
        }),
      notifiers: [],
      notifyFrom: given.KEYTURN_NOTIFY_FROM,
      list: (signal) => store().list(signal),
      log: jsonLog(config.logLevel),
      now: Date.now
    }
  }
}
