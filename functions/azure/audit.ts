import type { TokenCredential } from '@azure/core-auth'
import * as v from 'valibot'
import { AUDIT_ENVIRONMENT } from '../../shared/audit/function-settings.ts'
import { listedLately } from '../../shared/audit/listed-lately.ts'
import { auditHostOf, placeSettings } from '../../shared/audit/place-settings.ts'
import type { AuditHost } from '../../shared/audit/run-audit.ts'
import type { NamedObject } from '../../shared/audit/wanted-logs.ts'
import type { Config } from '../../shared/config.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { readHostSettings } from '../../shared/host-settings.ts'
import { type Leave, nothingToEnd } from '../../shared/last-out.ts'
import type { Log } from '../../shared/log.ts'
import { notifyLate } from '../../shared/notifiers/notifiers.ts'
import { blobContainer } from '../../shared/objects/azure-blob.ts'
import { perKey } from '../../shared/per-key.ts'
import { type BlobPlace, blobPlaceIn } from './blob-places.ts'
import { tokenOf } from './compose.ts'
import { managedIdentity } from './credential.ts'
import { type AzureSettings, ENVIRONMENT as ROTATION_ENVIRONMENT, settingsOf } from './settings.ts'

/** What the audit works with on Azure. */
export interface AzureAudit {
  readonly config: Config
  readonly settings: AzureSettings
  /** For one invocation: its log is its own. */
  readonly host: (log: Log) => AuditHost
  /**
   * Undefined: a blob of an account that no setting names. Whoever can write an event could name any address, and the
   * identity's token goes there.
   */
  readonly blob: (at: BlobPlace) => NamedObject | undefined
  readonly enter: () => Leave
}

const ACCOUNT = 'https://myaccount.blob.core.windows.net'

const ENVIRONMENT = v.object({
  ...ROTATION_ENVIRONMENT.entries,
  KEYTURN_KEY_VAULT_URL: v.optional(ROTATION_ENVIRONMENT.entries.KEYTURN_KEY_VAULT_URL),
  ...AUDIT_ENVIRONMENT,
  ...placeSettings({
    placeIn: blobPlaceIn,
    examples: {
      state: `${ACCOUNT}/keyturn/audit.state`,
      logs: `${ACCOUNT}/insights-logs-auditevent/`,
      reports: `${ACCOUNT}/keyturn/reports/`
    },
    noun: 'a blob',
    more: ', without a SAS'
  }),
  // The host reads them (apps/summarize-audit.ts): azure-functions/functions-bindings-event-hubs-trigger, "Identity-based connections".
  KEYTURN_AUDIT_HUB__fullyQualifiedNamespace: v.optional(v.string()),
  KEYTURN_AUDIT_HUB__credential: v.optional(v.string()),
  KEYTURN_AUDIT_HUB__clientId: v.optional(v.string()),
  KEYTURN_AUDIT_HUB_NAME: v.optional(v.string()),
  KEYTURN_AUDIT_HUB_GROUP: v.optional(v.string())
})

type Environment = Readonly<Record<string, string | undefined>>

/** Half a hub would be one that nobody reads. */
const lacksHub = (given: Environment): readonly string[] =>
  (given.KEYTURN_AUDIT_HUB__fullyQualifiedNamespace === undefined) === (given.KEYTURN_AUDIT_HUB_NAME === undefined)
    ? []
    : ['KEYTURN_AUDIT_HUB__fullyQualifiedNamespace and KEYTURN_AUDIT_HUB_NAME must be set together']

/** Builds the adapters, once a process. Throws `invalid/config` with every problem of the environment. */
export async function composeAzureAudit(environment: Environment): Promise<AzureAudit> {
  const { config, given } = readHostSettings(ENVIRONMENT, environment, lacksHub)
  // No journal: nothing is written in a vault.
  const settings = settingsOf(given, undefined)
  if (!settings.identity) throw new KeyturnError('bug/internal', 'settings without an identity')
  const credential = managedIdentity(settings.identity)
  const token = tokenOf(credential)
  const container = perKey((containerUrl) => blobContainer({ containerUrl, credential }))
  const { KEYTURN_AUDIT_STATE: state, KEYTURN_AUDIT_LOGS: logs, KEYTURN_AUDIT_REPORTS: reports } = given
  const accounts = [state, logs, reports].flatMap((one) => one?.account ?? [])
  const { list, enter } = await storeOf(environment, settings, credential)
  const build = async () => (await import('./notifiers.ts')).azureNotifiers(config, token)
  const host: Omit<AuditHost, 'log'> = {
    ...auditHostOf(given, ({ containerUrl }) => container(containerUrl)),
    notify: notifyLate(config.channels, ['queue', 'eventgrid'], build),
    list: list && listedLately(list, Date.now)
  }
  return {
    ...{ config, settings, enter },
    host: (log) => ({ ...host, log }),
    blob: ({ account, containerUrl, name }) => (accounts.includes(account) ? { place: container(containerUrl), name } : undefined)
  }
}

interface Store extends Pick<AzureAudit, 'enter'> {
  /** Undefined: no store is named, and reports rest on the log alone. */
  readonly list: AuditHost['list']
}

async function storeOf(environment: Environment, { vaultUrl }: AzureSettings, credential: TokenCredential): Promise<Store> {
  if (environment.KEYTURN_STORE === 'vault') {
    // Its modules are run only here, as in compose.ts.
    const { openVault } = await import('../../shared/stores/vault-open.ts')
    const token = tokenOf(credential)
    const { listing, enter } = openVault(environment, { azureToken: token, jwt: token })
    return { list: listing, enter }
  }
  if (vaultUrl === undefined) return { list: undefined, enter: nothingToEnd }
  const { keyVaultListing } = await import('../../shared/stores/azure-listing.ts')
  return { list: keyVaultListing({ vaultUrl, credential }), enter: nothingToEnd }
}
