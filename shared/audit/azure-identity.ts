import type { Identity } from './event.ts'
import { type Members, textOf } from './members.ts'
import type { References } from './references.ts'

/** Resource Manager spells claims out as URIs where Key Vault has the short names; the object id is the same in both. */
const SCHEMAS = 'http://schemas.microsoft.com/identity/claims/'
const SOAP = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/'

/**
 * Who a token of Microsoft Entra was given to (learn.microsoft.com, "Access token claims reference"). One object is one
 * identity, whatever program a person uses. A person has a user principal name, or acts with a delegated scope; a program has
 * `idtyp` `app`, or neither.
 */
export function azureIdentity(refs: References, claims: Members): Identity {
  const claim = (short: string, long: string): string => (textOf(claims[short]) || textOf(claims[long])).trim()
  const oid = claim('oid', `${SCHEMAS}objectidentifier`)
  const upn = claim('upn', `${SOAP}upn`) || claim('unique_name', `${SOAP}name`)
  const appid = textOf(claims.appid)
  const isPerson = textOf(claims.idtyp) !== 'app' && (upn !== '' || claim('scp', `${SCHEMAS}scope`) !== '')
  const id = oid || (isPerson ? upn : '') || (appid && `app/${appid}`)
  if (id === '')
    return refs.identity('azure:unknown', () => ({ name: 'unknown', type: 'unknown', isRoot: false, isCompute: false }))
  const resource = isPerson ? '' : textOf(claims.xms_mirid)
  return refs.identity(`azure:${id}`, () => ({
    name: isPerson ? upn || textOf(claims.name) || id : resource.slice(resource.lastIndexOf('/') + 1) || appid || id,
    type: isPerson ? 'person' : 'workload',
    isRoot: false,
    isCompute: resource !== '' && !LEAVES_AZURE.test(resource)
  }))
}

/**
 * Managed identities that may act from elsewhere: a user-assigned one can trust tokens of another provider, and a machine
 * that Azure Arc manages is not in Azure.
 */
const LEAVES_AZURE = /\/providers\/microsoft\.(managedidentity\/userassignedidentities|hybridcompute)\//i
