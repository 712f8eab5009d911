import type { AuditEvent, Kind } from './event.ts'

export type RetentionClass = 'medium' | 'high' | 'critical'

/** How long an event must be kept, by what it is. */
export interface Retention {
  readonly name: string
  readonly class: RetentionClass
  /** Days; undefined: for ever. */
  readonly days: number | undefined
  readonly kinds: readonly Kind[]
}

const YEAR = 365

/**
 * The classes. What was denied is kept by that, whatever was asked. Deletion, and what is logged at all, have no class in
 * the brief: they are kept like a change of policy, because they undo what the other classes are kept for.
 */
export const RETENTION = [
  { name: 'failed access', class: 'critical', days: YEAR, kinds: [] },
  { name: 'secret read', class: 'high', days: YEAR, kinds: ['read', 'list', 'describe'] },
  { name: 'secret write', class: 'high', days: YEAR, kinds: ['write', 'rotate'] },
  { name: 'login', class: 'medium', days: 90, kinds: ['login'] },
  { name: 'token', class: 'medium', days: 90, kinds: ['token'] },
  { name: 'policy', class: 'critical', days: 2 * YEAR, kinds: ['policy', 'delete', 'audit'] },
  { name: 'seal', class: 'critical', days: undefined, kinds: ['seal'] },
  { name: 'other', class: 'medium', days: 90, kinds: ['other'] }
] as const satisfies readonly Retention[]

export type RetentionName = (typeof RETENTION)[number]['name']

const BY_KIND = new Map<Kind, number>(RETENTION.flatMap(({ kinds }, at) => kinds.map((kind) => [kind, at] as const)))

/** Which row of RETENTION an event belongs to. What is not there is no failed access. */
export const retentionOf = ({ kind, outcome }: AuditEvent): number =>
  outcome === 'denied' || outcome === 'unauthenticated' ? 0 : (BY_KIND.get(kind) ?? RETENTION.length - 1)
