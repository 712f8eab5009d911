import * as v from 'valibot'
import { AUDIT_ENVIRONMENT, auditSettingsOf } from '../../shared/audit/function-settings.ts'
import { listedLately } from '../../shared/audit/listed-lately.ts'
import type { AuditHost } from '../../shared/audit/run-audit.ts'
import { readHostSettings } from '../../shared/host-settings.ts'
import { nothingToEnd } from '../../shared/last-out.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import { storageBucket } from '../../shared/objects/gcp-storage.ts'
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

const place = (name: string, example: string) =>
  v.pipe(v.string(`${name} must be set, and read like ${example}`), v.regex(GS, `${name} must read like ${example}`))

const ENVIRONMENT = v.object({
  ...ROTATION_ENVIRONMENT.entries,
  CLOUD_STORAGE_ENDPOINT: endpointSetting('CLOUD_STORAGE_ENDPOINT', 'https://storage.googleapis.com'),
  ...AUDIT_ENVIRONMENT,
  KEYTURN_AUDIT_STATE: v.pipe(
    place('KEYTURN_AUDIT_STATE', 'gs://my-bucket/keyturn/audit.state'),
    v.check((text) => !/\/$|^gs:\/\/[^/]+$/.test(text), 'KEYTURN_AUDIT_STATE must name an object')
  ),
  KEYTURN_AUDIT_LOGS: v.optional(place('KEYTURN_AUDIT_LOGS', 'gs://my-logs/cloudaudit.googleapis.com/')),
  KEYTURN_AUDIT_REPORTS: v.optional(place('KEYTURN_AUDIT_REPORTS', 'gs://my-bucket/reports/'))
})

type Environment = Readonly<Record<string, string | undefined>>

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeGcpAudit(environment: Environment): Promise<GcpAudit> {
  const { config, given } = readHostSettings(ENVIRONMENT, environment, lacksCallers)
  const settings = settingsOf(given)
  const account = serviceAccount()
  const bucket = buckets(account, given.CLOUD_STORAGE_ENDPOINT)
  const at = (url: string): { readonly place: Objects; readonly name: string } => {
    const [, name = '', object = ''] = GS.exec(url) ?? []
    return { place: bucket(name), name: object }
  }
  const below = (url: string | undefined) => url && { place: at(url).place, prefix: at(url).name }
  const reports = below(given.KEYTURN_AUDIT_REPORTS)
  const { list, enter } = await storeOf(environment, settings, account)
  const log = severityLog(config.logLevel)
  const build = async () => (await import('./notifiers.ts')).gcpNotifiers(config, settings, account)
  return {
    ...{ settings, log, bucket, enter },
    callers: settings.callers && callerCheck(settings.callers),
    host: {
      settings: auditSettingsOf(given),
      state: at(given.KEYTURN_AUDIT_STATE),
      logs: below(given.KEYTURN_AUDIT_LOGS) || undefined,
      reports: reports ? { ...reports, framework: given.KEYTURN_AUDIT_FRAMEWORK } : undefined,
      notify: notifyLate(config.channels, ['pubsub'], build),
      notifyFrom: given.KEYTURN_NOTIFY_FROM,
      list: listedLately(list, Date.now),
      log,
      now: Date.now
    }
  }
}

/** One client a bucket. */
function buckets({ authorize }: ServiceAccount, endpoint: string | undefined): (name: string) => Objects {
  const known = new Map<string, Objects>()
  return (name) => {
    const bucket = known.get(name) ?? storageBucket({ bucket: name, endpoint, authorize })
    known.set(name, bucket)
    return bucket
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
