/**
 * What the double of AWS Secrets Manager keeps, and the rules about names, versions and staging labels. Pages are named by
 * their file: API_* in the API reference, the others in the user guide. The type of an error is what callers may rely on:
 * the reference gives no message texts, so those here are AWS's as far as people have quoted them, and else our own.
 */

export type Input = Readonly<Record<string, unknown>>
/** As on the wire: SecretBinary is base64. */
export type Value = { readonly SecretString: string } | { readonly SecretBinary: string }
export interface Tag {
  readonly Key: string
  readonly Value: string
}
export interface Replica {
  readonly Region: string
  readonly Status: 'InProgress' | 'InSync' | 'Failed'
  readonly StatusMessage?: string
}

export interface Version {
  readonly id: string
  readonly createdAt: number
  readonly labels: Set<string>
  /** Undefined: registered by RotateSecret, not written yet. */
  value: Value | undefined
  accessedAt?: number
}

export interface Rotation {
  enabled: boolean
  lambdaArn?: string | undefined
  rules?: Input | undefined
  lastRotatedAt?: number
  /** From when the schedule counts. */
  countsFrom: number
}

export interface Secret {
  readonly name: string
  readonly arn: string
  readonly createdAt: number
  readonly versions: Map<string, Version>
  readonly tags: Map<string, string>
  changedAt: number
  description?: string | undefined
  kmsKeyId?: string | undefined
  type?: string | undefined
  owningService?: string | undefined
  accessedAt?: number
  /** When the recovery window ends. */
  deletedAt?: number | undefined
  rotation?: Rotation
  replicas: readonly Replica[]
}

export interface Account {
  readonly region: string
  readonly now: () => number
  readonly secrets: Map<string, Secret>
}

export type Operation = (account: Account, input: Input) => object

const VENDOR = Symbol('vendor error')
export type VendorError = Error & { readonly [VENDOR]: string }
export const vendorError = (type: string, message: string): VendorError => Object.assign(new Error(message), { [VENDOR]: type })
export const vendorType = (e: unknown): string | undefined =>
  e instanceof Error && VENDOR in e ? (e as VendorError)[VENDOR] : undefined
export const invalidParameter = (message: string): VendorError => vendorError('InvalidParameterException', message)
export const invalidRequest = (message: string): VendorError => vendorError('InvalidRequestException', message)
export const notFound = (message: string): VendorError => vendorError('ResourceNotFoundException', message)
/** CommonErrors, "ValidationError": a declared constraint (length, count, pattern) of a member is broken. */
export const invalidMember = (member: string, constraint: string): VendorError =>
  vendorError(
    'ValidationException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must ${constraint}`
  )

export function text(input: Input, key: string): string | undefined {
  const value = input[key]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw vendorError('SerializationException', `${key} must be a string`)
  return value
}

export function list(input: Input, key: string): readonly unknown[] | undefined {
  const value = input[key]
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value)) throw vendorError('SerializationException', `${key} must be a list`)
  return value
}

export function required(input: Input, key: string): string {
  const value = text(input, key)
  if (value === undefined || value === '') throw invalidMember(key, 'not be null')
  return value
}

/**
 * API_CreateSecret, ClientRequestToken: a raw request must bring one, of 32 to 64 characters.
 */
export function requestToken(input: Input): string {
  const token = text(input, 'ClientRequestToken')
  if (token === undefined) throw invalidParameter('You must provide a ClientRequestToken value. We recommend a UUID-type value.')
  if (token.length < 32 || token.length > 64) throw invalidParameter('ClientRequestToken must be 32-64 characters long.')
  return token
}

/** Epoch seconds with a fraction: how AWS JSON 1.1 writes a timestamp. */
export const seconds = (ms: number): number => ms / 1000
/** API_SecretVersionsListEntry, LastAccessedDate: "at the date level and does not include the time". */
export const dateOnly = (ms: number): number => seconds(ms - (ms % 86_400_000))

/**
 * troubleshoot.html#ARN_secretnamehyphen, "Finding a secret from a partial ARN": the ARN without the hyphen and the six
 * characters at its end also names a secret.
 */
export function lookUp(account: Account, id: string): Secret | undefined {
  const found = [...account.secrets.values()].find((s) => s.name === id || s.arn === id || s.arn.slice(0, -7) === id)
  // API_DeleteSecret: after the recovery window the secret and all of its versions are gone.
  if (found?.deletedAt === undefined || found.deletedAt > account.now()) return found
  account.secrets.delete(found.name)
  return undefined
}

/** Also one that is scheduled for deletion: DescribeSecret, DeleteSecret and RestoreSecret take those. */
export function findAny(account: Account, input: Input): Secret {
  const secret = lookUp(account, required(input, 'SecretId'))
  if (!secret) throw notFound("Secrets Manager can't find the specified secret.")
  return secret
}

/** API_GetSecretValue and the others, InvalidRequestException: "The secret is scheduled for deletion." */
export function find(account: Account, input: Input): Secret {
  const secret = findAny(account, input)
  if (secret.deletedAt !== undefined) {
    throw invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
  }
  return secret
}

/** API_PutSecretValue, InvalidRequestException: "The secret is managed by another service". */
export function findOwn(account: Account, input: Input): Secret {
  const secret = find(account, input)
  if (secret.owningService !== undefined) {
    throw invalidRequest('The secret is managed by another service, and you must use that service to update it.')
  }
  return secret
}

export const changed = (account: Account, secret: Secret): void => {
  secret.changedAt = account.now()
}

export const holderOf = (secret: Secret, label: string): Version | undefined =>
  [...secret.versions.values()].find((v) => v.labels.has(label))

/**
 * Takes a label off a version. API_UpdateSecretVersionStage: a version without labels is deprecated; it keeps its value
 * for a while. A version that never had a value is only a label (API_DescribeSecret, "creates an AWSPENDING version ID
 * before creating the new secret version"), so nothing of it stays.
 */
export function detach(secret: Secret, version: Version, label: string): void {
  version.labels.delete(label)
  if (version.labels.size === 0 && version.value === undefined) secret.versions.delete(version.id)
}

/**
 * API_UpdateSecretVersionStage: "Each staging label can be attached to only one version"; AWSPREVIOUS follows
 * AWSCURRENT.
 */
export function attach(secret: Secret, version: Version, label: string): void {
  const before = holderOf(secret, label)
  version.labels.add(label)
  if (!before || before === version) return
  before.labels.delete(label)
  if (label === 'AWSCURRENT') attach(secret, before, 'AWSPREVIOUS')
  if (before.labels.size === 0 && before.value === undefined) secret.versions.delete(before.id)
}

/** reference_limits.html: "Staging labels attached across all versions of a secret: 20". */
export function checkLabels(secret: Secret, added: readonly string[]): void {
  for (const label of added)
    if (label.length < 1 || label.length > 256) throw invalidMember('versionStages', 'have length 1 to 256')
  const held = [...secret.versions.values()].flatMap((v) => [...v.labels])
  if (new Set([...held, ...added]).size > 20) {
    throw vendorError('LimitExceededException', 'You have exceeded the quota of 20 staging labels attached to a secret.')
  }
}

const DAY_MS = 86_400_000

/**
 * reference_limits.html: unlabeled versions are removed "when there are more than 100", but not "versions created less
 * than 24 hours ago"; who writes faster reaches the quota.
 */
export function makeRoom(account: Account, secret: Secret): void {
  for (const version of secret.versions.values()) {
    if (secret.versions.size < 100) return
    if (version.labels.size === 0 && account.now() - version.createdAt >= DAY_MS) secret.versions.delete(version.id)
  }
  if (secret.versions.size >= 100) {
    throw vendorError('LimitExceededException', 'The operation failed because the secret has reached its quota of versions.')
  }
}
