import { KeyturnError } from '../errors.ts'
import type { SecretId } from '../types.ts'

/** A mount, and the folder in it that holds pending values. */
export interface Mount {
  readonly mount: string
  readonly pendingFolder: string
}

/**
 * Where a secret's pending value is. Throws `invalid/request` for an id that is no path below the mount, as
 * `vault kv get -mount=secret app/db` takes it. The path of the HTTP API has `data/` in it, which would be a folder here;
 * a secret that really is in a folder of that name cannot be managed.
 */
export function pendingPath({ mount, pendingFolder }: Mount, id: SecretId): string {
  const below = id.startsWith(`${mount}/`) ? id.slice(mount.length + 1) : id
  if (API_PATH.test(id) || API_PATH.test(below))
    throw bad(id, `give the path below the mount ${mount}/, without data/ or metadata/, such as app/db`)
  if (id === pendingFolder || id.startsWith(`${pendingFolder}/`)) throw bad(id, `${pendingFolder}/ holds pending values`)
  if (!isPath(id)) throw bad(id, 'it must be a path of names between single slashes')
  return `${pendingFolder}/${id}`
}

/** Throws `invalid/config`. */
export function refuseBadMount({ mount, pendingFolder }: Mount): void {
  for (const [name, path] of Object.entries({ mount, pendingFolder }))
    if (!isPath(path)) throw new KeyturnError('invalid/config', `${name} must be a path of names between single slashes`)
}

const API_PATH = /^(data|metadata)\//

/** Consul's keys, the narrowest of Vault's storages, have 512 bytes with what Vault puts around a path. */
const MAX_BYTES = 300

const isPath = (path: string): boolean =>
  path.split('/').every((name) => name !== '' && name !== '.' && name !== '..' && !/\p{Cc}|\p{Surrogate}/u.test(name)) &&
  Buffer.byteLength(path, 'utf8') <= MAX_BYTES

const bad = (id: SecretId, why: string): KeyturnError =>
  new KeyturnError('invalid/request', `${JSON.stringify(id)} is no secret’s id in Vault KV: ${why}`)
