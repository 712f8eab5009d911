import * as v from 'valibot'
import { KeyturnError } from '../../shared/errors.ts'
import { type Instant, instantIn } from '../../shared/types.ts'

/**
 * What Key Vault tells by Event Grid, told apart once, here.
 * - `expiring`: a version comes to its end (30 days before it, fixed), or has come to it.
 * - `other`: what asks for nothing: every write of our own makes a SecretNewVersionCreated.
 */
export type VaultEvent = ExpiringEvent | { readonly kind: 'other'; readonly id: string; readonly type: string }

export interface ExpiringEvent {
  readonly kind: 'expiring'
  readonly id: string
  readonly type: string
  readonly vault: VaultName
  readonly secret: string
  /** The version that expires; undefined where the event names none. */
  readonly version: string | undefined
  readonly at: Instant | undefined
}

/** What an event says of its vault: the host of the secret's id, else the vault's name alone. */
export type VaultName = { readonly host: string } | { readonly name: string }

const ROTATED_BY = ['Microsoft.KeyVault.SecretNearExpiry', 'Microsoft.KeyVault.SecretExpired']

/**
 * The events of one queue message, each parsed only when its turn comes: one that is bad must not hide the others.
 * Event Grid sends one event a message; the worker has parsed a text that is JSON, and left one that is base64 (host.json,
 * `messageEncoding: none`). Throws `invalid/request`, and never quotes the message.
 */
export function eventsOf(message: unknown): readonly (() => VaultEvent)[] {
  const body = bodyOf(message)
  const events: readonly unknown[] = Array.isArray(body) ? body : [body]
  if (events.length === 0) throw new KeyturnError('invalid/request', 'the message holds no event')
  return events.map((event) => () => parseEvent(event))
}

function bodyOf(message: unknown): unknown {
  if (message instanceof Uint8Array) return jsonOf(Buffer.from(message).toString('utf8'))
  return typeof message === 'string' ? jsonOf(message) : message
}

/** JSON does not begin like base64: `{` and `[` are not in its alphabet. */
function jsonOf(text: string): unknown {
  const plain = /^\s*[{[]/.test(text) ? text : Buffer.from(text, 'base64').toString('utf8')
  try {
    return JSON.parse(plain)
  } catch {
    throw new KeyturnError('invalid/request', 'the message is not JSON')
  }
}

const filled = v.pipe(v.string(), v.nonEmpty(), v.maxLength(256))

/** The names of both schemas: Event Grid's own, and CloudEvents 1.0 (event-grid/event-schema-key-vault, cloud-event-schema). */
const Envelope = v.object({
  id: filled,
  eventtype: v.optional(filled),
  type: v.optional(filled),
  eventtime: v.optional(v.string()),
  time: v.optional(v.string()),
  data: v.optional(v.unknown())
})

const Data = v.object({
  id: v.optional(v.string()),
  vaultname: v.optional(filled),
  objectname: v.optional(filled),
  version: v.optional(v.string())
})

function parseEvent(event: unknown): VaultEvent {
  const envelope = v.safeParse(Envelope, fieldsOf(event))
  const { id, data, eventtype, eventtime, time, type = eventtype } = envelope.success ? envelope.output : {}
  if (id === undefined || type === undefined) throw new KeyturnError('invalid/request', 'an event without an id or a type')
  if (!ROTATED_BY.includes(type)) return { kind: 'other', id, type }
  return { kind: 'expiring', id, type, at: instantIn(eventtime ?? time), ...secretOf(data) }
}

/**
 * Names without case and blanks around, values without blanks: the page's own example has `"ObjectName "` and `Id`, a version
 * that begins with a blank, and texts where its table says numbers.
 */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const entries = Object.entries(value).map(([key, given]): [string, unknown] => [
    key.trim().toLowerCase(),
    typeof given === 'string' ? given.trim() : (given ?? undefined)
  ])
  return Object.fromEntries(entries)
}

/** The id says all: `https://<vault host>/secrets/<name>/<version>`. What it does not, the other fields do. */
function secretOf(data: unknown): Pick<ExpiringEvent, 'vault' | 'secret' | 'version'> {
  const parsed = v.safeParse(Data, fieldsOf(data))
  if (!parsed.success) throw new KeyturnError('invalid/request', 'an event about no secret')
  const { id = '', vaultname, objectname, version } = parsed.output
  const url = URL.canParse(id) ? new URL(id) : undefined
  const [, , name, ofId] = url?.pathname.split('/') ?? []
  const secret = objectname ?? name
  const vault = url ? { host: url.host } : vaultname === undefined ? undefined : { name: vaultname }
  // key-vault/general/about-keys-secrets-certificates, "Object identifiers": 1 to 127 of 0-9, a-z, A-Z and the hyphen.
  if (vault === undefined || secret === undefined || !/^[0-9A-Za-z-]{1,127}$/.test(secret))
    throw new KeyturnError('invalid/request', 'an event that names no secret of a vault')
  return { vault, secret, version: version || ofId || undefined }
}

/** Whether an event is about this vault. Names of vaults and hosts have no case. */
export function isOfVault(vault: VaultName, vaultUrl: string | undefined): boolean {
  if (vaultUrl === undefined) return false
  const { host } = new URL(vaultUrl)
  return 'host' in vault ? vault.host === host : vault.name.toLowerCase() === host.split('.')[0]
}
