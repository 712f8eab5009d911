import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { type Channel, channelsIn } from './channels.ts'
import { KeyturnError } from './errors.ts'
import { DEFAULT_PASSWORD_POLICY, type PasswordPolicy } from './password.ts'
import { durationSetting, type Setting, settingsIn } from './setting.ts'

/** Everything that a deployment may set, read once, here. Policy of one secret is in its metadata, not here. */
export interface Config {
  /** `trace`, `debug`, `info`, `warn`, `error`, `silent`. */
  readonly logLevel: string
  /** A file with CA certificates in PEM, for servers whose CA is neither Amazon's nor known to Node. */
  readonly caFile: string | undefined
  readonly connectTimeoutMs: number
  readonly statementTimeoutMs: number
  /** How long a reader endpoint may lag before a rotation is put off. */
  readonly replicaBoundMs: number
  readonly sweepConcurrency: number
  /** An endpoint of the secret store other than the region's own (VPC endpoint, test server). */
  readonly storeEndpoint: string | undefined
  readonly password: PasswordPolicy
  /** Hosts that a `restart` of the kind http may name. */
  readonly restartHosts: readonly string[]
  /** Undefined: nobody in a cluster is restarted. */
  readonly kubernetes: { readonly apiServer: string; readonly caFile: string; readonly tokenFile: string } | undefined
  /** A file with descriptions of providers beside the ready ones, JSON. */
  readonly providersFile: string | undefined
  /** Hosts of descriptions, and of restarts, whose addresses may be private. */
  readonly privateHosts: readonly string[]
  /** Another place for a host of a description: a gateway. */
  readonly providerEndpoints: Readonly<Record<string, string>>
  /** Where people are told what they must know at once. */
  readonly channels: readonly Channel[]
}

const whole = (name: string, min: number, max: number, fallback: number) =>
  v.optional(
    v.pipe(
      v.string(),
      v.check(
        (text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max,
        `${name} must be a whole number from ${min} to ${max}`
      ),
      v.transform(Number)
    ),
    String(fallback)
  )

const flag = (name: string, fallback: 'true' | 'false') =>
  v.optional(
    v.pipe(
      v.string(),
      v.toLowerCase(),
      v.picklist(['true', 'false'], `${name} must be true or false`),
      v.transform((text) => text === 'true')
    ),
    fallback
  )

const words = v.pipe(
  v.string(),
  v.transform((text) => text.split(/[\s,]+/).filter((part) => part !== ''))
)

const list = v.optional(words, '')

const pairs = (name: string) =>
  v.optional(
    v.pipe(
      words,
      v.check(
        (all) => all.every((part) => /^[^=]+=https?:\/\/[^=]+$/.test(part)),
        `${name} must read like api.example.com=https://gateway.example`
      ),
      v.transform((all) => Object.fromEntries(all.map((part) => part.split('=') as [string, string])))
    ),
    ''
  )

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

export const isLogLevel = (level: string): boolean => LOG_LEVELS.some((known) => known === level)

/**
 * The environment of a deployment. The names without KEYTURN_ are those of AWS's own rotation templates
 * (aws-samples/aws-secrets-manager-rotation-lambdas), so that a function that replaces one keeps its settings.
 */
const ENVIRONMENT = v.object({
  KEYTURN_LOG_LEVEL: v.optional(
    v.picklist(LOG_LEVELS, 'KEYTURN_LOG_LEVEL must be trace, debug, info, warn, error or silent'),
    'info'
  ),
  KEYTURN_CA_FILE: v.optional(v.pipe(v.string(), v.nonEmpty('KEYTURN_CA_FILE must be a path'))),
  KEYTURN_CONNECT_TIMEOUT: durationSetting('KEYTURN_CONNECT_TIMEOUT', '5s', '100ms', '5m'),
  KEYTURN_STATEMENT_TIMEOUT: durationSetting('KEYTURN_STATEMENT_TIMEOUT', '15s', '100ms', '15m'),
  KEYTURN_REPLICA_BOUND: durationSetting('KEYTURN_REPLICA_BOUND', '20s', '100ms', '15m'),
  KEYTURN_SWEEP_CONCURRENCY: whole('KEYTURN_SWEEP_CONCURRENCY', 1, 64, 4),
  SECRETS_MANAGER_ENDPOINT: v.optional(v.pipe(v.string(), v.url('SECRETS_MANAGER_ENDPOINT must be a URL'))),
  KEYTURN_PASSWORD_SYMBOLS: v.optional(v.string()),
  PASSWORD_LENGTH: whole('PASSWORD_LENGTH', 16, 256, 32),
  EXCLUDE_CHARACTERS: v.optional(v.string()),
  EXCLUDE_LOWERCASE: flag('EXCLUDE_LOWERCASE', 'false'),
  EXCLUDE_UPPERCASE: flag('EXCLUDE_UPPERCASE', 'false'),
  EXCLUDE_NUMBERS: flag('EXCLUDE_NUMBERS', 'false'),
  EXCLUDE_PUNCTUATION: flag('EXCLUDE_PUNCTUATION', 'false'),
  REQUIRE_EACH_INCLUDED_TYPE: flag('REQUIRE_EACH_INCLUDED_TYPE', 'true'),
  KEYTURN_RESTART_HOSTS: list,
  KEYTURN_KUBERNETES_URL: v.optional(v.pipe(v.string(), v.url('KEYTURN_KUBERNETES_URL must be a URL'))),
  KEYTURN_KUBERNETES_CA_FILE: v.optional(v.string(), '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt'),
  KEYTURN_KUBERNETES_TOKEN_FILE: v.optional(v.string(), '/var/run/secrets/kubernetes.io/serviceaccount/token'),
  KEYTURN_PROVIDERS_FILE: v.optional(v.pipe(v.string(), v.nonEmpty('KEYTURN_PROVIDERS_FILE must be a path'))),
  KEYTURN_PRIVATE_HOSTS: list,
  KEYTURN_PROVIDER_ENDPOINTS: pairs('KEYTURN_PROVIDER_ENDPOINTS'),
  KEYTURN_NOTIFY: list
})

type Variable = keyof typeof ENVIRONMENT.entries

const SAYS: Readonly<Record<Variable, string>> = {
  KEYTURN_LOG_LEVEL: 'trace, debug, info, warn, error or silent',
  KEYTURN_CA_FILE:
    'a file with the CA of your database servers, PEM, in place of Node’s own store; on AWS Amazon’s are known beside it',
  KEYTURN_CONNECT_TIMEOUT: 'how long one login may take',
  KEYTURN_STATEMENT_TIMEOUT: 'how long one statement may take',
  KEYTURN_REPLICA_BOUND: 'how far a reader endpoint may lag before a rotation is put off',
  KEYTURN_SWEEP_CONCURRENCY: 'how many secrets a sweep runs at once',
  SECRETS_MANAGER_ENDPOINT: 'an endpoint other than the region’s, such as a VPC endpoint',
  KEYTURN_PASSWORD_SYMBOLS: 'symbols that a password may have, for a server that demands one, such as `_.`',
  PASSWORD_LENGTH: 'characters of a new password',
  EXCLUDE_CHARACTERS: 'characters that a password must not have',
  EXCLUDE_LOWERCASE: 'no a-z',
  EXCLUDE_UPPERCASE: 'no A-Z',
  EXCLUDE_NUMBERS: 'no 0-9',
  EXCLUDE_PUNCTUATION: 'no symbols, whatever KEYTURN_PASSWORD_SYMBOLS says',
  REQUIRE_EACH_INCLUDED_TYPE: 'at least one character of each kind that is left',
  KEYTURN_RESTART_HOSTS: 'hosts that a `restart` of the kind `http:` may call, with spaces between',
  KEYTURN_KUBERNETES_URL: 'the API server of the cluster whose workloads a `restart` of the kind `k8s:` names',
  KEYTURN_KUBERNETES_CA_FILE: 'a file with its CA, PEM',
  KEYTURN_KUBERNETES_TOKEN_FILE: 'a file with a token that may patch them, read each time',
  KEYTURN_PROVIDERS_FILE: 'descriptions of providers for `http-api-key` beside the ready ones: a file, a JSON array',
  KEYTURN_PRIVATE_HOSTS: 'hosts of providers and restarts whose addresses may be private; others are refused there',
  KEYTURN_PROVIDER_ENDPOINTS: 'gateways in place of hosts of providers, `api.example.com=https://gateway.example`',
  KEYTURN_NOTIFY:
    'who is told what a person must know at once, with spaces between: `sns:<arn>`, `queue:<url>`, `eventgrid:<endpoint>`, `pubsub:projects/<project>/topics/<topic>`, `webhook:HOOK` and `slack:HOOK` for variables that hold a URL (and `HOOK_SECRET` what signs a webhook)'
}

const VARIABLES = Object.keys(SAYS) as readonly Variable[]

/** Every variable there is, for the README. */
export const SETTINGS: readonly Setting[] = settingsIn(ENVIRONMENT.entries, SAYS)

/**
 * Reads the settings from an environment. Throws `invalid/config` that lists all problems at once. `hosts`: names that the
 * host itself reads; any other KEYTURN_ name is a typing error.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>, hosts: readonly string[] = []): Config {
  const given = Object.fromEntries(VARIABLES.map((name) => [name, environment[name] || undefined]))
  const parsed = v.safeParse(ENVIRONMENT, given)
  const told = channelsIn(v.parse(list, given.KEYTURN_NOTIFY), environment)
  const known = [...VARIABLES, ...OURS, ...hosts, ...told.variables]
  const unknown = Object.keys(environment).filter((n) => n.startsWith('KEYTURN_') && !known.includes(n) && !isVaults(n))
  const problems = [
    ...(parsed.issues ?? []).map((i) => i.message),
    ...told.problems,
    ...unknown.map((name) => `${name} is no setting of keyturn`)
  ]
  if (!parsed.success || problems.length > 0) throw new KeyturnError('invalid/config', problems.join('; '))
  const e = parsed.output
  return {
    logLevel: e.KEYTURN_LOG_LEVEL,
    caFile: e.KEYTURN_CA_FILE,
    connectTimeoutMs: e.KEYTURN_CONNECT_TIMEOUT,
    statementTimeoutMs: e.KEYTURN_STATEMENT_TIMEOUT,
    replicaBoundMs: e.KEYTURN_REPLICA_BOUND,
    sweepConcurrency: e.KEYTURN_SWEEP_CONCURRENCY,
    storeEndpoint: e.SECRETS_MANAGER_ENDPOINT,
    password: {
      length: e.PASSWORD_LENGTH,
      exclude: e.EXCLUDE_CHARACTERS ?? DEFAULT_PASSWORD_POLICY.exclude,
      lower: !e.EXCLUDE_LOWERCASE,
      upper: !e.EXCLUDE_UPPERCASE,
      digits: !e.EXCLUDE_NUMBERS,
      symbols: e.EXCLUDE_PUNCTUATION ? '' : (e.KEYTURN_PASSWORD_SYMBOLS ?? DEFAULT_PASSWORD_POLICY.symbols),
      requireEach: e.REQUIRE_EACH_INCLUDED_TYPE
    },
    restartHosts: e.KEYTURN_RESTART_HOSTS,
    kubernetes:
      e.KEYTURN_KUBERNETES_URL === undefined
        ? undefined
        : {
            apiServer: e.KEYTURN_KUBERNETES_URL,
            caFile: e.KEYTURN_KUBERNETES_CA_FILE,
            tokenFile: e.KEYTURN_KUBERNETES_TOKEN_FILE
          },
    providersFile: e.KEYTURN_PROVIDERS_FILE,
    privateHosts: e.KEYTURN_PRIVATE_HOSTS,
    providerEndpoints: e.KEYTURN_PROVIDER_ENDPOINTS,
    channels: told.channels
  }
}

/** The CA certificates of KEYTURN_CA_FILE. Throws `invalid/config` where the file cannot be read. */
export const readCa = ({ caFile }: Config): string | undefined =>
  caFile === undefined ? undefined : readSettingFile('KEYTURN_CA_FILE', caFile)

/** The file that a setting names. Throws `invalid/config` where it cannot be read. */
export function readSettingFile(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new KeyturnError('invalid/config', `${name}: ${path} cannot be read`)
  }
}

/** shared/vault/settings.ts reads them, and refuses the unknown ones. */
const isVaults = (name: string): boolean => name.startsWith('KEYTURN_VAULT_')

/** Names that the tests and the command line read, not a deployment. */
const OURS = [
  'KEYTURN_REQUIRE_ALL',
  'KEYTURN_LEFT_OUT',
  'KEYTURN_MOTO_SERVER',
  'KEYTURN_AZURITE',
  'KEYTURN_PUBSUB_JAR',
  'KEYTURN_BAO',
  'KEYTURN_STORE',
  'KEYTURN_FOLDER'
]
