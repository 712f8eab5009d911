import { KeyturnError } from '../errors.ts'

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Vault refuses requests above 32 MiB (api-docs, Limits); no answer of use is bigger. */
export const VAULT_WIRE = { peer: 'Vault', unavailable: 'unavailable/store', mostBytes: 32 * 2 ** 20 } as const

/** The base of every request, with a slash at the end. Throws `invalid/config`, without quoting the address. */
export function vaultAddress(address: string): URL {
  // The address is not quoted: a person may have put a password into it.
  const wrong = (why: string) => new KeyturnError('invalid/config', `the Vault address ${why}`)
  if (!URL.canParse(address)) throw wrong('is no URL, such as https://vault.example.com:8200')
  const url = new URL(address)
  if (url.username || url.password || url.search || url.hash) throw wrong('must have no user, no query and no fragment')
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname)))
    throw wrong('must begin with https:// (http:// only for a loopback address)')
  return new URL(`${url.origin}${url.pathname.replace(/\/+$/, '')}/`)
}
