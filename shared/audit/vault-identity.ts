import type { Identity } from './event.ts'
import type { References } from './references.ts'

/** Methods whose display names begin with the method: by these people log in, by those programs. */
const PEOPLE = /^(userpass|ldap|oidc|okta|github|saml|radius)-/
const PROGRAMS = /^(kubernetes|approle|aws|azure|gcp|cert|jwt|kerberos|alicloud|oci|spiffe)(-|$)/

/**
 * Who asked: by entity, else by client (tokens without an entity have a hash there), else by the accessor's HMAC, else by
 * display name. The first two outlive a token, and a change of the device's salt.
 */
export const vaultIdentity = (
  refs: References,
  by: 'entity' | 'client' | 'accessor' | 'name',
  value: string,
  who: Who
): Identity =>
  refs.identity(`vault:${by}/${value}`, () => ({
    name: who.name() || value || 'unknown',
    type: typeOf(who.name()),
    isRoot: who.isRoot(),
    isCompute: false
  }))

/** Asked for only where an identity is new. */
export interface Who {
  readonly name: () => string
  readonly isRoot: () => boolean
}

const typeOf = (name: string): Identity['type'] => (PEOPLE.test(name) ? 'person' : PROGRAMS.test(name) ? 'workload' : 'unknown')

/** The account that a login which failed had named: nobody was known. */
export const triedIdentity = (refs: References, mount: string, account: string): Identity =>
  refs.identity(`vault:tried/${mount}${account}`, () => ({ name: account, type: 'unknown', isRoot: false, isCompute: false }))
