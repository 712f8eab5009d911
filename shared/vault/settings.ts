import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { hasCode, KeyturnError } from '../errors.ts'
import { durationSetting, type Setting, settingsIn } from '../setting.ts'
import { SecretText } from '../types.ts'
import type { ClientCertificate } from '../wire.ts'
import { vaultAddress } from './address.ts'
import type { VaultSettings } from './client.ts'
import { LOGINS, loginBy, type VaultPlatform } from './settings-login.ts'

const text = (name: string) => v.optional(v.pipe(v.string(), v.nonEmpty(`${name} must not be empty`)))

/** The environment. The names without KEYTURN are those of Vault's own command line (developer.hashicorp.com/vault/docs/commands). */
const ENVIRONMENT = v.object({
  VAULT_ADDR: v.string('VAULT_ADDR is required'),
  VAULT_NAMESPACE: text('VAULT_NAMESPACE'),
  VAULT_CACERT: text('VAULT_CACERT'),
  VAULT_CLIENT_CERT: text('VAULT_CLIENT_CERT'),
  VAULT_CLIENT_KEY: text('VAULT_CLIENT_KEY'),
  VAULT_TOKEN: text('VAULT_TOKEN'),
  KEYTURN_VAULT_LOGIN: v.optional(v.picklist(LOGINS, `KEYTURN_VAULT_LOGIN must be one of ${LOGINS.join(', ')}`), 'token'),
  KEYTURN_VAULT_MOUNT: v.optional(
    v.pipe(v.string(), v.regex(/^[\w.-]+(\/[\w.-]+)*$/, 'KEYTURN_VAULT_MOUNT must be the path of an auth mount, without auth/'))
  ),
  KEYTURN_VAULT_ROLE: text('KEYTURN_VAULT_ROLE'),
  KEYTURN_VAULT_ROLE_ID: text('KEYTURN_VAULT_ROLE_ID'),
  KEYTURN_VAULT_SECRET_ID: text('KEYTURN_VAULT_SECRET_ID'),
  KEYTURN_VAULT_SECRET_ID_FILE: text('KEYTURN_VAULT_SECRET_ID_FILE'),
  KEYTURN_VAULT_SECRET_ID_WRAPPED: v.optional(
    v.picklist(['true', 'false'], 'KEYTURN_VAULT_SECRET_ID_WRAPPED must be true or false'),
    'false'
  ),
  KEYTURN_VAULT_JWT: text('KEYTURN_VAULT_JWT'),
  KEYTURN_VAULT_JWT_FILE: text('KEYTURN_VAULT_JWT_FILE'),
  KEYTURN_VAULT_JWT_AUDIENCE: text('KEYTURN_VAULT_JWT_AUDIENCE'),
  KEYTURN_VAULT_AWS_REGION: text('KEYTURN_VAULT_AWS_REGION'),
  KEYTURN_VAULT_AWS_STS_ENDPOINT: text('KEYTURN_VAULT_AWS_STS_ENDPOINT'),
  KEYTURN_VAULT_AWS_SERVER_ID: text('KEYTURN_VAULT_AWS_SERVER_ID'),
  KEYTURN_VAULT_AZURE_RESOURCE: text('KEYTURN_VAULT_AZURE_RESOURCE'),
  KEYTURN_VAULT_AZURE_RESOURCE_ID: text('KEYTURN_VAULT_AZURE_RESOURCE_ID'),
  KEYTURN_VAULT_GCP_SERVICE_ACCOUNT: text('KEYTURN_VAULT_GCP_SERVICE_ACCOUNT'),
  KEYTURN_VAULT_KUBERNETES_TOKEN_FILE: text('KEYTURN_VAULT_KUBERNETES_TOKEN_FILE'),
  KEYTURN_VAULT_KV_MOUNT: v.optional(v.string(), 'secret'),
  KEYTURN_VAULT_PENDING_FOLDER: v.optional(v.string(), 'keyturn/pending'),
  KEYTURN_VAULT_REQUEST_TIMEOUT: durationSetting('KEYTURN_VAULT_REQUEST_TIMEOUT', '10s', '100ms', '5m')
})

type Variable = keyof typeof ENVIRONMENT.entries

const SAYS: Readonly<Record<Variable, string>> = {
  VAULT_ADDR: 'the address of Vault or OpenBao, https://…',
  VAULT_NAMESPACE: 'the namespace of the login and of the secrets',
  VAULT_CACERT: 'a file with the CA of the address, PEM; without it Node’s own store is asked',
  VAULT_CLIENT_CERT: 'a file with the client certificate, PEM, for the login cert',
  VAULT_CLIENT_KEY: 'a file with its key, PEM',
  VAULT_TOKEN: 'for the login token: a token of yours, which is used and never revoked',
  KEYTURN_VAULT_LOGIN: `how a token is got: ${LOGINS.join(', ')}`,
  KEYTURN_VAULT_MOUNT: 'where the auth method is mounted, without auth/; by default its own name',
  KEYTURN_VAULT_ROLE: 'the role to log in as: jwt, cert, aws, azure, gcp, kubernetes',
  KEYTURN_VAULT_ROLE_ID: 'approle: the role_id',
  KEYTURN_VAULT_SECRET_ID: 'approle: the secret_id; better a file',
  KEYTURN_VAULT_SECRET_ID_FILE: 'approle: a file with the secret_id',
  KEYTURN_VAULT_SECRET_ID_WRAPPED:
    'approle: whether it is a wrapping token that holds the secret_id; it opens once, so for one process alone',
  KEYTURN_VAULT_JWT: 'jwt: the JWT; better a file',
  KEYTURN_VAULT_JWT_FILE: 'jwt: a file with the JWT, read at each login',
  KEYTURN_VAULT_JWT_AUDIENCE: 'jwt: the audience of the identity token that the platform is asked for',
  KEYTURN_VAULT_AWS_REGION: 'aws: the region of STS that the mount names; by default AWS_REGION',
  KEYTURN_VAULT_AWS_STS_ENDPOINT: 'aws: another STS; https://sts.amazonaws.com for a mount without sts_endpoint',
  KEYTURN_VAULT_AWS_SERVER_ID: 'aws: the mount’s iam_server_id_header_value',
  KEYTURN_VAULT_AZURE_RESOURCE: 'azure: the mount’s resource; by default https://management.azure.com/',
  KEYTURN_VAULT_AZURE_RESOURCE_ID: 'azure: the full id of the function app, where the role binds more than the identity',
  KEYTURN_VAULT_GCP_SERVICE_ACCOUNT: 'gcp: the email of the service account',
  KEYTURN_VAULT_KUBERNETES_TOKEN_FILE: 'kubernetes: another file than the one that Kubernetes mounts',
  KEYTURN_VAULT_KV_MOUNT: 'where KV version 2 is mounted',
  KEYTURN_VAULT_PENDING_FOLDER: 'the folder below that mount in which a new value waits; whoever reads secrets need not read it',
  KEYTURN_VAULT_REQUEST_TIMEOUT: 'how long one request may take'
}

const VARIABLES = Object.keys(SAYS) as readonly Variable[]

/** Every variable there is, for the README. */
export const VAULT_SETTINGS: readonly Setting[] = settingsIn(ENVIRONMENT.entries, SAYS)

/** A client's settings, and where the secrets are. */
export interface VaultEnvironment extends VaultSettings {
  readonly mount: string
  readonly pendingFolder: string
}

/** Reads them from an environment. Throws `invalid/config` that lists all problems at once. */
export function readVaultSettings(environment: Env, platform: VaultPlatform = {}): VaultEnvironment {
  const given = Object.fromEntries(VARIABLES.map((name) => [name, environment[name] || undefined]))
  const parsed = v.safeParse(ENVIRONMENT, given)
  const problems = [...(parsed.issues ?? []).map((issue) => issue.message), ...unsuitable(environment)]
  const tried = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (e) {
      if (!hasCode(e, 'invalid/config')) throw e
      problems.push(e.message)
      return undefined
    }
  }
  if (given.VAULT_ADDR !== undefined) tried(() => vaultAddress(given.VAULT_ADDR ?? ''))
  const ca = tried(() => pem(given, 'VAULT_CACERT', 'CERTIFICATE'))
  const clientCertificate = tried(() => identityOf(given))
  const login = tried(() =>
    loginBy({ ...given, AWS_REGION: environment.AWS_REGION || undefined }, platformOf(environment, platform))
  )
  if (!parsed.success || problems.length > 0 || !login) throw new KeyturnError('invalid/config', problems.join('; '))
  return {
    address: parsed.output.VAULT_ADDR,
    namespace: parsed.output.VAULT_NAMESPACE,
    login,
    ca,
    clientCertificate,
    requestTimeoutMs: parsed.output.KEYTURN_VAULT_REQUEST_TIMEOUT,
    mount: parsed.output.KEYTURN_VAULT_KV_MOUNT,
    pendingFolder: parsed.output.KEYTURN_VAULT_PENDING_FOLDER
  }
}

type Env = Readonly<Record<string, string | undefined>>

/** Names that are misspelt, and one that the command line takes and keyturn does not. */
function unsuitable(environment: Env): readonly string[] {
  const misspelt = Object.keys(environment).filter((name) => name.startsWith('KEYTURN_VAULT_') && !(name in SAYS))
  const skipsVerify = /^(1|t|true)$/i.test(environment.VAULT_SKIP_VERIFY ?? '')
  return [
    ...misspelt.map((name) => `${name} is no setting of keyturn`),
    ...(skipsVerify ? ['VAULT_SKIP_VERIFY must not be set: TLS is always verified, give VAULT_CACERT'] : [])
  ]
}

/** A function on Lambda has its role's credentials in the environment, so that no SDK is needed to read them there. */
function platformOf(environment: Env, platform: VaultPlatform): VaultPlatform {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: session } = environment
  if (platform.awsCredentials || !accessKeyId || !secret) return platform
  const credentials = {
    accessKeyId,
    secretAccessKey: new SecretText(secret),
    ...(session && { sessionToken: new SecretText(session) })
  }
  return { ...platform, awsCredentials: async () => credentials }
}

function identityOf(given: Env): ClientCertificate | undefined {
  const [cert, key] = [pem(given, 'VAULT_CLIENT_CERT', 'CERTIFICATE'), pem(given, 'VAULT_CLIENT_KEY', 'PRIVATE KEY')]
  if (cert !== undefined && key !== undefined) return { cert, key: new SecretText(key) }
  if (cert !== undefined || key !== undefined || given.KEYTURN_VAULT_LOGIN === 'cert')
    throw new KeyturnError('invalid/config', 'VAULT_CLIENT_CERT and VAULT_CLIENT_KEY must be set, both of them')
  return undefined
}

function pem(given: Env, name: string, holds: string): string | undefined {
  const path = given[name]
  if (path === undefined) return undefined
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new KeyturnError('invalid/config', `${name}: ${path} cannot be read`)
  }
  if (text.includes(`${holds}-----`)) return text
  throw new KeyturnError('invalid/config', `${name}: ${path} holds no ${holds} in PEM`)
}
