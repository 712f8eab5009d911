import { awsEndpoint } from '../aws-region.ts'
import { type AwsCredentials, signedHeaders } from '../aws-signature.ts'
import { KeyturnError } from '../errors.ts'
import { loginPath, tokenOf, type VaultLogin } from './login.ts'

export interface AwsLoginSettings {
  /** Undefined: Vault takes the role that is named like the IAM principal. */
  readonly role?: string | undefined
  /** The region of STS that the mount's sts_endpoint and sts_region name. */
  readonly region: string
  /** Default: STS of the region. `https://sts.amazonaws.com` for a mount without sts_endpoint, signed for us-east-1. */
  readonly stsEndpoint?: string | undefined
  /** X-Vault-AWS-IAM-Server-ID, as the mount's iam_server_id_header_value has it: keeps the proof from being used elsewhere. */
  readonly serverId?: string | undefined
  readonly credentials: (signal: AbortSignal) => Promise<AwsCredentials>
  /** Default `aws`. */
  readonly mount?: string | undefined
}

const BODY = 'Action=GetCallerIdentity&Version=2011-06-15'
const GLOBAL_ENDPOINT = 'https://sts.amazonaws.com'

/**
 * Vault's AWS login of the type iam: a signed sts:GetCallerIdentity that Vault sends on
 * (developer.hashicorp.com/vault/docs/auth/aws, "IAM auth method"; api-docs/auth/aws, "Login"). Throws `invalid/config`.
 */
export function awsLogin(settings: AwsLoginSettings): VaultLogin {
  const { role, mount = 'aws' } = settings
  const endpoint = endpointOf(settings)
  return {
    name: 'aws',
    login: async (post, signal) => {
      const credentials = await settings.credentials(signal)
      const headers = await signed(endpoint, settings, credentials)
      const body = {
        ...(role !== undefined && { role }),
        iam_http_request_method: 'POST',
        iam_request_url: base64(endpoint.href),
        iam_request_body: base64(BODY),
        // A list a header, as Go's http.Header is written; Vault before 0.8 takes nothing else.
        iam_request_headers: base64(JSON.stringify(Object.fromEntries(headers.map(([name, value]) => [name, [value]]))))
      }
      return tokenOf(await post({ path: loginPath(mount), body }, signal), 'aws')
    }
  }
}

/** Every header that is signed goes along; Vault lets through only those of AWS's that it knows (allowed_sts_header_values). */
function signed({ origin, host, pathname: path }: URL, settings: AwsLoginSettings, credentials: AwsCredentials) {
  const { serverId } = settings
  const region = origin === GLOBAL_ENDPOINT ? 'us-east-1' : settings.region
  const headers = serverId === undefined ? {} : { 'X-Vault-AWS-IAM-Server-ID': serverId }
  return signedHeaders({ service: 'sts', region, host, path, body: BODY, headers }, credentials)
}

/** docs.aws.amazon.com/general/latest/gr/sts.html: regional endpoints, those of China under a name of their own. */
function endpointOf({ region, stsEndpoint }: AwsLoginSettings): URL {
  const ofRegion = awsEndpoint('sts', region)
  const text = stsEndpoint ?? ofRegion
  if (!URL.canParse(text) || !/^https:\/\/[^/@?#]+\/?$/.test(text))
    throw new KeyturnError('invalid/config', 'the STS endpoint of the Vault login aws must be https:// and a host')
  return new URL(text)
}

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
