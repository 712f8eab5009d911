import { invalid, type Json, refuse, type World } from './google-secrets-state.ts'

/**
 * What a secret may be set to. The rules are resources.proto's; where production is known to be stricter, laxer or to say
 * it in other words, it is as measured.
 */
export interface Proposal {
  /** The whole Secret as it would be. */
  readonly fields: Json
  /** The fields that this request names: times are judged only when they are set. */
  readonly sent: ReadonlySet<string>
  /** How many versions there are. */
  readonly versions: number
  readonly regional: boolean
}

export function checkSettings(world: World, proposal: Proposal): void {
  checkReplication(proposal)
  checkTopics(proposal)
  checkRotation(world, proposal)
  checkLabels((proposal.fields.labels ?? {}) as Readonly<Record<string, string>>)
  checkAnnotations((proposal.fields.annotations ?? {}) as Readonly<Record<string, string>>)
  checkAliases((proposal.fields.versionAliases ?? {}) as Readonly<Record<string, string>>, proposal.versions)
  if (proposal.sent.has('expireTime')) checkAhead(world, proposal.fields.expireTime, 60, 'Expiration time', '1m')
  if (proposal.sent.has('versionDestroyTtl')) checkDestroyTtl(proposal.fields.versionDestroyTtl)
}

export const secondsOf = (duration: unknown): number => Number(String(duration).slice(0, -1))

/** resources.proto, "Cannot be empty"; measured: a regional secret has no replication. */
function checkReplication({ fields, regional }: Proposal): void {
  const replication = fields.replication as { automatic?: Json; userManaged?: { replicas?: readonly Json[] } } | undefined
  if (regional && replication) throw invalid('Secret.replication should not be provided.')
  if (regional) return
  if (!replication?.automatic && !replication?.userManaged) throw invalid('Secret.replication must be provided.')
  if (replication.userManaged && !replication.userManaged.replicas?.length) {
    throw invalid('Secret.replication.user_managed.replicas must not be empty.')
  }
}

function checkTopics({ fields, sent }: Proposal): void {
  if (!sent.has('topics')) return
  const names = ((fields.topics ?? []) as readonly Json[]).map((t) => String(t.name))
  if (names.length > 10) throw invalid('No more than 10 topics can be configured on a secret.')
  if (new Set(names).size < names.length) throw invalid('Topics must have distinct names.')
  const wrong = names.find((name) => !/^projects\/[^/]+\/topics\/[^/]+$/.test(name))
  if (wrong !== undefined) throw invalid(`Failed to Publish to topic [${wrong}], got an error from Pub/Sub.`)
}

/** resources.proto, Rotation: topics, 300 s to 100 years ahead, a period of 3,600 s or more, and then a time. */
function checkRotation(world: World, { fields, sent }: Proposal): void {
  const rotation = fields.rotation as { nextRotationTime?: string; rotationPeriod?: string } | undefined
  if (!rotation?.nextRotationTime && !rotation?.rotationPeriod) return
  if (!(fields.topics as readonly Json[] | undefined)?.length) {
    throw invalid('There must be at least one topic configured when a Rotation policy is set.')
  }
  if (!rotation.nextRotationTime) {
    throw refuse('FAILED_PRECONDITION', 'Next rotation time must be set while the rotation period is set.')
  }
  if (sent.has('rotation')) checkAhead(world, rotation.nextRotationTime, 300, 'Next rotation time', '5m')
  if (rotation.rotationPeriod && secondsOf(rotation.rotationPeriod) < 3600) {
    throw invalid('Rotation period cannot be shorter than [1h].')
  }
}

function checkAhead(world: World, time: unknown, leastSeconds: number, what: string, least: string): void {
  if (time === undefined) return
  const aheadSeconds = (Date.parse(String(time)) - world.now()) / 1000
  if (aheadSeconds < leastSeconds) throw invalid(`${what} must be at least [${least}] in the future.`)
  if (aheadSeconds > 876_000 * 3600) throw invalid(`${what} cannot be more than [876000h] from now.`)
}

/** delay-destruction-of-secret-versions: 1 to 1,000 days. */
function checkDestroyTtl(ttl: unknown): void {
  if (ttl === undefined) return
  if (secondsOf(ttl) < 86_400) throw invalid('Version destroy TTL must be at least [24h].')
  if (secondsOf(ttl) > 86_400_000) throw invalid('Version destroy TTL cannot be more than [24000h].')
}

const KEY = String.raw`[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}`
const VALUE = String.raw`[\p{Ll}\p{Lo}\p{N}_-]{0,63}`
const IS_KEY = new RegExp(`^${KEY}$`, 'u')
const IS_VALUE = new RegExp(`^${VALUE}$`, 'u')

function checkLabels(labels: Readonly<Record<string, string>>): void {
  const count = Object.keys(labels).length
  if (count > 64) throw invalid(`Invalid field "labels"; at most 64 entries allowed but found ${count}`)
  for (const [key, value] of Object.entries(labels)) {
    if (!IS_KEY.test(key)) throw invalid(`Invalid field "labels"; key "${key}" does not conform to regular expression "${KEY}"`)
    if (!IS_VALUE.test(value)) {
      throw invalid(`Invalid field "labels.${key}"; value "${value}" does not conform to regular expression "${VALUE}"`)
    }
    const long = [key, value].find((text) => Buffer.byteLength(text) > 128)
    if (long !== undefined) throw invalid(`Invalid field "labels"; "${long}" exceeds maximum byte length 128`)
  }
}

/** resources.proto says 63 characters and "less than 16KiB"; measured: 64, and 16,384 bytes in all, are taken. */
function checkAnnotations(annotations: Readonly<Record<string, string>>): void {
  for (const key of Object.keys(annotations)) {
    if (!/^[a-z0-9A-Z]([a-z0-9A-Z._-]{0,62}[a-z0-9A-Z])?$/.test(key)) {
      throw invalid(
        String.raw`[${key}] must follow pattern [a-z0-9A-Z]+([_\.\-]*[a-z0-9A-Z]+)*), be less than 64 characters, and must have a UTF encoding of less than 128 bytes`
      )
    }
  }
  const bytes = Object.entries(annotations).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0)
  if (bytes > 16_384) throw invalid('Annotation map must not exceed 16kib.')
}

/** resources.proto, version_aliases; measured: a destroyed version can have one. The misspelling is the service's. */
function checkAliases(aliases: Readonly<Record<string, string>>, versions: number): void {
  if (Object.keys(aliases).length > 50) throw invalid('No more than 50 aliases can be assgined to any given secret')
  for (const [alias, number] of Object.entries(aliases)) {
    if (!/^[a-zA-Z][a-zA-Z0-9_-]{0,62}$/.test(alias) || alias === 'latest' || alias === 'NEW') {
      throw invalid(
        `[${alias}] must follow pattern [a-zA-Z][a-Aa-Z0-9_-]+, be less than 64 characters and cannot be "latest" or "NEW"`
      )
    }
    if (Number(number) < 1 || Number(number) > versions) {
      throw invalid("Aliases cannot be assigned to versions that don't exist")
    }
  }
}

/** The mask paths that change something, by either spelling, and the field each stands for. */
const SETTABLE: Readonly<Record<string, readonly [field: string, part?: string]>> = {
  labels: ['labels'],
  annotations: ['annotations'],
  topics: ['topics'],
  version_aliases: ['versionAliases'],
  expire_time: ['expireTime'],
  ttl: ['expireTime'],
  version_destroy_ttl: ['versionDestroyTtl'],
  customer_managed_encryption: ['customerManagedEncryption'],
  replication: ['replication'],
  rotation: ['rotation'],
  'rotation.next_rotation_time': ['rotation', 'nextRotationTime'],
  'rotation.rotation_period': ['rotation', 'rotationPeriod']
}
const IGNORED = ['name', 'create_time', 'tags', 'etag']
const IMMUTABLE = ['secret_type', 'policy_member']

/**
 * service.proto, UpdateSecretRequest: the mask is required. Measured: an empty one changes nothing but the etag; a path
 * that the body leaves out clears its field; a map is replaced whole; `*`, unknown paths and map keys are refused.
 */
export function masked(old: Json, sent: Json, mask: unknown): { fields: Json; sent: Set<string> } {
  if (mask === undefined) throw invalid('Field [update_mask] is required.')
  const fields: Record<string, unknown> = { ...old }
  const changed = new Set<string>()
  for (const raw of String(mask).split(',').filter(Boolean)) {
    const path = raw.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
    if (IGNORED.includes(path)) continue
    if (IMMUTABLE.includes(path)) throw invalid(`Field '${path}' is immutable and cannot be updated.`)
    const [field, part] = SETTABLE[path] ?? []
    if (field === undefined) throw invalid()
    changed.add(field)
    fields[field] = part ? { ...(fields[field] as Json), [part]: (sent[field] as Json | undefined)?.[part] } : sent[field]
  }
  if (changed.has('replication')) checkSameReplication(old, fields)
  return { fields, sent: changed }
}

/** resources.proto: "The replication policy cannot be changed after the Secret has been created." */
function checkSameReplication(old: Json, fields: Json): void {
  if (old.replication === undefined) {
    throw invalid('Field mask paths starting with "replication" are not supported in updates of regional secret.')
  }
  const shape = (replication: unknown): string =>
    JSON.stringify(replication, (k, v) => (k === 'customerManagedEncryption' ? undefined : v))
  if (shape(old.replication) !== shape(fields.replication)) {
    throw invalid('Updating secret replication is not supported.')
  }
}

/** resources.proto, expiration: `ttl` is input only; a time "is always provided on output". */
export function expiring(world: World, fields: Json): Json {
  const { ttl, ...rest } = fields
  if (ttl === undefined) return rest
  return { ...rest, expireTime: new Date(world.now() + secondsOf(ttl) * 1000).toISOString() }
}

/** Proto3 JSON leaves out what is empty, and what is unset. */
export function compact(fields: Json): Json {
  const empty = (v: unknown): boolean =>
    v === undefined || (Array.isArray(v) ? v.length === 0 : typeof v === 'object' && v !== null && Object.keys(v).length === 0)
  return Object.fromEntries(
    Object.entries(fields).filter(([key, v]) => !empty(v) && !(key === 'secretType' && v === 'SECRET_TYPE_UNSPECIFIED'))
  )
}
