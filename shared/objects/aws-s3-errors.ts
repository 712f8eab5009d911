import { isAwsRegion } from '../aws-region.ts'
import { type Code, KeyturnError } from '../errors.ts'
import { entryOf } from '../table.ts'

/** The permission of each call (service-authorization, Actions for Amazon S3). */
const PERMISSIONS = { list: 's3:ListBucket', read: 's3:GetObject', write: 's3:PutObject' } as const
export type S3Act = keyof typeof PERMISSIONS

/** The one table from the codes of S3 (AmazonS3/latest/API/ErrorResponses.html) and of its SDK to keyturn's. */
const CODES: Readonly<Record<string, Code>> = {
  NoSuchBucket: 'not-found/archive',
  InvalidBucketName: 'not-found/archive',
  // The bucket lies in another region than the one that was asked.
  PermanentRedirect: 'not-found/archive',
  TemporaryRedirect: 'not-found/archive',
  AuthorizationHeaderMalformed: 'not-found/archive',
  IllegalLocationConstraintException: 'not-found/archive',
  NoSuchKey: 'not-found/object',
  KeyTooLongError: 'invalid/object',
  EntityTooLarge: 'invalid/object',
  // In an archive class, Glacier and the like.
  InvalidObjectState: 'invalid/object',
  // conditional-writes.html, "Conditional write behavior": 412 says that it is another state, 409 that another write came first.
  PreconditionFailed: 'conflict/object-changed',
  ConditionalRequestConflict: 'conflict/object-changed',
  OperationAborted: 'conflict/object-changed',
  AccessDenied: 'denied/archive',
  AllAccessDisabled: 'denied/archive',
  AccountProblem: 'denied/archive',
  ExpiredToken: 'denied/archive',
  InvalidAccessKeyId: 'denied/archive',
  InvalidPayer: 'denied/archive',
  InvalidSecurity: 'denied/archive',
  InvalidToken: 'denied/archive',
  NotSignedUp: 'denied/archive',
  SignatureDoesNotMatch: 'denied/archive',
  TokenRefreshRequired: 'denied/archive',
  CredentialsProviderError: 'denied/archive',
  SlowDown: 'throttled/archive',
  RequestLimitExceeded: 'throttled/archive',
  Throttling: 'throttled/archive',
  ThrottlingException: 'throttled/archive',
  TooManyRequests: 'throttled/archive',
  InternalError: 'unavailable/archive',
  RequestTimeout: 'unavailable/archive',
  RequestTimeTooSkewed: 'unavailable/archive',
  ServiceUnavailable: 'unavailable/archive',
  // Of the SDK's own (@smithy/node-http-handler).
  AbortError: 'unavailable/archive',
  TimeoutError: 'unavailable/archive',
  // A server that only looks like S3.
  NotImplemented: 'unsupported/store'
}

/** @param where `s3://bucket`, or an object in it. */
export function s3Error(e: unknown, act: S3Act, where: string): KeyturnError {
  if (e instanceof KeyturnError) return e
  const { code: errno, name, $metadata, $response } = e as SdkError
  const vendor = [errno, name].find((word) => typeof word === 'string') ?? 'unknown'
  // What KMS says of the object's key is passed on by S3 with these letters before it.
  const code = vendor.startsWith('KMS.') ? 'denied/archive' : (entryOf(CODES, vendor) ?? byStatus($metadata?.httpStatusCode))
  const region = $response?.headers?.['x-amz-bucket-region'] ?? ''
  return new KeyturnError(code, `${where}: ${saysOf(code, act, vendor, region)}`, vendor)
}

interface SdkError {
  /** Of Node's, where the connection failed. */
  readonly code?: unknown
  readonly name?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
}

function saysOf(code: Code, act: S3Act, vendor: string, region: string): string {
  if (code === 'denied/archive') return `AWS denied ${PERMISSIONS[act]}, or the use of the object’s KMS key (${vendor})`
  if (code === 'not-found/archive' && isAwsRegion(region)) return `the bucket lies in ${region}`
  if (vendor === 'InvalidObjectState') return 'it lies in an archive class; restore it first'
  return vendor
}

/**
 * An answer to HEAD has no code (API_HeadObject). No status at all is a connection that broke: ECONNRESET, ENOTFOUND … A 404
 * without S3's own word is somebody's in between.
 */
function byStatus(status: number | undefined): Code {
  if (status === 429 || status === 503) return 'throttled/archive'
  if (status === undefined || status >= 500 || status === 404) return 'unavailable/archive'
  if (status === 301 || status === 307) return 'not-found/archive'
  if (status === 412) return 'conflict/object-changed'
  return status === 401 || status === 403 ? 'denied/archive' : 'bug/internal'
}
