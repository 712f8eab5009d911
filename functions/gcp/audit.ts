import * as v from 'valibot'
import { AUDIT_ENVIRONMENT } from '../../shared/audit/function-settings.ts'
import { listedLately } from '../../shared/audit/listed-lately.ts'
import { auditHostOf, bucketPlaceIn, placeSettings } from '../../shared/audit/place-settings.ts'
import type { AuditHost } from '../../shared/audit/run-audit.ts'
import { readHostSettings } from '../../shared/host-settings.ts'
import { nothingToEnd } from '../../shared/last-out.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import { storageBucket } from '../../shared/objects/gcp-storage.ts'
import { perKey } from '../../shared/per-key.ts'
import type { Objects } from '../../shared/ports/objects.ts'
import type { Gcp } from './compose.ts'
import { severityLog } from './log.ts'
import { callerCheck } from './oidc.ts'
import { type ServiceAccount, serviceAccount } from './service-account.ts'
import { endpointSetting, type GcpSettings, lacksCallers, ENVIRONMENT as ROTATION_ENVIRONMENT, settingsOf } from './settings.ts'

/** What the audit works with on Google Cloud. */
export interface GcpAudit extends Pick<Gcp, 'settings' | 'log' | 'callers' | 'enter'> {
  readonly host: AuditHost
  readonly bucket: (name: string) => Objects
}

/** storage/docs/buckets, "Bucket names"; then what names of objects begin with. */
const GS = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:\/(.*))?$/

const ENVIRONMENT = v.object({
  ...ROTATION_ENVIRONMENT.entries,
  CLOUD_STORAGE_ENDPOINT: endpointSetting('CLOUD_STORAGE_ENDPOINT', 'https://storage.googleapis.com'),
  ...AUDIT_ENVIRONMENT,
  ...placeSettings({
    placeIn: bucketPlaceIn(GS),
    examples: {
      state: 'gs://my-bucket/keyturn/audit.state',
      logs: 'gs://my-logs/cloudaudit.googleapis.com/',
      reports: 'gs://my-bucket/reports/'
    },
    noun: 'an object'
  })
})

type Environment = Readonly<Record<string, string | undefined>>

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeGcpAudit(environment: Environment): Promise<GcpAudit> {
  const { config, given } = readHostSettings(ENVIRONMENT, environment, lacksCallers)
  const settings = settingsOf(given)
  const account = serviceAccount()
  const [{ authorize }, endpoint] = [account, given.CLOUD_STORAGE_ENDPOINT]
  const bucket = perKey((name) => storageBucket({ bucket: name, endpoint, authorize }))
  const { list, enter } = await storeOf(environment, settings, account)
  const log = severityLog(config.logLevel)
  const build = async () => (await import('./notifiers.ts')).gcpNotifiers(config, settings, account)
  return {
    ...{ settings, log, bucket, enter },
    callers: settings.callers && callerCheck(settings.callers),
    host: {
      ...auditHostOf(given, ({ bucket: of }) => bucket(of)),
      notify: notifyLate(config.channels, ['pubsub'], build),
      list: listedLately(list, Date.now),
      log
    }
  }
}

interface Store extends Pick<Gcp, 'enter'> {
  readonly list: NonNullable<AuditHost['list']>
}

async function storeOf(environment: Environment, settings: GcpSettings, account: ServiceAccount): Promise<Store> {
  if (settings.store === 'vault') {
    // Its modules are run only here, as in compose.ts.
    const { openVault } = await import('../../shared/stores/vault-open.ts')
    const { listing, enter } = openVault(environment, { jwt: account.idToken, googleAccessToken: account.accessToken })
    return { list: listing, enter }
  }
  const { location, endpoint } = settings
  return {
    enter: nothingToEnd,
    list: async function* (signal) {
      const { secretManagerListing } = await import('../../shared/stores/gcp-listing.ts')
      const project = settings.project ?? (await account.projectId())
      yield* secretManagerListing({ project, location, endpoint, authorize: account.authorize })(signal)
    }
  }
}
