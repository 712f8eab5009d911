import * as v from 'valibot'
import { KeyturnError } from '../../shared/errors.ts'
import type { Instant } from '../../shared/types.ts'
import { fieldsOf, type GridEvent, gridEventsOf } from './event-grid.ts'

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

/** Those of one queue message. Throws `invalid/request`, and never quotes the message. */
export const eventsOf = (message: unknown): readonly (() => VaultEvent)[] =>
  gridEventsOf(message).map((parse) => () => vaultEventOf(parse()))

const filled = v.pipe(v.string(), v.nonEmpty(), v.maxLength(256))

const Data = v.object({
  id: v.optional(v.string()),
  vaultname: v.optional(filled),
  objectname: v.optional(filled),
  version: v.optional(v.string())
})

function vaultEventOf({ id, type, at, data }: GridEvent): VaultEvent {
  if (!ROTATED_BY.includes(type)) return { kind: 'other', id, type }
  return { kind: 'expiring', id, type, at, ...secretOf(data) }
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
