import { readActivity } from './azure-activity.ts'
import { azureIdentity } from './azure-identity.ts'
import { type AuditEvent, auditEvent, type Identity, MARKS, type Outcome } from './event.ts'
import { keyVaultOperation, keyVaultOutcome } from './key-vault-operations.ts'
import { addressOf, hashOf, isObject, type Members, membersOf, numberOf, textOf, timeIn } from './members.ts'
import type { Operation } from './operations.ts'
import type { Reader } from './reader.ts'
import type { References } from './references.ts'

/** A record of Azure Monitor, of whatever resource: a diagnostic setting writes many kinds into one place. */
export const isKeyVault = (record: unknown): boolean => {
  const { category, operationName } = membersOf(record)
  return typeof category === 'string' && typeof operationName === 'string'
}

/**
 * Reads AuditEvent records of Azure Key Vault (Microsoft, "Azure Key Vault logging"), and of the Activity Log those that
 * decide who may read a vault. The log has no word for which version is the current one: a version in the address of a read
 * does not make it an old one, and nothing is marked.
 */
export function keyVaultReader(refs: References): Reader {
  const isFirstOf = firstSeen()
  return {
    format: 'key-vault',
    read: (record, emit) => {
      if (!isKeyVault(record)) return false
      const members = membersOf(record)
      const at = timeIn(members.time)
      const resource = textOf(members.resourceId).toLowerCase()
      if (Number.isNaN(at) || resource === '') return false
      const id = [members.time, members.operationName, members.correlationId].map(textOf).join('|')
      if (members.category !== 'AuditEvent') {
        readActivity(refs, members, id, at, emit)
        return true
      }
      const operation = textOf(members.operationName)
      const known = keyVaultOperation(operation)
      if (!resource.includes('/microsoft.keyvault/') || !known) return true
      const claims = membersOf(membersOf(members.identity).claim)
      const outcome = isPublished(operation) ? 'done' : outcomeOf(members)
      if (outcome === undefined) return false
      if (isNoise(operation, known, outcome, claims)) return true
      const identity = isPublished(operation) ? keyVaultItself(refs) : azureIdentity(refs, claims)
      const event = eventOf(refs, members, { id, at, account: resource, operation, outcome, identity }, known)
      const ttlSeconds = numberOf(claims.exp) - numberOf(claims.iat)
      const isShown = ttlSeconds > 0 && isFirstOf(`${identity.key}|${claims.iat}|${claims.exp}`)
      emit(isShown ? { ...event, ttlSeconds, issuer: 'entra' } : event)
      return true
    }
  }
}

const outcomeOf = ({ properties, resultSignature }: Members): Outcome | undefined =>
  keyVaultOutcome(membersOf(properties).httpStatusCode, resultSignature)

/** An event that Key Vault published by itself: its record says so whether anybody listens or not, and names nobody. */
const isPublished = (operation: string): boolean => operation.endsWith('EventGridNotification')

/**
 * What every vault's log is full of and that tells nothing:
 * - Authentication with 401: a client asks first without a token, to be told where to get one, and Microsoft's own query for
 *   failures leaves it out ("Monitor Azure Key Vault"). It is no failed login, and none that succeeded either.
 * - VaultGet by Azure's Resource Graph and Policy, which take stock.
 * - What was done with keys and certificates: they are no secrets. What was refused is told, as somebody tries doors.
 */
function isNoise(operation: string, { kind }: Operation, outcome: Outcome, claims: Members): boolean {
  if (operation === 'Authentication') return outcome === 'unauthenticated'
  if (operation === 'VaultGet') return STOCKTAKERS.has(textOf(claims.appid))
  return kind === 'other' && outcome !== 'denied' && outcome !== 'unauthenticated'
}

/** Application ids of Azure Resource Graph and of Azure Policy Insights, as Microsoft Sentinel's rules for Key Vault name them. */
const STOCKTAKERS = new Set(['509e4652-da8d-478d-a730-e9d4a1996ca4', '8cae6e77-e04e-42ce-b5cb-50d82bce26b1'])

const keyVaultItself = (refs: References): Identity =>
  refs.identity('azure:service/key-vault', () => ({ name: 'Key Vault', type: 'service', isRoot: false, isCompute: false }))

type Head = Pick<AuditEvent, 'id' | 'at' | 'account' | 'operation' | 'outcome' | 'identity'>

function eventOf(refs: References, record: Members, head: Head, { kind, marks }: Operation): AuditEvent {
  const properties = membersOf(record.properties)
  const { account, operation } = head
  const name = operation.startsWith('Secret') ? secretOf(operation, properties) : ''
  const vault = account.slice(account.lastIndexOf('/') + 1)
  const settings = membersOf(properties.properties)
  const isOfVault = operation.startsWith('Vault')
  return auditEvent({
    ...head,
    ...{ store: 'azure', kind, marks: kind === 'policy' && isOpen(settings) ? marks | MARKS.madePublic : marks },
    address: addressOf(record.callerIpAddress),
    network: textOf(properties.subnetId).toLowerCase(),
    ...(name !== '' && { secret: refs.secret('azure', account, name) }),
    issuer: kind === 'login' ? 'entra' : '',
    policy: isOfVault && kind !== 'describe' ? `${vault}${isPublished(operation) ? ' access policies' : ''}` : '',
    policyHash: kind === 'policy' && isObject(properties.properties) ? hashOf(settings) : ''
  })
}

/**
 * By the id, which is what was answered, else by what was asked for; a restore asks for none. Names are the same in upper and
 * lower case (learn.microsoft.com, "Azure Key Vault keys, secrets, and certificates overview").
 */
function secretOf(operation: string, { id, requestUri }: Members): string {
  const [, named] = SECRET.exec(textOf(id)) ?? (operation === 'SecretRestore' ? [] : SECRET.exec(textOf(requestUri))) ?? []
  return named?.toLowerCase() ?? ''
}

const SECRET = /\/(?:deleted)?secrets\/([^/?#]+)/i

/**
 * Whether the vault can be reached from every network now. The record shows how the vault is and not what was changed: a later
 * change of one that was open before is marked too.
 */
function isOpen({ networkAcls, publicNetworkAccess }: Members): boolean {
  const isPublic = textOf(publicNetworkAccess).toLowerCase() !== 'disabled'
  return isPublic && textOf(membersOf(networkAcls).defaultAction).toLowerCase() === 'allow'
}

/** A token is shown by every call that it is used for and counts once: whether this is the first, as far as is remembered. */
function firstSeen(): (text: string) => boolean {
  const seen = new Set<string>()
  return (text) => {
    if (seen.has(text)) return false
    if (seen.size >= MOST_TOKENS) seen.clear()
    seen.add(text)
    return true
  }
}

const MOST_TOKENS = 65_536
