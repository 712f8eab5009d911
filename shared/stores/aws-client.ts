import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { AwsCredentials } from '../aws-signature.ts'
import { type Code, KeyturnError } from '../errors.ts'
import { type SecretId, SecretText } from '../types.ts'

export interface SecretsManagerSettings {
  /** Default: the environment's (AWS_REGION). */
  readonly region?: string
  /** For a VPC endpoint of one's own, or a test. */
  readonly endpoint?: string
  /** How often one call is sent at most. Default 4. */
  readonly maxAttempts?: number
  /** How long one attempt may take. Default 3 s: a call that takes longer is lost. */
  readonly requestTimeoutMs?: number
}

/**
 * The SDK's own standard retry: jitter and a growing pause, for throttling, 5xx and broken connections. Blind repeats
 * are safe here; why is said at each call of aws-calls.ts. Credentials come from the environment, as the SDK does it.
 */
export function secretsManagerClient(settings: SecretsManagerSettings = {}): SecretsManagerClient {
  const { region, endpoint, maxAttempts = 4, requestTimeoutMs = 3_000 } = settings
  return new SecretsManagerClient({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    maxAttempts,
    retryMode: 'standard',
    // @smithy/types, NodeHttpHandlerOptions: requestTimeout alone only warns.
    requestHandler: { connectionTimeout: 1_000, requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true }
  })
}

/** The process's own, by the SDK's chain, for a call that no SDK makes. */
export async function ownCredentials(): Promise<AwsCredentials> {
  const { accessKeyId, secretAccessKey, sessionToken } = await secretsManagerClient().config.credentials()
  return {
    accessKeyId,
    secretAccessKey: new SecretText(secretAccessKey),
    sessionToken: sessionToken === undefined ? undefined : new SecretText(sessionToken)
  }
}

/** The one table from the SDK's error names (API reference, Errors and CommonErrors) to keyturn's codes. */
const NAMES: Readonly<Record<string, Code>> = {
  ResourceNotFoundException: 'not-found/secret',
  ResourceExistsException: 'conflict/token-spent',
  InvalidParameterException: 'invalid/request',
  ValidationException: 'invalid/request',
  InvalidRequestException: 'unsupported/store',
  PreconditionNotMetException: 'unsupported/store',
  AccessDeniedException: 'denied/store',
  AccessDenied: 'denied/store',
  NotAuthorized: 'denied/store',
  UnrecognizedClientException: 'denied/store',
  InvalidClientTokenId: 'denied/store',
  InvalidSignatureException: 'denied/store',
  IncompleteSignature: 'denied/store',
  MissingAuthenticationToken: 'denied/store',
  ExpiredTokenException: 'denied/store',
  OptInRequired: 'denied/store',
  CredentialsProviderError: 'denied/store',
  DecryptionFailure: 'denied/key',
  EncryptionFailure: 'denied/key',
  ThrottlingException: 'throttled/store',
  Throttling: 'throttled/store',
  TooManyRequestsException: 'throttled/store',
  RequestLimitExceeded: 'throttled/store',
  // reference_limits.html: versions a secret, labels a secret. A person cannot shorten the wait.
  LimitExceededException: 'throttled/versions',
  InternalServiceError: 'unavailable/store',
  InternalFailure: 'unavailable/store',
  ServiceUnavailable: 'unavailable/store',
  AbortError: 'unavailable/store',
  TimeoutError: 'unavailable/store'
}

const SAYS: { readonly [C in Code]?: (op: string) => string } = {
  'denied/store': (op) => `AWS denied secretsmanager:${op} (or kms:Decrypt or kms:GenerateDataKey on the secret’s key)`,
  'denied/key': (op) => `secretsmanager:${op}: the secret’s KMS key cannot be used`,
  'throttled/versions': (op) => `secretsmanager:${op}: the quota of versions or labels of the secret is reached`,
  'unavailable/store': (op) => `secretsmanager:${op}: no answer, or none that tells`
}

export function vendorError(e: unknown, op: string, id: SecretId): KeyturnError {
  if (e instanceof KeyturnError) return e
  const { name, $metadata } = e as { name?: unknown; $metadata?: { httpStatusCode?: number } }
  const vendor = typeof name === 'string' ? name : 'unknown'
  const code = NAMES[vendor] ?? byStatus($metadata?.httpStatusCode)
  return new KeyturnError(code, `${SAYS[code]?.(op) ?? `secretsmanager:${op}: ${vendor}`}, for ${id}`, vendor)
}

/** For names that AWS adds later. No status at all is a connection that broke: ECONNRESET, EPIPE, ENOTFOUND … */
function byStatus(status: number | undefined): Code {
  if (status === undefined || status >= 500) return 'unavailable/store'
  if (status === 429) return 'throttled/store'
  return status === 401 || status === 403 ? 'denied/store' : 'bug/internal'
}
