import { MARKS } from './event.ts'
import { hashOf, listOf, type Members, membersOf, textOf } from './members.ts'

/** What SetIamPolicy did, as far as the log tells. */
export interface GcpPolicy {
  /** Bits of MARKS. */
  readonly marks: number
  /** Whether it changed what is logged. */
  readonly isOfAudit: boolean
  readonly hash: string
}

/**
 * By the difference where the log has it (`policyDelta`, google/iam/v1/logging/audit_data.proto), else by the policy that was
 * set, which shows what holds and not what is new. Less is logged where a kind of log is removed, or a member is exempted.
 */
export function gcpPolicy(payload: Members): GcpPolicy {
  const { bindings, auditConfigs } = membersOf(membersOf(payload.request).policy)
  const { bindingDeltas, auditConfigDeltas } = membersOf(
    membersOf(payload.serviceData).policyDelta ?? membersOf(payload.metadata).policyDelta
  )
  const deltas = listOf(bindingDeltas).map(membersOf)
  const added = deltas.filter(({ action }) => action === 'ADD').map(({ member }) => member)
  const members = deltas.length > 0 ? added : listOf(bindings).flatMap((binding) => listOf(membersOf(binding).members))
  const audit = listOf(auditConfigDeltas).map(membersOf)
  const isLess = audit.some(({ action, exemptedMember }) => action === (textOf(exemptedMember) === '' ? 'REMOVE' : 'ADD'))
  return {
    marks: (members.some(isEverybody) ? MARKS.madePublic : 0) | (isLess ? MARKS.lessAudit : 0),
    isOfAudit: audit.length > 0,
    hash: bindings === undefined ? '' : hashOf([bindings, auditConfigs])
  }
}

const isEverybody = (member: unknown): boolean => member === 'allUsers' || member === 'allAuthenticatedUsers'
