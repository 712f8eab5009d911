import * as v from 'valibot'
import { AUDIT_ENVIRONMENT } from '../../shared/audit/function-settings.ts'
import { listedLately } from '../../shared/audit/listed-lately.ts'
import { auditHostOf, bucketPlaceIn, placeSettings } from '../../shared/audit/place-settings.ts'
import type { AuditHost } from '../../shared/audit/run-audit.ts'
import { readHostSettings } from '../../shared/host-settings.ts'
import { jsonLog } from '../../shared/log.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import { s3Bucket } from '../../shared/objects/aws-s3.ts'
import { perKey } from '../../shared/per-key.ts'
import type { Objects } from '../../shared/ports/objects.ts'
import { awsPlace, type Place } from './compose.ts'

/** What the audit works with on AWS. */
export interface AwsAudit extends Pick<Place, 'takesSteps' | 'enter'> {
  readonly host: AuditHost
  readonly bucket: (name: string) => Objects
}

const S3 = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/

const ENVIRONMENT = v.object({
  ...AUDIT_ENVIRONMENT,
  ...placeSettings({
    placeIn: bucketPlaceIn(S3),
    examples: {
      state: 's3://my-bucket/keyturn/audit.state',
      logs: 's3://my-logs/AWSLogs/123456789012/CloudTrail/',
      reports: 's3://my-bucket/reports/'
    },
    noun: 'an object'
  })
})

type Environment = Readonly<Record<string, string | undefined>>

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeAwsAudit(environment: Environment): Promise<AwsAudit> {
  const { config, given } = readHostSettings(ENVIRONMENT, environment, () => [])
  // An endpoint is taken for a server that speaks S3: the bucket is in the path there.
  const endpoint = environment.AWS_ENDPOINT_URL_S3 || undefined
  const bucket = perKey((name) => s3Bucket({ bucket: name, endpoint }))
  const { store, takesSteps, enter } = await awsPlace(environment, config)
  const build = async () => (await import('./notifiers.ts')).awsNotifiers(environment, config)
  return {
    ...{ bucket, takesSteps, enter },
    host: {
      ...auditHostOf(given, ({ bucket: of }) => bucket(of)),
      notify: notifyLate(config.channels, ['sns'], build),
      list: listedLately((signal) => store().list(signal), Date.now),
      log: jsonLog(config.logLevel)
    }
  }
}
