import { azureIdentity } from './azure-identity.ts'
import { auditEvent, MARKS, type Outcome } from './event.ts'
import { outcomeOfStatus, statusNamed } from './key-vault-operations.ts'
import { addressOf, type Members, membersOf, textOf } from './members.ts'
import { type Operation, operations } from './operations.ts'
import type { Emit } from './reader.ts'
import type { References } from './references.ts'

const { lessAudit, unrecoverable } = MARKS

/**
 * What Key Vault's own log does not have: who was given a role, whether the log is still delivered, and that a deleted vault
 * was purged. Names in lower case; the log has them in either.
 */
const TABLE: ReadonlyMap<string, Operation> = new Map([
  ...operations('policy', 'microsoft.authorization/roleassignments/write microsoft.authorization/roleassignments/delete'),
  ...operations('audit', 'microsoft.insights/diagnosticsettings/write'),
  ...operations('audit', 'microsoft.insights/diagnosticsettings/delete', lessAudit),
  ...operations('delete', 'microsoft.keyvault/locations/deletedvaults/purge/action', unrecoverable)
])

/**
 * A record of the Activity Log as a diagnostic setting delivers it (learn.microsoft.com, "Azure Activity Log event schema",
 * "Schema from storage account and event hubs"). What concerns neither a vault nor a scope that vaults are in is passed by.
 */
export function readActivity(refs: References, record: Members, id: string, at: number, emit: Emit): void {
  const operation = textOf(record.operationName)
  const known = TABLE.get(operation.toLowerCase())
  const outcome = outcomeOf(record)
  const place = known && outcome && placeOf(textOf(record.resourceId).toLowerCase())
  if (!place) return
  const { account, secret, policy } = place
  const identity = azureIdentity(refs, membersOf(membersOf(record.identity).claims))
  emit(
    auditEvent({
      ...{ id, at, store: 'azure', account, ...known, operation, outcome, identity, policy },
      address: addressOf(record.callerIpAddress),
      ...(secret !== undefined && { secret: refs.secret('azure', account, secret) })
    })
  )
}

/** An operation has a record for its start too, and some for what is between: undefined. */
function outcomeOf(record: Members): Outcome | undefined {
  const result = textOf(record.resultType)
  if (/^succe/i.test(result)) return 'done'
  if (!/^fail/i.test(result)) return undefined
  const signature = textOf(record.resultSignature)
  return outcomeOfStatus(statusNamed(signature.slice(signature.indexOf('.') + 1)))
}

const VAULT = /^.*?\/providers\/microsoft\.keyvault\/vaults\/[^/]+/

/** Where a resource lies whose id is `SCOPE/providers/PROVIDER/TYPE/NAME`. Undefined: in something that is no vault. */
function placeOf(resource: string): { account: string; secret: string | undefined; policy: string } | undefined {
  const end = resource.lastIndexOf('/providers/')
  if (end < 0) return undefined
  const [scope, own] = [resource.slice(0, end), resource.slice(end + '/providers/'.length)]
  const [vault] = VAULT.exec(scope) ?? []
  const isOfOther = vault === undefined && /\/providers\/(?!microsoft\.management\/managementgroups\/)/.test(scope)
  if (isOfOther) return undefined
  const policy = own.slice(own.indexOf('/') + 1)
  return { account: vault ?? (scope || '/'), secret: /\/secrets\/([^/]+)$/.exec(scope)?.[1], policy }
}
