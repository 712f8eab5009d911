import { nextRotation } from './secrets-manager-rotation.ts'
import {
  type Account,
  changed,
  dateOnly,
  find,
  findAny,
  findOwn,
  type Input,
  invalidMember,
  invalidParameter,
  invalidRequest,
  list,
  lookUp,
  type Operation,
  required,
  type Secret,
  seconds,
  type Tag,
  text,
  vendorError
} from './secrets-manager-state.ts'

/**
 * API_Tag: key 1–128, value 0–256 characters; API_TagResource: at most 50 a secret, no `aws:` prefix, letters,
 * spaces, numbers and `+ - = . _ : / @`.
 */
export function checkTags(held: Map<string, string>, tags: readonly unknown[]): Map<string, string> {
  const merged = new Map(held)
  for (const tag of tags as readonly Tag[]) {
    const value = tag.Value ?? ''
    if (typeof tag.Key !== 'string' || tag.Key.length < 1 || tag.Key.length > 128)
      throw invalidMember('tags', 'have keys of length 1 to 128')
    if (value.length > 256) throw invalidMember('tags', 'have values of length 0 to 256')
    if (/^aws:/i.test(tag.Key)) throw invalidParameter('Tag keys that start with aws: are reserved for AWS use.')
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(tag.Key + value))
      throw invalidParameter('A tag holds a character that is not allowed.')
    merged.set(tag.Key, value)
  }
  if (merged.size > 50) throw invalidParameter('A secret can have at most 50 tags.')
  return merged
}

export const tagResource: Operation = (account, input) => {
  const secret = find(account, input)
  for (const [key, value] of checkTags(secret.tags, list(input, 'Tags') ?? [])) secret.tags.set(key, value)
  changed(account, secret)
  return {}
}

export const untagResource: Operation = (account, input) => {
  const secret = find(account, input)
  for (const key of list(input, 'TagKeys') ?? []) secret.tags.delete(String(key))
  changed(account, secret)
  return {}
}

/** API_DescribeSecret: "Versions that don't have staging labels" are not listed. */
const stagesOf = (secret: Secret): Record<string, readonly string[]> =>
  Object.fromEntries([...secret.versions.values()].filter((v) => v.labels.size > 0).map((v) => [v.id, [...v.labels]]))

const tagList = (secret: Secret): readonly Tag[] => [...secret.tags].map(([Key, Value]) => ({ Key, Value }))

/**
 * API_DescribeSecret: only fields that have a value; LastRotatedDate and NextRotationDate only while rotation is on.
 */
function facts(account: Account, secret: Secret): Record<string, unknown> {
  const rotation = secret.rotation
  const next = nextRotation(secret)
  const all: Record<string, unknown> = {
    ARN: secret.arn,
    Name: secret.name,
    Type: secret.type,
    Description: secret.description,
    KmsKeyId: secret.kmsKeyId,
    RotationEnabled: rotation?.enabled,
    RotationLambdaARN: rotation?.lambdaArn,
    RotationRules: rotation?.rules,
    LastRotatedDate: rotation?.enabled && rotation.lastRotatedAt !== undefined ? seconds(rotation.lastRotatedAt) : undefined,
    LastChangedDate: seconds(secret.changedAt),
    LastAccessedDate: secret.accessedAt === undefined ? undefined : dateOnly(secret.accessedAt),
    DeletedDate: secret.deletedAt === undefined ? undefined : seconds(secret.deletedAt),
    NextRotationDate: next === undefined ? undefined : seconds(next),
    Tags: secret.tags.size > 0 ? tagList(secret) : undefined,
    OwningService: secret.owningService,
    CreatedDate: seconds(secret.createdAt),
    PrimaryRegion: secret.replicas.length > 0 ? account.region : undefined
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

export const describeSecret: Operation = (account, input) => {
  const secret = findAny(account, input)
  const stages = stagesOf(secret)
  return {
    ...facts(account, secret),
    ...(Object.keys(stages).length > 0 && { VersionIdsToStages: stages }),
    ...(secret.replicas.length > 0 && { ReplicationStatus: secret.replicas })
  }
}

/** API_Filter: prefixes, case-sensitive; a value that starts with `!` negates. */
const FILTERS: Readonly<Record<string, (secret: Secret) => readonly string[]>> = {
  name: (s) => [s.name],
  'tag-key': (s) => [...s.tags.keys()],
  'tag-value': (s) => [...s.tags.values()],
  'owning-service': (s) => (s.owningService === undefined ? [] : [s.owningService])
}

function matches(secret: Secret, filter: Input): boolean {
  const read = FILTERS[required(filter, 'Key')]
  if (!read) throw invalidParameter(`This double does not know the filter ${text(filter, 'Key')}.`)
  return (list(filter, 'Values') ?? []).map(String).some((value) => {
    const negated = value.startsWith('!')
    return read(secret).some((have) => have.startsWith(negated ? value.slice(1) : value)) !== negated
  })
}

/**
 * One page, and the token of the next. API_ListSecrets: MaxResults 1–100; InvalidNextTokenException for a token it
 * did not make.
 */
function page<T>(all: readonly T[], input: Input): { readonly items: readonly T[]; readonly next: { NextToken?: string } } {
  const size = input.MaxResults ?? 100
  if (typeof size !== 'number' || size < 1 || size > 100) throw invalidMember('maxResults', 'be between 1 and 100')
  const token = text(input, 'NextToken')
  const from = token === undefined ? 0 : Number(/^from-(\d+)$/.exec(Buffer.from(token, 'base64').toString())?.[1])
  if (Number.isNaN(from)) throw vendorError('InvalidNextTokenException', 'The NextToken value is invalid.')
  const end = from + size
  return {
    items: all.slice(from, end),
    next: end < all.length ? { NextToken: Buffer.from(`from-${end}`).toString('base64') } : {}
  }
}

export const listSecrets: Operation = (account, input) => {
  const filters = (list(input, 'Filters') ?? []) as readonly Input[]
  const all = [...account.secrets.values()]
    .filter((s) => s.deletedAt === undefined || (input.IncludePlannedDeletion === true && s.deletedAt > account.now()))
    .filter((s) => filters.every((f) => matches(s, f)))
  if (text(input, 'SortOrder') === 'desc') all.reverse()
  const { items, next } = page(all, input)
  return { SecretList: items.map((s) => ({ ...facts(account, s), SecretVersionsToStages: stagesOf(s) })), ...next }
}

export const listSecretVersionIds: Operation = (account, input) => {
  const secret = findAny(account, input)
  const all = [...secret.versions.values()].filter((v) => v.labels.size > 0 || input.IncludeDeprecated === true)
  const { items, next } = page(all, input)
  const Versions = items.map((v) => ({
    VersionId: v.id,
    VersionStages: [...v.labels],
    CreatedDate: seconds(v.createdAt),
    ...(v.accessedAt !== undefined && { LastAccessedDate: dateOnly(v.accessedAt) }),
    KmsKeyIds: [secret.kmsKeyId ?? 'DefaultEncryptionKey']
  }))
  return { ARN: secret.arn, Name: secret.name, Versions, ...next }
}

/** API_DeleteSecret: 7 to 30 days, 30 by default; by force at once, and then a missing secret is no error. */
export const deleteSecret: Operation = (account, input) => {
  const force = input.ForceDeleteWithoutRecovery === true
  const days = input.RecoveryWindowInDays
  if (force && days !== undefined) {
    throw invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
  }
  if (days !== undefined && (typeof days !== 'number' || days < 7 || days > 30)) {
    throw invalidParameter('The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).')
  }
  const id = required(input, 'SecretId')
  if (force && !lookUp(account, id)) return { ARN: id, Name: id, DeletionDate: seconds(account.now()) }
  const secret = force ? findAny(account, input) : findOwn(account, input)
  if (secret.replicas.length > 0) throw invalidRequest("You can't delete a secret that still has replica regions.")
  const at = account.now() + (force ? 0 : Number(days ?? 30) * 86_400_000)
  secret.deletedAt = at
  if (force) account.secrets.delete(secret.name)
  changed(account, secret)
  return { ARN: secret.arn, Name: secret.name, DeletionDate: seconds(at) }
}

export const restoreSecret: Operation = (account, input) => {
  const secret = findAny(account, input)
  secret.deletedAt = undefined
  changed(account, secret)
  return { ARN: secret.arn, Name: secret.name }
}

/** API_ReplicateSecretToRegions: the answer comes while the copies are still being made. */
export const replicateSecretToRegions: Operation = (account, input) => {
  const secret = find(account, input)
  const regions = (list(input, 'AddReplicaRegions') ?? []) as readonly Input[]
  const added = regions.map((r) => ({ Region: required(r, 'Region'), Status: 'InProgress' as const }))
  if (added.some((r) => r.Region === account.region)) throw invalidParameter('Invalid replica region.')
  secret.replicas = [...secret.replicas.filter((r) => !added.some((a) => a.Region === r.Region)), ...added]
  changed(account, secret)
  return { ARN: secret.arn, ReplicationStatus: secret.replicas }
}
