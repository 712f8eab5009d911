import type { Identity } from './event.ts'
import { listOf, type Members, membersOf, textOf } from './members.ts'
import type { References } from './references.ts'

/**
 * Who asked (AuditLog reference, "AuthenticationInfo"): by mail address, else by subject, as federated callers have no address.
 * Both may be left out: of who was refused, and of who is not of the organization ("Cloud Audit Logs overview", "Caller
 * identities"). A person behind a service account is another identity than the account by itself.
 */
export function gcpIdentity(refs: References, authentication: Members): Identity {
  const id = principalOf(authentication)
  if (id === '')
    return refs.identity('gcp:redacted', () => ({ name: 'redacted', type: 'unknown', isRoot: false, isCompute: false }))
  const behind = listOf(authentication.serviceAccountDelegationInfo).map(delegateOf).find(isPerson)
  const type = behind === undefined ? typeOf(id) : 'person'
  return refs.identity(behind === undefined ? `gcp:${id}` : `gcp:${behind}>${id}`, () => ({
    name: behind === undefined ? id : `${behind} as ${id}`,
    ...{ type, isRoot: false, isCompute: type === 'workload' && COMPUTE.test(id) }
  }))
}

/** `user:` and `serviceAccount:` stand before what has a mail address too. */
const principalOf = ({ principalEmail, principalSubject }: Members): string =>
  textOf(principalEmail) || textOf(principalSubject).replace(/^(?:user|serviceAccount):/, '')

const delegateOf = (delegation: unknown): string => {
  const { firstPartyPrincipal, principalSubject } = membersOf(delegation)
  return principalOf({ principalEmail: membersOf(firstPartyPrincipal).principalEmail, principalSubject })
}

const isPerson = (id: string): boolean => id !== '' && typeOf(id) === 'person'

/** Accounts of Google's own that act in a project ("Service agents", IAM); a project of that name is nobody else's. */
export const GOOGLE =
  /^(?:service-\d+@(?:gcp-sa-[a-z0-9-]+|compute-system|container-engine-robot)\.iam|\d+@cloudservices|[^@]+@system)\.gserviceaccount\.com$|^system@google\.com$/

export const PROGRAM = /gserviceaccount\.com$|\.svc\.id\.goog|\/workloadIdentityPools\//

function typeOf(id: string): Identity['type'] {
  if (GOOGLE.test(id)) return 'service'
  if (PROGRAM.test(id)) return 'workload'
  return id.includes('@') || id.includes('/workforcePools/') ? 'person' : 'unknown'
}

/** Default accounts of instances and of App Engine, and pods of a cluster. Any other account may be used from anywhere. */
export const COMPUTE = /-compute@developer\.gserviceaccount\.com$|@appspot\.gserviceaccount\.com$|\.svc\.id\.goog/
