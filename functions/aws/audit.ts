import * as v from 'valibot'
import { AUDIT_ENVIRONMENT, auditSettingsOf } from '../../shared/audit/function-settings.ts'
import { listedLately } from '../../shared/audit/listed-lately.ts'
import type { AuditHost } from '../../shared/audit/run-audit.ts'
import type { NamedObject, Prefix } from '../../shared/audit/wanted-logs.ts'
import { readHostSettings } from '../../shared/host-settings.ts'
import { jsonLog } from '../../shared/log.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import { s3Bucket } from '../../shared/objects/aws-s3.ts'
import type { Objects } from '../../shared/ports/objects.ts'
import { awsPlace, type Place } from './compose.ts'

/** What the audit works with on AWS. */
export interface AwsAudit extends Pick<Place, 'takesSteps' | 'enter'> {
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
  KEYTURN_AUDIT_REPORTS: v.optional(place('KEYTURN_AUDIT_REPORTS', 's3://my-bucket/reports/'))
})

type Environment = Readonly<Record<string, string | undefined>>

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeAwsAudit(environment: Environment): Promise<AwsAudit> {
  const { config, given } = readHostSettings(ENVIRONMENT, environment, () => [])
  const bucket = buckets(environment.AWS_ENDPOINT_URL_S3 || undefined)
  const at = (url: string): NamedObject => {
    const [, name = '', key = ''] = S3.exec(url) ?? []
    return { place: bucket(name), name: key }
  }
  const below = (url: string | undefined): Prefix | undefined =>
    url === undefined ? undefined : { place: at(url).place, prefix: at(url).name }
  const reports = below(given.KEYTURN_AUDIT_REPORTS)
  const { store, takesSteps, enter } = await awsPlace(environment, config)
  const build = async () => (await import('./notifiers.ts')).awsNotifiers(environment, config)
  return {
    ...{ bucket, takesSteps, enter },
    host: {
      settings: auditSettingsOf(given),
      state: at(given.KEYTURN_AUDIT_STATE),
      logs: below(given.KEYTURN_AUDIT_LOGS),
      reports: reports && { ...reports, framework: given.KEYTURN_AUDIT_FRAMEWORK },
      notify: notifyLate(config.channels, ['sns'], build),
      notifyFrom: given.KEYTURN_NOTIFY_FROM,
      list: listedLately((signal) => store().list(signal), Date.now),
      log: jsonLog(config.logLevel),
      now: Date.now
    }
  }
}

/** One client a bucket. An endpoint is taken for a server that speaks S3: the bucket is in the path there. */
function buckets(endpoint: string | undefined): (name: string) => Objects {
  const known = new Map<string, Objects>()
  return (name) => {
    const bucket = known.get(name) ?? s3Bucket({ bucket: name, endpoint })
    known.set(name, bucket)
    return bucket
  }
}
