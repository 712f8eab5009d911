import { filterOf } from './google-secrets-filter.ts'
import { checkSettings, compact, expiring, masked } from './google-secrets-settings.ts'
import {
  canonical,
  checkEtag,
  etag,
  findSeen,
  findTrue,
  history,
  invalid,
  type Json,
  type Meta,
  missing,
  record,
  refuse,
  type Secret,
  seen,
  stamp,
  truth,
  type World
} from './google-secrets-state.ts'

export type Operation = (world: World, input: Json) => Json

/** The Secret message, as it is answered. */
export function secretMessage(secret: Secret, meta: Meta): Json {
  const { fields, managedRotation } = meta
  const status = managedRotation && { managedRotationStatus: { state: managedRotation } }
  return {
    ...fields,
    ...(status && { rotation: { ...(fields.rotation as Json | undefined), ...status } }),
    name: secret.name,
    createTime: secret.createTime,
    etag: meta.etag
  }
}

/** field_behavior OUTPUT_ONLY, and `tags`, which this double does not keep: ignored when sent (measured). */
function settable(world: World, sent: Json): Json {
  const { name, createTime, etag: _, policyMember, tags, rotation, ...rest } = expiring(world, sent)
  const { managedRotationStatus, ...schedule } = (rotation ?? {}) as Json
  return { ...rest, ...(rotation !== undefined && { rotation: schedule }) }
}

export const createSecret: Operation = (world, input) => {
  const id = input.secretId
  if (typeof id !== 'string' || id === '') throw invalid('Secret ID must be provided.')
  if (!/^[A-Za-z0-9_-]{1,255}$/.test(id)) {
    throw invalid(`The provided Secret ID [${id}] does not match the expected format [[a-zA-Z_0-9-]+]`)
  }
  const parent = String(input.parent)
  const name = canonical(world, `${parent}/secrets/${id}`)
  const held = world.shelf.get(name)
  if (held && truth(held)) throw refuse('ALREADY_EXISTS', `Secret [${name}] already exists.`)
  const fields = compact(settable(world, (input.secret ?? {}) as Json))
  checkSettings(world, { fields, sent: new Set(Object.keys(fields)), versions: 0, regional: parent.includes('/locations/') })
  const secret: Secret = {
    name,
    id,
    createTime: stamp(world),
    versions: [],
    // Whether it is there at all is the shelf's to show late.
    meta: history<Meta>(world, { fields, etag: etag(world) }, 0),
    newest: history(world, 0, 0),
    kmsUnavailable: false
  }
  const shelf = held ?? history<Secret | undefined>(world, undefined, 0)
  record(world, shelf, secret)
  world.shelf.set(name, shelf)
  return secretMessage(secret, truth(secret.meta))
}

export const getSecret: Operation = (world, input) => {
  const secret = findSeen(world, String(input.name))
  const meta = seen(world, secret.meta)
  if (!meta) throw missing(secret.name)
  return secretMessage(secret, meta)
}

/** etags: the etag is in the Secret, and "even when an update doesn't change a resource's state", it changes. */
export const updateSecret: Operation = (world, input) => {
  const sent = (input.secret ?? {}) as Json
  const secret = findTrue(world, String(sent.name))
  const old = truth(secret.meta)
  checkEtag(sent.etag, old.etag)
  const next = masked(old.fields, settable(world, sent), input.updateMask)
  const fields = compact(next.fields)
  const regional = secret.name.includes('/locations/')
  checkSettings(world, { fields, sent: next.sent, versions: secret.versions.length, regional })
  const meta: Meta = { ...old, fields, etag: etag(world) }
  record(world, secret.meta, meta)
  return secretMessage(secret, meta)
}

export const deleteSecret: Operation = (world, input) => {
  const secret = findTrue(world, String(input.name))
  checkEtag(input.etag, truth(secret.meta).etag)
  discard(world, secret)
  return {}
}

export function discard(world: World, secret: Secret): void {
  const held = world.shelf.get(secret.name)
  if (held) record(world, held, undefined)
}

export const listSecrets: Operation = (world, input) => {
  const parent = canonical(world, String(input.parent))
  const all = [...world.shelf]
    .filter(([name]) => name.slice(0, name.lastIndexOf('/secrets/')) === parent)
    .flatMap(([, held]) => seen(world, held) ?? [])
    .flatMap((secret) => {
      const meta = seen(world, secret.meta)
      return meta ? [secretMessage(secret, meta)] : []
    })
    .sort((a, b) => (String(a.createTime) < String(b.createTime) ? 1 : -1))
  return page(world, input, 'secrets', all, 'Secret')
}

interface Token {
  /** The last name of the page before. */
  readonly after: string
  readonly createTime: string
  readonly filter: string
  readonly parent: string
}

function tokenOf(input: Json): Token | undefined {
  if (input.pageToken === undefined || input.pageToken === '') return undefined
  try {
    const token = JSON.parse(Buffer.from(String(input.pageToken), 'base64url').toString()) as Token
    // AIP-158: another filter or parent than the call that gave the token is INVALID_ARGUMENT.
    if (token.filter === String(input.filter ?? '') && token.parent === String(input.parent)) return token
  } catch {}
  throw invalid()
}

/**
 * service.proto: newest first; page_size 0 leaves the size to the service, and more than 25,000 is capped;
 * total_size is 0, which JSON leaves out, with a filter.
 */
export function page(world: World, input: Json, key: string, all: readonly Json[], message: 'Secret' | 'SecretVersion'): Json {
  const filter = String(input.filter ?? '')
  const size = Number(input.pageSize ?? 0)
  if (size < 0) throw invalid()
  const token = tokenOf(input)
  const matching = filter === '' ? all : all.filter(filterOf(filter, message))
  const rest = token ? matching.filter((m) => String(m.createTime) < token.createTime && m.name !== token.after) : matching
  const items = rest.slice(0, Math.min(size || world.pageSize, 25_000))
  const last = items.at(-1)
  const next: Token | undefined =
    last && rest.length > items.length
      ? { after: String(last.name), createTime: String(last.createTime), filter, parent: String(input.parent) }
      : undefined
  return {
    ...(items.length > 0 && { [key]: items }),
    ...(next && { nextPageToken: Buffer.from(JSON.stringify(next)).toString('base64url') }),
    ...(filter === '' && all.length > 0 && { totalSize: all.length })
  }
}
