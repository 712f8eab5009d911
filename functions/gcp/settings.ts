import * as v from 'valibot'
import type { Config } from '../../shared/config.ts'
import { readHostSettings, runLimit } from '../../shared/host-settings.ts'
import { isLoopback } from '../../shared/loopback.ts'
import type { Setting } from '../../shared/setting.ts'

/** Who may ask over HTTP. */
export interface CallerSettings {
  /** What a token must have been made for: the function's URL, or one of its custom audiences. */
  readonly audience: string
  /** E-mail addresses, in lower case. */
  readonly emails: readonly string[]
  /** Cloud Run's IAM check stands in front, and takes the signature off the token that it has checked. */
  readonly iamInFront: boolean
}

/** What a function on Google Cloud is told by its environment, beside what every host reads. */
export interface GcpSettings {
  readonly store: 'gcp' | 'vault'
  /** Id or number of the project that the secrets are in; undefined: the function's own. */
  readonly project: string | undefined
  /** Of regional secrets; undefined: global ones. */
  readonly location: string | undefined
  readonly endpoint: string | undefined
  /** Other places of Google's services, such as ones of Private Service Connect; undefined: Google's own. */
  readonly endpoints: {
    readonly iam: string | undefined
    readonly token: string | undefined
    readonly policyAnalyzer: string | undefined
    readonly apiKeys: string | undefined
    readonly run: string | undefined
    readonly pubsub: string | undefined
    /** What an API key is asked with: a GET of an API that takes keys. */
    readonly verifyUrl: string | undefined
  }
  /** Undefined: this function takes no HTTP. */
  readonly callers: CallerSettings | undefined
  /** How long one run may take, by the setting and by the function's own timeout. */
  readonly runLimitMs: number
}

/** Without TLS to this machine alone: an access token goes there. */
function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHere = url?.protocol === 'http:' && isLoopback(url)
  return url !== undefined && (url.protocol === 'https:' || isHere) && url.href === `${url.origin}/`
}

export const endpointSetting = (name: string, example = 'https://iam.googleapis.com') =>
  v.optional(v.pipe(v.string(), v.check(isEndpoint, `${name} must read like ${example}, without a path`)))

const emails = v.pipe(
  v.string(),
  v.transform((text) => text.split(',').map((email) => email.trim().toLowerCase())),
  v.check(
    (list) => list.every((email) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)),
    'KEYTURN_CALLERS must be e-mail addresses, with commas between them'
  )
)

export const ENVIRONMENT = v.object({
  // functions-framework answers with the message of what was thrown in every other environment (logger.ts).
  NODE_ENV: v.literal('production', 'NODE_ENV must be production'),
  KEYTURN_STORE: v.optional(v.picklist(['gcp', 'vault'], 'KEYTURN_STORE must be gcp or vault'), 'gcp'),
  GOOGLE_CLOUD_PROJECT: v.optional(
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9.:-]*$/, 'GOOGLE_CLOUD_PROJECT must be the id or the number of a project'))
  ),
  KEYTURN_LOCATION: v.optional(
    v.pipe(v.string(), v.regex(/^[a-z]+-[a-z]+[0-9]+$/, 'KEYTURN_LOCATION must be a location, such as europe-west1'))
  ),
  SECRET_MANAGER_ENDPOINT: endpointSetting('SECRET_MANAGER_ENDPOINT', 'https://secretmanager.googleapis.com'),
  IAM_ENDPOINT: endpointSetting('IAM_ENDPOINT'),
  OAUTH2_ENDPOINT: endpointSetting('OAUTH2_ENDPOINT'),
  POLICY_ANALYZER_ENDPOINT: endpointSetting('POLICY_ANALYZER_ENDPOINT'),
  API_KEYS_ENDPOINT: endpointSetting('API_KEYS_ENDPOINT'),
  CLOUD_RUN_ENDPOINT: endpointSetting('CLOUD_RUN_ENDPOINT'),
  PUBSUB_ENDPOINT: endpointSetting('PUBSUB_ENDPOINT'),
  KEYTURN_API_KEY_VERIFY_URL: v.optional(v.pipe(v.string(), v.url('KEYTURN_API_KEY_VERIFY_URL must be a URL'))),
  KEYTURN_AUDIENCE: v.optional(v.string()),
  KEYTURN_CALLERS: v.optional(emails),
  KEYTURN_IAM_IN_FRONT: v.optional(
    v.pipe(v.string(), v.toLowerCase(), v.picklist(['true', 'false'], 'KEYTURN_IAM_IN_FRONT must be true or false')),
    'false'
  ),
  KEYTURN_RUN_LIMIT: runLimit('9m'),
  CLOUD_RUN_TIMEOUT_SECONDS: v.optional(
    v.pipe(
      v.string(),
      v.check(
        (text) => /^\d{1,5}$/.test(text) && Number(text) >= 60,
        'the timeout of the function (CLOUD_RUN_TIMEOUT_SECONDS) must be a minute at least'
      ),
      v.transform(Number)
    )
  )
})

type Environment = v.InferOutput<typeof ENVIRONMENT>

/** What a deployment may set on Google Cloud beside shared/config.ts, for the README. */
export const GCP_SETTINGS: readonly Setting[] = [
  { name: 'KEYTURN_STORE', fallback: 'gcp', says: 'gcp, or `vault` for HashiCorp Vault or OpenBao' },
  {
    name: 'GOOGLE_CLOUD_PROJECT',
    fallback: 'the function’s own',
    says: 'the project of the secrets; by its number where it is not the function’s own'
  },
  { name: 'KEYTURN_LOCATION', fallback: '–', says: 'the location of regional secrets; global ones without it' },
  {
    name: 'SECRET_MANAGER_ENDPOINT',
    fallback: 'Google’s, or the location’s',
    says: 'another endpoint, such as one of Private Service Connect'
  },
  { name: 'IAM_ENDPOINT', fallback: 'Google’s', says: 'the same for service-account keys' },
  { name: 'OAUTH2_ENDPOINT', fallback: 'Google’s', says: 'where a service-account key is verified' },
  { name: 'POLICY_ANALYZER_ENDPOINT', fallback: 'Google’s', says: 'which tells when a service-account key was used' },
  { name: 'API_KEYS_ENDPOINT', fallback: 'Google’s', says: 'the same for API keys' },
  { name: 'CLOUD_RUN_ENDPOINT', fallback: 'Google’s', says: 'the same for a `restart` of the kind `run:`' },
  { name: 'PUBSUB_ENDPOINT', fallback: 'Google’s', says: 'the same for `pubsub:` in `KEYTURN_NOTIFY`' },
  {
    name: 'KEYTURN_API_KEY_VERIFY_URL',
    fallback: 'the languages of Cloud Translation',
    says: 'what a `gcp-api-key` is verified with: a GET of an API on googleapis.com that takes keys'
  },
  { name: 'KEYTURN_AUDIENCE', fallback: '–', says: 'what ID tokens are made for: the function’s URL. Required for HTTP' },
  {
    name: 'KEYTURN_CALLERS',
    fallback: '–',
    says: 'e-mail addresses of who may ask over HTTP, such as the Scheduler job’s service account. Required for HTTP'
  },
  {
    name: 'KEYTURN_IAM_IN_FRONT',
    fallback: 'false',
    says: '`true` where only principals with `roles/run.invoker` get through to the function: Cloud Run takes the signature off the tokens that it has checked, and they are taken without it'
  },
  {
    name: 'KEYTURN_RUN_LIMIT',
    fallback: '9m',
    says: 'how long one run may take; the function’s own timeout, where that is shorter'
  }
]

/**
 * Reads the settings from an environment. Throws `invalid/config` that lists all problems at once, those of shared/config.ts
 * too; no value is quoted.
 */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): {
  readonly config: Config
  readonly settings: GcpSettings
} {
  const { config, given } = readHostSettings(ENVIRONMENT, environment, lacksCallers)
  return { config, settings: settingsOf(given) }
}

export const lacksCallers = ({ KEYTURN_AUDIENCE, KEYTURN_CALLERS }: Readonly<Record<string, string | undefined>>) =>
  (KEYTURN_AUDIENCE === undefined) === (KEYTURN_CALLERS === undefined)
    ? []
    : ['KEYTURN_AUDIENCE and KEYTURN_CALLERS must be set together']

export const settingsOf = (e: Environment): GcpSettings => ({
  store: e.KEYTURN_STORE,
  project: e.GOOGLE_CLOUD_PROJECT,
  location: e.KEYTURN_LOCATION,
  endpoint: e.SECRET_MANAGER_ENDPOINT,
  endpoints: {
    iam: e.IAM_ENDPOINT,
    token: e.OAUTH2_ENDPOINT,
    policyAnalyzer: e.POLICY_ANALYZER_ENDPOINT,
    apiKeys: e.API_KEYS_ENDPOINT,
    run: e.CLOUD_RUN_ENDPOINT,
    pubsub: e.PUBSUB_ENDPOINT,
    verifyUrl: e.KEYTURN_API_KEY_VERIFY_URL
  },
  callers: callersOf(e),
  // After its timeout a function goes on with next to no processor, unheard (functions/docs/configuring/timeout).
  runLimitMs: Math.min(e.KEYTURN_RUN_LIMIT, (e.CLOUD_RUN_TIMEOUT_SECONDS ?? Number.POSITIVE_INFINITY) * 1000)
})

const callersOf = (e: Environment): CallerSettings | undefined =>
  e.KEYTURN_AUDIENCE === undefined || e.KEYTURN_CALLERS === undefined
    ? undefined
    : { audience: e.KEYTURN_AUDIENCE, emails: e.KEYTURN_CALLERS, iamInFront: e.KEYTURN_IAM_IN_FRONT === 'true' }
