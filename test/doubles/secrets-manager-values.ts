import { checkTags } from './secrets-manager-catalog.ts'
import {
  type Account,
  attach,
  changed,
  checkLabels,
  detach,
  find,
  findOwn,
  holderOf,
  type Input,
  invalidMember,
  invalidParameter,
  invalidRequest,
  list,
  lookUp,
  makeRoom,
  notFound,
  type Operation,
  requestToken,
  required,
  type Secret,
  seconds,
  text,
  type Value,
  type Version,
  vendorError
} from './secrets-manager-state.ts'

/** reference_limits.html: a secret value has at most 65,536 bytes. */
function valueIn(input: Input): Value | undefined {
  const string = text(input, 'SecretString')
  const binary = text(input, 'SecretBinary')
  if (string !== undefined && binary !== undefined) {
    throw invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.")
  }
  const bytes = Buffer.from(string ?? binary ?? '', string === undefined ? 'base64' : 'utf8').length
  const member = string === undefined ? 'secretBinary' : 'secretString'
  if (bytes > 65_536) throw invalidMember(member, 'have length less than or equal to 65536')
  if (string !== undefined) return { SecretString: string }
  return binary === undefined ? undefined : { SecretBinary: binary }
}

const same = (a: Value | undefined, b: Value | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)

const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/**
 * API_CreateSecret: "a hyphen and six random characters after the secret name at the end of the ARN"; a new secret of
 * an old name has others.
 */
const suffix = (): string => Array.from({ length: 6 }, () => SUFFIX[Math.floor(Math.random() * SUFFIX.length)]).join('')

function addVersion(account: Account, secret: Secret, id: string, value: Value): Version {
  makeRoom(account, secret)
  const version: Version = { id, createdAt: account.now(), labels: new Set(), value }
  secret.versions.set(id, version)
  return version
}

/** API_CreateSecret, ClientRequestToken: the same token with the same value is ignored. */
function repeated(secret: Secret, token: string, value: Value | undefined): object {
  if (secret.deletedAt !== undefined) {
    throw invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
  }
  const version = secret.versions.get(token)
  if (value === undefined || version === undefined || !same(version.value, value)) {
    throw vendorError('ResourceExistsException', `The operation failed because the secret ${secret.name} already exists.`)
  }
  return { ARN: secret.arn, Name: secret.name, VersionId: token }
}

export const createSecret: Operation = (account, input) => {
  const name = required(input, 'Name')
  if (!/^[A-Za-z0-9/_+=.@-]{1,512}$/.test(name)) {
    throw vendorError(
      'ValidationException',
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!'
    )
  }
  const value = valueIn(input)
  const token = requestToken(input)
  const existing = lookUp(account, name)
  if (existing) return repeated(existing, token, value)
  const at = account.now()
  const secret: Secret = {
    name,
    arn: `arn:aws:secretsmanager:${account.region}:123456789012:secret:${name}-${suffix()}`,
    createdAt: at,
    changedAt: at,
    versions: new Map(),
    tags: checkTags(new Map(), list(input, 'Tags') ?? []),
    description: text(input, 'Description'),
    kmsKeyId: text(input, 'KmsKeyId'),
    type: text(input, 'Type'),
    replicas: []
  }
  if (value) attach(secret, addVersion(account, secret, token, value), 'AWSCURRENT')
  account.secrets.set(name, secret)
  return { ARN: secret.arn, Name: name, ...(value && { VersionId: token }) }
}

/** API_GetSecretValue, VersionStage: with VersionId too, "the two parameters must refer to the same secret version". */
function wanted(secret: Secret, input: Input): Version {
  const id = text(input, 'VersionId')
  const stage = text(input, 'VersionStage')
  const label = stage ?? 'AWSCURRENT'
  const version = id === undefined ? holderOf(secret, label) : secret.versions.get(id)
  if (version?.value === undefined) {
    const what = id === undefined ? `staging label: ${label}` : `VersionId: ${id}`
    throw notFound(`Secrets Manager can't find the specified secret value for ${what}`)
  }
  if (stage !== undefined && !version.labels.has(stage)) {
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.')
  }
  return version
}

export const getSecretValue: Operation = (account, input) => {
  const secret = find(account, input)
  const version = wanted(secret, input)
  secret.accessedAt = account.now()
  version.accessedAt = account.now()
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: version.id,
    ...version.value,
    ...(version.labels.size > 0 && { VersionStages: [...version.labels] }),
    CreatedDate: seconds(version.createdAt)
  }
}

/** API_PutSecretValue: an existing version takes no other value; the one that RotateSecret registered has none yet. */
function versionFor(account: Account, secret: Secret, token: string, value: Value): Version | 'repeat' {
  const version = secret.versions.get(token)
  if (!version) return addVersion(account, secret, token, value)
  if (version.value === undefined) {
    version.value = value
    return version
  }
  if (same(version.value, value)) return 'repeat'
  throw vendorError('ResourceExistsException', "You can't modify an existing version, you can only create new ones.")
}

export const putSecretValue: Operation = (account, input) => {
  const secret = findOwn(account, input)
  const token = requestToken(input)
  const value = valueIn(input)
  if (!value) throw invalidParameter('You must provide either SecretString or SecretBinary.')
  const asked = (list(input, 'VersionStages') ?? ['AWSCURRENT']).map(String)
  if (asked.length < 1 || asked.length > 20) throw invalidMember('versionStages', 'have length 1 to 20')
  // API_PutSecretValue: "If this operation creates the first version for the secret", AWSCURRENT is attached to it.
  const labels = secret.versions.size === 0 ? [...new Set([...asked, 'AWSCURRENT'])] : asked
  const moves = labels.includes('AWSCURRENT') && secret.versions.size > 0
  if (!secret.versions.get(token)?.value) checkLabels(secret, moves ? [...labels, 'AWSPREVIOUS'] : labels)
  const version = versionFor(account, secret, token, value)
  const answer = () => ({
    ARN: secret.arn,
    Name: secret.name,
    VersionId: token,
    VersionStages: [...(secret.versions.get(token)?.labels ?? [])]
  })
  if (version === 'repeat') return answer()
  for (const label of labels) attach(secret, version, label)
  if (labels.includes('AWSCURRENT')) abandon(secret, version)
  if (labels.includes('AWSCURRENT') && secret.rotation) secret.rotation.countsFrom = account.now()
  changed(account, secret)
  return answer()
}

/**
 * cloudtrail_log_entries.html, RotationAbandoned: a new current version written during a rotation takes AWSPENDING off
 * the version that had it. Responses recorded from AWS show the same when the label was left on the version that was current.
 */
function abandon(secret: Secret, current: Version): void {
  const pending = holderOf(secret, 'AWSPENDING')
  if (pending && pending !== current) detach(secret, pending, 'AWSPENDING')
}

/**
 * API_UpdateSecretVersionStage, RemoveFromVersionId: "If the label is attached and you either do not specify this
 * parameter, or the version ID does not match, then the operation fails."
 */
function checkMove(label: string, holder: Version | undefined, from: string | undefined, to: string): void {
  if (from === undefined && holder && holder.id !== to) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`
    )
  }
  if (from !== undefined && holder?.id !== from) {
    throw invalidParameter(
      `When you move staging label ${label}, if you specify RemoveFromVersionId, it must be set to the version that currently has the staging label ${label}.`
    )
  }
}

export const updateSecretVersionStage: Operation = (account, input) => {
  const secret = findOwn(account, input)
  const label = required(input, 'VersionStage')
  const from = text(input, 'RemoveFromVersionId')
  const to = text(input, 'MoveToVersionId')
  const holder = holderOf(secret, label)
  if (to === undefined) {
    if (from === undefined) throw invalidParameter('You must specify MoveToVersionId, RemoveFromVersionId or both.')
    if (!secret.versions.has(from)) throw notFound("Secrets Manager can't find the specified secret version.")
    // The label by which ordinary readers find the value is never without a version.
    if (label === 'AWSCURRENT') {
      throw invalidParameter(
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."
      )
    }
    if (holder?.id !== from) throw invalidParameter(`Staging label ${label} is not currently attached to version ${from}.`)
    detach(secret, holder, label)
  } else {
    const version = secret.versions.get(to)
    if (!version) throw notFound("Secrets Manager can't find the specified secret version.")
    checkMove(label, holder, from, to)
    checkLabels(secret, label === 'AWSCURRENT' && holder && holder !== version ? [label, 'AWSPREVIOUS'] : [label])
    attach(secret, version, label)
  }
  changed(account, secret)
  return { ARN: secret.arn, Name: secret.name }
}
