import type { AwsCredentials } from '../aws-signature.ts'
import { KeyturnError } from '../errors.ts'
import { SecretText } from '../types.ts'
import { fileText, type SecretSource, type VaultLogin } from './login.ts'
import { appRoleLogin } from './login-approle.ts'
import { awsLogin } from './login-aws.ts'
import { azureLogin } from './login-azure.ts'
import { certLogin } from './login-cert.ts'
import { gcpLogin, iamSigner } from './login-gcp.ts'
import { jwtLogin } from './login-jwt.ts'
import { kubernetesLogin } from './login-kubernetes.ts'
import { tokenLogin } from './login-token.ts'

/**
 * What a host's platform can prove by itself. The host passes it in, because each function carries its own cloud's SDK
 * and no other.
 */
export interface VaultPlatform {
  /** An identity token for the audience: Google's metadata server, a federation token. */
  readonly jwt?: (audience: string, signal: AbortSignal) => Promise<SecretText>
  readonly awsCredentials?: (signal: AbortSignal) => Promise<AwsCredentials>
  /** A managed identity's access token for the resource. */
  readonly azureToken?: (resource: string, signal: AbortSignal) => Promise<SecretText>
  /** An access token of the function's service account, for cloud-platform. */
  readonly googleAccessToken?: (signal: AbortSignal) => Promise<SecretText>
}

export const LOGINS = ['approle', 'jwt', 'cert', 'aws', 'azure', 'gcp', 'kubernetes', 'token'] as const
type LoginName = (typeof LOGINS)[number]

type Env = Readonly<Record<string, string | undefined>>

/** What a login is made from, and the list of what is missing. */
interface Wanted {
  readonly optional: (name: string) => string | undefined
  readonly required: (name: string) => string
  readonly lacks: (problem: string) => void
  readonly mount: string | undefined
  readonly platform: VaultPlatform
}

/** A login is made after everything that it lacks was said. */
type Maker = (wanted: Wanted) => (() => VaultLogin) | undefined

/** The login that KEYTURN_VAULT_LOGIN names. Throws `invalid/config` with all that it lacks; a name that is none is left to whoever checks names. */
export function loginBy(given: Env, platform: VaultPlatform): VaultLogin | undefined {
  const name = LOGINS.find((login) => login === (given.KEYTURN_VAULT_LOGIN ?? 'token'))
  if (name === undefined) return undefined
  const problems: string[] = []
  const lacks = (problem: string): void => void problems.push(problem)
  const make = MAKERS[name]({
    optional: (variable) => given[variable],
    required: (variable) => {
      if (given[variable] === undefined) lacks(`${variable} is required for the Vault login ${name}`)
      return given[variable] ?? ''
    },
    lacks,
    mount: given.KEYTURN_VAULT_MOUNT,
    platform
  })
  if (problems.length > 0 || !make) throw new KeyturnError('invalid/config', problems.join('; '))
  return make()
}

const MAKERS: Readonly<Record<LoginName, Maker>> = {
  token: ({ required }) => {
    const token = required('VAULT_TOKEN').trim()
    return () => tokenLogin(new SecretText(token))
  },
  approle: ({ required, optional, mount }) => {
    const roleId = required('KEYTURN_VAULT_ROLE_ID')
    const secretId = textOrFile(optional, 'KEYTURN_VAULT_SECRET_ID')
    const isWrapped = optional('KEYTURN_VAULT_SECRET_ID_WRAPPED') === 'true'
    return () => appRoleLogin({ roleId, secretId, isWrapped, mount })
  },
  jwt: ({ optional, lacks, mount, platform }) => {
    const given = textOrFile(optional, 'KEYTURN_VAULT_JWT')
    const [audience, ask] = [optional('KEYTURN_VAULT_JWT_AUDIENCE'), platform.jwt]
    const jwt: SecretSource | undefined = given ?? (ask && audience !== undefined ? (signal) => ask(audience, signal) : undefined)
    if (jwt) return () => jwtLogin({ role: optional('KEYTURN_VAULT_ROLE'), jwt, mount })
    const others = ask ? ' or KEYTURN_VAULT_JWT_AUDIENCE' : ''
    lacks(`KEYTURN_VAULT_JWT_FILE, KEYTURN_VAULT_JWT${others} is required for the Vault login jwt`)
    return undefined
  },
  cert:
    ({ optional, mount }) =>
    () =>
      certLogin({ role: optional('KEYTURN_VAULT_ROLE'), mount }),
  kubernetes: ({ required, optional, mount }) => {
    const role = required('KEYTURN_VAULT_ROLE')
    return () => kubernetesLogin({ role, tokenFile: optional('KEYTURN_VAULT_KUBERNETES_TOKEN_FILE'), mount })
  },
  aws: ({ required, optional, lacks, mount, platform }) => {
    const region = optional('KEYTURN_VAULT_AWS_REGION') ?? optional('AWS_REGION') ?? required('KEYTURN_VAULT_AWS_REGION')
    const { awsCredentials: credentials } = platform
    if (!credentials) lacks('the Vault login aws needs AWS credentials, and there are none')
    const [role, stsEndpoint] = [optional('KEYTURN_VAULT_ROLE'), optional('KEYTURN_VAULT_AWS_STS_ENDPOINT')]
    const serverId = optional('KEYTURN_VAULT_AWS_SERVER_ID')
    return credentials ? () => awsLogin({ role, region, stsEndpoint, serverId, credentials, mount }) : undefined
  },
  azure: ({ required, optional, lacks, mount, platform }) => {
    const role = required('KEYTURN_VAULT_ROLE')
    const { azureToken: token } = platform
    if (!token) lacks('the Vault login azure needs a managed identity, and this host has none')
    const [resource, resourceId] = [optional('KEYTURN_VAULT_AZURE_RESOURCE'), optional('KEYTURN_VAULT_AZURE_RESOURCE_ID')]
    return token ? () => azureLogin({ role, token, resource, resourceId, mount }) : undefined
  },
  gcp: ({ required, lacks, mount, platform }) => {
    const [role, serviceAccount] = [required('KEYTURN_VAULT_ROLE'), required('KEYTURN_VAULT_GCP_SERVICE_ACCOUNT')]
    const { googleAccessToken: accessToken } = platform
    if (!accessToken) lacks('the Vault login gcp needs a Google service account, and this host has none')
    return accessToken
      ? () => gcpLogin({ role, serviceAccount, sign: iamSigner({ serviceAccount, accessToken }), mount })
      : undefined
  }
}

/** NAME holds the text, or NAME_FILE names the file that does. */
function textOrFile(optional: Wanted['optional'], name: string): SecretSource | undefined {
  const [file, text] = [optional(`${name}_FILE`), optional(name)]
  if (file !== undefined) return fileText(file)
  return text === undefined ? undefined : async () => new SecretText(text.trim())
}
