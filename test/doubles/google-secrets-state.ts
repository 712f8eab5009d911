/**
 * What the double of Google Secret Manager keeps, and when a reader sees it. Sources are named beside each behaviour:
 * `service.proto` and `resources.proto` are the vendor's (in @google-cloud/secret-manager), pages are under
 * docs.cloud.google.com/secret-manager/docs, and "measured" means docs/secret-manager of github.com/kmoneil/zig-gcp and
 * its tests, which were run against the service on 2026-10-02. What nobody says is called ours.
 */

export type Json = Readonly<Record<string, unknown>>
export type GoogleState = 'ENABLED' | 'DISABLED' | 'DESTROYED'

/** google/rpc/code.proto: each code's HTTP mapping. */
export const HTTP = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504
} as const
export type GoogleStatus = keyof typeof HTTP

/** Every state that something was in. A reader may see an older one: reference/consistency. */
export interface History<T> {
  readonly entries: { readonly value: T; readonly visibleAt: number; readonly epoch: number }[]
}

export interface VersionState {
  readonly state: GoogleState
  readonly etag: string
  /** Undefined once destroyed. */
  readonly value: Buffer | undefined
  readonly destroyTime?: string | undefined
  readonly scheduledDestroyTime?: string | undefined
}

export interface Version {
  readonly number: number
  readonly createTime: string
  readonly checksumGiven: boolean
  /** The key version that wrapped it, by location; `''` for automatic replication and for regional secrets. */
  readonly keys: Readonly<Record<string, string>>
  readonly states: History<VersionState>
}

/** The fields of a Secret that a caller can set, in proto3 JSON. */
export interface Meta {
  readonly fields: Json
  readonly etag: string
  readonly managedRotation?: 'ACTIVE' | 'INACTIVE' | undefined
}

export interface Secret {
  /** By project number: what the service answers with. */
  readonly name: string
  readonly id: string
  readonly createTime: string
  readonly versions: Version[]
  readonly meta: History<Meta>
  /** The newest number, as `latest` and lists see it. 0: none. */
  readonly newest: History<number>
  kmsUnavailable: boolean
}

export interface World {
  readonly now: () => number
  readonly projects: readonly { readonly id: string; readonly number: string }[]
  /** What stood under each name, one after the other; undefined: deleted. */
  readonly shelf: Map<string, History<Secret | undefined>>
  /** How many items a list page has where the caller names no size. */
  readonly pageSize: number
  lagMs: number
  /** True: this read sees the new state. */
  draw: () => boolean
  epoch: number
  stamps: number
  etags: number
}

export const history = <T>(world: World, value: T, lagMs = world.lagMs): History<T> => {
  const made: History<T> = { entries: [] }
  record(world, made, value, lagMs)
  return made
}

export function record<T>(world: World, into: History<T>, value: T, lagMs = world.lagMs): void {
  into.entries.push({ value, visibleAt: world.now() + lagMs, epoch: world.epoch })
}

export function truth<T>(of: History<T>): T {
  const last = of.entries.at(-1)
  if (!last) throw new Error('double: an empty history')
  return last.value
}

/**
 * reference/consistency: all but "adding a secret version and then immediately accessing that secret version by version
 * number" is eventually consistent. Undefined: not even its beginning is visible yet.
 */
export function seen<T>(world: World, of: History<T>): T | undefined {
  const at = world.now()
  const newest = of.entries.at(-1)
  const visible = of.entries.findLast((e) => e.visibleAt <= at || e.epoch < world.epoch)
  return newest !== visible && world.draw() ? newest?.value : visible?.value
}

/**
 * A time as the service writes it, with microseconds, and later than every one before. With some that no millisecond
 * holds, so that nobody takes them for milliseconds.
 */
export function stamp(world: World): string {
  world.stamps = Math.max(world.now() * 1000 + 57, world.stamps + 1)
  const ms = Math.floor(world.stamps / 1000)
  return `${new Date(ms).toISOString().slice(0, -1)}${String(world.stamps % 1000).padStart(3, '0')}Z`
}

/** etags: "The ETag must include the surrounding quotes"; measured: hexadecimal, and it grows. */
export function etag(world: World): string {
  world.etags += 0x1f3
  return `"${(0x165cdb26000000 + world.etags).toString(16)}"`
}

const VENDOR = Symbol('vendor error')
export interface Refusal {
  readonly status: GoogleStatus
  readonly message: string
  readonly details: readonly Json[]
}
export const refuse = (status: GoogleStatus, message: string, details: readonly Json[] = []): Error =>
  Object.assign(new Error(message), { [VENDOR]: { status, message, details } satisfies Refusal })
export const refusalOf = (e: unknown): Refusal | undefined =>
  e instanceof Error && VENDOR in e ? (e as Error & { [VENDOR]: Refusal })[VENDOR] : undefined

/** What the service says of most bad arguments (measured). */
export const invalid = (message = 'Request contains an invalid argument.'): Error => refuse('INVALID_ARGUMENT', message)
export const missing = (name: string): Error => refuse('NOT_FOUND', `Secret [${name}] not found.`)

/** etags: "fails with a FAILED_PRECONDITION error and an HTTP status code 400"; the words are measured. An empty one is none. */
export function checkEtag(given: unknown, current: string): void {
  if (given === undefined || given === '' || given === current) return
  throw refuse(
    'FAILED_PRECONDITION',
    "The etag provided in the request does not match the resource's current etag. Please retry the whole read-modify-write with exponential backoff."
  )
}

/** `projects/app-prod/…` and `projects/123/…` name the same; answers have the number. */
export function canonical(world: World, name: string): string {
  const [, id, rest] = /^projects\/([^/]+)(.*)$/.exec(name) ?? []
  const project = world.projects.find((p) => p.id === id || p.number === id)
  return project ? `projects/${project.number}${rest}` : name
}

export function findTrue(world: World, name: string): Secret {
  const held = world.shelf.get(canonical(world, name))
  const secret = held && truth(held)
  if (!secret) throw missing(canonical(world, name))
  return secret
}

export function findSeen(world: World, name: string): Secret {
  const held = world.shelf.get(canonical(world, name))
  const secret = held && seen(world, held)
  if (!secret) throw missing(canonical(world, name))
  return secret
}
