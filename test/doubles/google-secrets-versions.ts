import { type Operation, page } from './google-secrets-catalog.ts'
import { crc32c } from './google-secrets-crc32c.ts'
import { secondsOf } from './google-secrets-settings.ts'
import {
  canonical,
  checkEtag,
  etag,
  findSeen,
  findTrue,
  history,
  invalid,
  type Json,
  missing,
  record,
  refuse,
  type Secret,
  seen,
  stamp,
  truth,
  type Version,
  type VersionState,
  type World
} from './google-secrets-state.ts'

/** resources.proto, SecretPayload: "Must be no larger than 64KiB"; an empty one is refused (measured). */
function payloadOf(input: Json): { readonly value: Buffer; readonly checksumGiven: boolean } {
  const payload = (input.payload ?? {}) as { data?: string; dataCrc32c?: string }
  const value = Buffer.from(payload.data ?? '', 'base64')
  if (value.length === 0) throw invalid('SecretPayload.data must not be empty.')
  if (value.length > 65_536) throw invalid('SecretPayload.data must not exceed 65536 bytes.')
  const checksumGiven = payload.dataCrc32c !== undefined
  if (checksumGiven && payload.dataCrc32c !== String(crc32c(value))) {
    throw invalid('Provided SecretPayload.data crc32c does not match calculated crc32c.')
  }
  return { value, checksumGiven }
}

type Encryption = { readonly customerManagedEncryption?: { readonly kmsKeyName?: string } }
type Replication = {
  readonly automatic?: Encryption
  readonly userManaged?: { readonly replicas: readonly (Encryption & { readonly location: string })[] }
}

const keysOf = (fields: Json): Readonly<Record<string, string>> => {
  const { automatic, userManaged } = (fields.replication ?? {}) as Replication
  const places = userManaged ? userManaged.replicas : [{ location: '', ...automatic, ...(fields as Encryption) }]
  return Object.fromEntries(
    places.flatMap((p) => {
      const key = p.customerManagedEncryption?.kmsKeyName
      return key === undefined ? [] : [[p.location, `${key}/cryptoKeyVersions/1`]]
    })
  )
}

/** docs/cmek: a key that cannot be used. Measured: FAILED_PRECONDITION, as for a disabled version. */
function checkKms(secret: Secret, keys: Readonly<Record<string, string>>): void {
  if (!secret.kmsUnavailable) return
  const key = Object.values(keys)[0] ?? 'projects/keys/locations/global/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1'
  throw refuse(
    'FAILED_PRECONDITION',
    `Failed precondition on Cloud KMS resource [${key}]. KMS error message: [${key} is not enabled, current state is: DISABLED.]`
  )
}

/** service.proto, AddSecretVersionRequest: no etag and no request id, so a repeat is another version. */
export const addSecretVersion: Operation = (world, input) => {
  const secret = findTrue(world, String(input.parent))
  const { value, checksumGiven } = payloadOf(input)
  const keys = keysOf(truth(secret.meta).fields)
  checkKms(secret, keys)
  const state: VersionState = { state: 'ENABLED', etag: etag(world), value }
  const version: Version = {
    number: secret.versions.length + 1,
    createTime: stamp(world),
    checksumGiven,
    keys,
    // reference/consistency: access by number sees it at once.
    states: history(world, state, 0)
  }
  secret.versions.push(version)
  record(world, secret.newest, version.number)
  return versionMessage(secret, version, state)
}

const encryption = (key: string | undefined): Json => (key ? { customerManagedEncryption: { kmsKeyVersionName: key } } : {})

function replicationStatus(secret: Secret, version: Version): Json {
  const replication = truth(secret.meta).fields.replication as Replication | undefined
  if (!replication) return encryption(version.keys[''])
  if (!replication.userManaged) return { replicationStatus: { automatic: encryption(version.keys['']) } }
  const replicas = replication.userManaged.replicas.map(({ location }) => ({ location, ...encryption(version.keys[location]) }))
  return { replicationStatus: { userManaged: { replicas } } }
}

function versionMessage(secret: Secret, version: Version, state: VersionState): Json {
  return {
    name: `${secret.name}/versions/${version.number}`,
    createTime: version.createTime,
    state: state.state,
    etag: state.etag,
    ...replicationStatus(secret, version),
    ...(version.checksumGiven && { clientSpecifiedPayloadChecksum: true }),
    ...(state.destroyTime !== undefined && { destroyTime: state.destroyTime }),
    ...(state.scheduledDestroyTime !== undefined && { scheduledDestroyTime: state.scheduledDestroyTime })
  }
}

const partsOf = (name: string): readonly [secret: string, version: string] => {
  const cut = name.lastIndexOf('/versions/')
  return [name.slice(0, cut), name.slice(cut + '/versions/'.length)]
}

const noVersion = (secret: Secret, ref: string | number): Error =>
  refuse('NOT_FOUND', `Secret Version [${secret.name}/versions/${ref}] not found.`)

function numbered(secret: Secret, number: number): Version {
  const version = secret.versions[number - 1]
  if (!version) throw noVersion(secret, number)
  return version
}

/**
 * Where `latest` and aliases point, as a reader sees it. service.proto: latest is "the most recently created", whatever its
 * state. The words for a secret without versions, and for one that is not there, are gcloud's as people quote them.
 */
function pointed(world: World, name: string, ref: string): readonly [Secret, number] {
  const none = refuse('NOT_FOUND', `Secret [${canonical(world, name)}] not found or has no versions.`)
  const held = world.shelf.get(canonical(world, name))
  const secret = held && seen(world, held)
  if (!secret) throw none
  if (ref === 'latest') {
    const newest = seen(world, secret.newest) ?? 0
    if (newest === 0) throw none
    return [secret, newest]
  }
  const aliases = (seen(world, secret.meta)?.fields.versionAliases ?? {}) as Readonly<Record<string, string>>
  const number = aliases[ref]
  if (number === undefined) throw refuse('NOT_FOUND', `Secret [${secret.name}] has no alias [${ref}]`)
  return [secret, Number(number)]
}

/** A deleted secret may still be seen; one that is there is always reached by number. */
function byNumber(world: World, name: string, number: number): readonly [Secret, Version] {
  const held = world.shelf.get(canonical(world, name))
  const secret = held && (truth(held) ?? seen(world, held))
  if (!secret) throw missing(canonical(world, name))
  return [secret, numbered(secret, number)]
}

const isNumber = (ref: string): boolean => /^\d+$/.test(ref)

/** reference/consistency: a version just added is there by its number; its later states may be seen late. */
export const accessSecretVersion: Operation = (world, input) => {
  const [name, ref] = partsOf(String(input.name))
  const [secret, version] = isNumber(ref) ? byNumber(world, name, Number(ref)) : follow(world, name, ref)
  const state = seen(world, version.states) ?? truth(version.states)
  const full = `${secret.name}/versions/${version.number}`
  if (state.state !== 'ENABLED' || !state.value) {
    throw refuse('FAILED_PRECONDITION', `Secret Version [${full}] is in ${state.state} state.`)
  }
  checkKms(secret, version.keys)
  return { name: full, payload: { data: state.value.toString('base64'), dataCrc32c: String(crc32c(state.value)) } }
}

function follow(world: World, name: string, ref: string): readonly [Secret, Version] {
  const [secret, number] = pointed(world, name, ref)
  return [secret, numbered(secret, number)]
}

/** Not said to be consistent by number, as access is: a version may not be seen yet. */
export const getSecretVersion: Operation = (world, input) => {
  const [name, ref] = partsOf(String(input.name))
  const [secret, number] = isNumber(ref) ? ([findSeen(world, name), Number(ref)] as const) : pointed(world, name, ref)
  if (number > (seen(world, secret.newest) ?? 0)) throw noVersion(secret, number)
  const version = numbered(secret, number)
  return versionMessage(secret, version, seen(world, version.states) ?? truth(version.states))
}

export const listSecretVersions: Operation = (world, input) => {
  const secret = findSeen(world, String(input.parent))
  const newest = seen(world, secret.newest) ?? 0
  const all = secret.versions
    .slice(0, newest)
    .map((v) => versionMessage(secret, v, seen(world, v.states) ?? truth(v.states)))
    .reverse()
  return page(world, input, 'versions', all, 'SecretVersion')
}

/** enable, disable, destroy: by number only (measured), with the version's own etag. */
function change(world: World, input: Json, next: (secret: Secret, old: VersionState) => Omit<VersionState, 'etag'>): Json {
  const [name, ref] = partsOf(String(input.name))
  const secret = findTrue(world, name)
  if (!isNumber(ref)) {
    throw invalid(
      `The provided Secret Version ID [${secret.name}/versions/${ref}] does not match the expected format [projects/*/secrets/*/versions*]`
    )
  }
  const version = numbered(secret, Number(ref))
  const old = truth(version.states)
  checkEtag(input.etag, old.etag)
  if (old.state === 'DESTROYED') throw refuse('FAILED_PRECONDITION', 'SecretVersion.state is already DESTROYED.')
  const state: VersionState = { ...next(secret, old), etag: etag(world) }
  record(world, version.states, state)
  return versionMessage(secret, version, state)
}

/** delay-destruction-of-secret-versions: enabling or disabling also undoes a scheduled destruction. */
export const enableSecretVersion: Operation = (world, input) =>
  change(world, input, (_, { value }) => ({ state: 'ENABLED', value }))

export const disableSecretVersion: Operation = (world, input) =>
  change(world, input, (_, { value }) => ({ state: 'DISABLED', value }))

/** resources.proto, version_destroy_ttl: then the version is disabled, and destroyed only later. */
export const destroySecretVersion: Operation = (world, input) =>
  change(world, input, (secret, { value, scheduledDestroyTime }) => {
    const ttl = truth(secret.meta).fields.versionDestroyTtl
    if (scheduledDestroyTime) throw refuse('FAILED_PRECONDITION', 'SecretVersion is already scheduled for DESTRUCTION.')
    if (ttl === undefined) return { state: 'DESTROYED', value: undefined, destroyTime: stamp(world) }
    const at = new Date(world.now() + secondsOf(ttl) * 1000).toISOString()
    return { state: 'DISABLED', value, scheduledDestroyTime: at }
  })
