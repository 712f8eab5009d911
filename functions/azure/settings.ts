import * as v from 'valibot'
import type { Config } from '../../shared/config.ts'
import { readHostSettings, runLimit } from '../../shared/host-settings.ts'
import { isLoopback } from '../../shared/loopback.ts'
import type { Setting } from '../../shared/setting.ts'
import { SecretText } from '../../shared/types.ts'
import { DAILY, isSchedule } from './schedule.ts'

/** What a function app on Azure is told by its app settings and by its host, beside what every host reads. */
export interface AzureSettings {
  /** `https://<vault>.vault.azure.net`, as an origin. Undefined: the secrets are in HashiCorp Vault, or nobody asks for them. */
  readonly vaultUrl: string | undefined
  /** The blob container of leases and journal. Undefined only where vaultUrl is. */
  readonly journalUrl: string | undefined
  /** Undefined only where vaultUrl is. */
  readonly identity:
    | {
        readonly endpoint: string
        readonly header: SecretText
        /** Of a user-assigned identity; the system-assigned one where it is not given. */
        readonly clientId: string | undefined
      }
    | undefined
  /** App Service authentication stands in front: the platform writes the principal's headers, and nobody else can. */
  readonly easyAuth: boolean
  /** The app role that a caller has to have where easyAuth is on. */
  readonly role: string
  /** The services of a national cloud; undefined: the public one's. */
  readonly cloud: {
    readonly graph: string | undefined
    readonly login: string | undefined
    readonly arm: string | undefined
    /** With {account} in it. */
    readonly blob: string | undefined
  }
  /** How long one run may take. host.json's functionTimeout must not be shorter: the host ends the process then. */
  readonly runLimitMs: number
}

const url = (name: string, what: string, isRight: (url: URL) => boolean) =>
  v.pipe(
    v.string(`${name} must be set: ${what}`),
    v.check((text) => URL.canParse(text) && isRight(new URL(text)), `${name} must be ${what}`)
  )

/** Nothing that could be a credential (a SAS is a query), and TLS, wherever it is. */
export const isBare = ({ protocol, username, password, search, hash }: URL): boolean =>
  protocol === 'https:' && [username, password, search, hash].every((part) => part === '')

const isOrigin = (url: URL): boolean => isBare(url) && url.pathname === '/'
const isContainer = (url: URL): boolean => isBare(url) && /^\/.*[^/]\/?$/.test(url.pathname)

/** Without TLS to this machine alone: tokens go there. */
const service = (name: string) =>
  url(name, 'the https URL of the service in this cloud', (at) => at.protocol === 'https:' || isLoopback(at))

export const ENVIRONMENT = v.object({
  KEYTURN_STORE: v.optional(v.picklist(['azure', 'vault'], 'KEYTURN_STORE must be azure or vault'), 'azure'),
  KEYTURN_KEY_VAULT_URL: url('KEYTURN_KEY_VAULT_URL', 'the https URL of a vault, such as https://app.vault.azure.net', isOrigin),
  KEYTURN_JOURNAL_URL: v.optional(url('KEYTURN_JOURNAL_URL', 'the https URL of a blob container, without a SAS', isContainer)),
  AzureWebJobsStorage__blobServiceUri: v.optional(
    url('AzureWebJobsStorage__blobServiceUri', 'the https URL of a blob service', isBare)
  ),
  AzureWebJobsStorage__accountName: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[a-z0-9]{3,24}$/, 'AzureWebJobsStorage__accountName must be 3 to 24 lower-case letters and digits')
    )
  ),
  KEYTURN_ROLE: v.optional(v.string(), 'keyturn.rotate'),
  KEYTURN_SCHEDULE: v.optional(
    v.pipe(v.string(), v.check(isSchedule, 'KEYTURN_SCHEDULE must be an NCRONTAB expression of six fields, such as 0 17 3 * * *'))
  ),
  KEYTURN_GRAPH_URL: v.optional(service('KEYTURN_GRAPH_URL')),
  KEYTURN_LOGIN_URL: v.optional(service('KEYTURN_LOGIN_URL')),
  KEYTURN_ARM_URL: v.optional(service('KEYTURN_ARM_URL')),
  KEYTURN_BLOB_URL: v.optional(service('KEYTURN_BLOB_URL')),
  KEYTURN_RUN_LIMIT: runLimit('10m'),
  AZURE_CLIENT_ID: v.optional(v.pipe(v.string(), v.uuid('AZURE_CLIENT_ID must be the client id of a managed identity'))),
  IDENTITY_ENDPOINT: v.pipe(
    v.string('the function app has no managed identity: IDENTITY_ENDPOINT is not set'),
    v.check((text) => URL.canParse(text), 'IDENTITY_ENDPOINT must be a URL')
  ),
  IDENTITY_HEADER: v.string('the function app has no managed identity: IDENTITY_HEADER is not set'),
  WEBSITE_AUTH_ENABLED: v.optional(v.string(), 'False')
})

const { KEYTURN_KEY_VAULT_URL, IDENTITY_ENDPOINT, IDENTITY_HEADER } = ENVIRONMENT.entries

/** HashiCorp Vault's own settings are read by shared/vault/settings.ts; the identity is asked only by its login `azure`. */
const ENVIRONMENT_OF_VAULT = v.object({
  ...ENVIRONMENT.entries,
  KEYTURN_KEY_VAULT_URL: v.optional(KEYTURN_KEY_VAULT_URL),
  IDENTITY_ENDPOINT: v.optional(IDENTITY_ENDPOINT),
  IDENTITY_HEADER: v.optional(IDENTITY_HEADER)
})

type Environment = v.InferOutput<typeof ENVIRONMENT_OF_VAULT>

/** What a deployment may set on Azure beside shared/config.ts, for the README; the host sets the other variables itself. */
export const AZURE_SETTINGS: readonly Setting[] = [
  { name: 'KEYTURN_STORE', fallback: 'azure', says: 'azure, or `vault` for HashiCorp Vault or OpenBao' },
  { name: 'KEYTURN_KEY_VAULT_URL', fallback: '–', says: 'the vault, `https://<name>.vault.azure.net`' },
  {
    name: 'KEYTURN_JOURNAL_URL',
    fallback: 'container `keyturn` of the app’s own storage account',
    says: 'the blob container of leases and journal; the app’s identity reaches it'
  },
  { name: 'AZURE_CLIENT_ID', fallback: 'the system-assigned identity', says: 'the client id of a user-assigned identity' },
  {
    name: 'KEYTURN_ROLE',
    fallback: 'keyturn.rotate',
    says: 'the app role of who may ask over HTTP, with App Service authentication'
  },
  {
    name: 'KEYTURN_SCHEDULE',
    fallback: DAILY,
    says: 'when the sweep runs, NCRONTAB with seconds, UTC; often enough for every window'
  },
  { name: 'KEYTURN_GRAPH_URL', fallback: 'https://graph.microsoft.com', says: 'Microsoft Graph of another cloud' },
  { name: 'KEYTURN_LOGIN_URL', fallback: 'https://login.microsoftonline.com', says: 'where applications of that cloud log in' },
  { name: 'KEYTURN_ARM_URL', fallback: 'https://management.azure.com', says: 'Azure Resource Manager of another cloud' },
  {
    name: 'KEYTURN_BLOB_URL',
    fallback: 'https://{account}.blob.core.windows.net',
    says: 'the blob service of another cloud, with `{account}` for the account’s name'
  },
  {
    name: 'KEYTURN_RUN_LIMIT',
    fallback: '10m',
    says: 'how long one run may take; functionTimeout in host.json (30 minutes on Flex Consumption by itself) must be longer'
  }
]

/**
 * Reads the settings from an environment. Throws `invalid/config` that lists all problems at once, those of shared/config.ts
 * too; no value is quoted.
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): {
  readonly config: Config
  readonly settings: AzureSettings
} {
  const onVault = environment.KEYTURN_STORE === 'vault'
  const lacksJournal = (given: Given) =>
    onVault || journalOf(given) ? [] : ['KEYTURN_JOURNAL_URL must be set: AzureWebJobsStorage names no account by identity']
  const { config, given } = readHostSettings(onVault ? ENVIRONMENT_OF_VAULT : ENVIRONMENT, environment, lacksJournal)
  return { config, settings: settingsOf(given, journalOf(given)) }
}

type Given = Partial<
  Pick<Environment, 'KEYTURN_JOURNAL_URL' | 'AzureWebJobsStorage__blobServiceUri' | 'AzureWebJobsStorage__accountName'>
>

/**
 * The container of our own beside the host's: azure-functions/functions-reference, "Connecting to host storage with an
 * identity", gives the account by its name (public cloud) or by the URI of its blob service.
 */
function journalOf(given: Given): string | undefined {
  const { KEYTURN_JOURNAL_URL, AzureWebJobsStorage__blobServiceUri: service, AzureWebJobsStorage__accountName: account } = given
  const blobs = service ?? (account === undefined ? undefined : `https://${account}.blob.core.windows.net`)
  return KEYTURN_JOURNAL_URL ?? (blobs === undefined ? undefined : `${blobs.replace(/\/$/, '')}/keyturn`)
}

export const settingsOf = (e: Environment, journalUrl: string | undefined): AzureSettings => ({
  vaultUrl: e.KEYTURN_STORE === 'azure' && e.KEYTURN_KEY_VAULT_URL ? new URL(e.KEYTURN_KEY_VAULT_URL).origin : undefined,
  journalUrl: journalUrl?.replace(/\/$/, ''),
  identity:
    e.IDENTITY_ENDPOINT === undefined || e.IDENTITY_HEADER === undefined
      ? undefined
      : { endpoint: e.IDENTITY_ENDPOINT, header: new SecretText(e.IDENTITY_HEADER), clientId: e.AZURE_CLIENT_ID },
  // `True` where it is seen; taken in any case, because the other mistake would let in who has the key and no role.
  easyAuth: e.WEBSITE_AUTH_ENABLED.toLowerCase() === 'true',
  role: e.KEYTURN_ROLE,
  cloud: {
    graph: e.KEYTURN_GRAPH_URL,
    login: e.KEYTURN_LOGIN_URL,
    arm: e.KEYTURN_ARM_URL,
    blob: e.KEYTURN_BLOB_URL
  },
  runLimitMs: e.KEYTURN_RUN_LIMIT
})
