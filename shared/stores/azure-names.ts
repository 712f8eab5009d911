import { KeyturnError } from '../errors.ts'
import type { SecretId, VersionId } from '../types.ts'

/** Where the pending value of a secret is kept: another secret, because the newest version of a secret is current. */
const SIBLING_SUFFIX = '-pending'
/** key-vault/general/about-keys-secrets-certificates: 1 to 127 of 0-9, a-z, A-Z and -. */
const MAX_NAME = 127
export const siblingOf = (name: string): string => name + SIBLING_SUFFIX

/**
 * The address of a vault, without a path. Throws `invalid/config`: a token must not go to an address without TLS.
 */
export function vaultAddress(vaultUrl: string): URL {
  const url = URL.canParse(vaultUrl) ? new URL(vaultUrl) : undefined
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search !== '')
    throw new KeyturnError('invalid/config', 'the vault must read like https://<name>.vault.azure.net')
  return url
}

/**
 * The address of a blob container, without a slash at the end. Throws `invalid/config`, also for one with a SAS in it.
 * @param what it is for, for messages.
 */
export function containerAddress(containerUrl: string, what = 'the journal'): string {
  const url = URL.canParse(containerUrl) ? new URL(containerUrl) : undefined
  const path = url?.pathname.replace(/\/+$/, '') ?? ''
  const isBare = url?.protocol === 'https:' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  if (!url || !isBare || path === '')
    throw new KeyturnError(
      'invalid/config',
      `${what} must read like https://<account>.blob.core.windows.net/<container>, without a query: a SAS is not used`
    )
  return url.origin + path
}

export const idOf = (vault: URL, name: string): SecretId => `${vault.origin}/secrets/${name}`

/**
 * The name in an id: a bare one, or `https://<vault>/secrets/<name>`, with or without a version. Throws
 * `invalid/request` for another vault's, and for what is no name.
 */
export function nameOf(vault: URL, id: SecretId): string {
  const name = /^https?:/i.test(id) ? nameInUrl(vault, id) : id
  if (!/^[0-9A-Za-z-]+$/.test(name) || name.length > MAX_NAME)
    throw new KeyturnError('invalid/request', `a secret of Key Vault has a name of 1 to ${MAX_NAME} letters, digits and hyphens`)
  return name
}

/** The same, for a secret that is to be rotated. Throws `invalid/name` where no sibling of that name can be. */
export function rotatedNameOf(vault: URL, id: SecretId): string {
  const name = nameOf(vault, id)
  const most = MAX_NAME - SIBLING_SUFFIX.length
  if (name.length > most)
    throw new KeyturnError(
      'invalid/name',
      `${name} is too long: a secret that is rotated has ${most} characters at most, because of ${siblingOf('<name>')}`
    )
  return name
}

function nameInUrl(vault: URL, id: SecretId): string {
  const url = URL.canParse(id) ? new URL(id) : undefined
  const [, name] = /^\/secrets\/([^/]+)(?:\/[^/]*)?$/.exec(url?.pathname ?? '') ?? []
  if (url?.protocol !== 'https:' || name === undefined)
    throw new KeyturnError('invalid/request', 'the id must read like https://<vault>/secrets/<name>')
  if (url.host !== vault.host) throw new KeyturnError('invalid/request', `the secret is in ${url.host}, not in ${vault.host}`)
  return name
}

/** What keyturn calls a version of the sibling, so that it is not taken for one of the secret itself. */
const PENDING = 'pending-'
export const pendingVersion = (version: string): VersionId => PENDING + version

/** Where a version is. Undefined: no version of Key Vault's has such an id (32 characters that the system makes). */
export function placeOf(name: string, version: VersionId): { readonly name: string; readonly version: string } | undefined {
  const [at, id] = version.startsWith(PENDING) ? [siblingOf(name), version.slice(PENDING.length)] : [name, version]
  return /^[0-9A-Za-z]{32}$/.test(id) ? { name: at, version: id } : undefined
}
