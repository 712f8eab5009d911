import * as v from 'valibot'
import { KeyturnError } from './errors.ts'
import { type Instant, instant } from './types.ts'

/** The common request, the same on every host (design §5). Unknown fields are refused: a typo must not be a default. */
export interface ActionRequest {
  readonly action: 'rotate' | 'sweep' | 'retire'
  /** Required but for sweep. */
  readonly secretId: string | undefined
  readonly force: boolean
  readonly endSessions: boolean
  readonly dryRun: boolean
  readonly reason: string | undefined
  /** Names the request; the host's own id of the delivery where it is not given. */
  readonly requestId: string | undefined
  readonly requestedAt: Instant | undefined
}

const Time = v.pipe(
  v.string(),
  v.check((text) => !Number.isNaN(Date.parse(text)), 'must be an ISO 8601 time'),
  v.transform((text) => instant(Date.parse(text)))
)

const Action = v.strictObject({
  action: v.picklist(['rotate', 'sweep', 'retire'], 'must be rotate, sweep or retire'),
  secretId: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  force: v.optional(v.boolean(), false),
  endSessions: v.optional(v.boolean(), false),
  dryRun: v.optional(v.boolean(), false),
  reason: v.optional(v.string()),
  requestId: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  requestedAt: v.optional(Time)
})

/** A request from outside, checked. Throws `invalid/request` naming every bad field; values are never quoted. */
export function parseRequest(body: unknown): ActionRequest {
  const parsed = v.safeParse(Action, body)
  if (!parsed.success) {
    const problems = parsed.issues.map((i) => `${v.getDotPath(i) ?? 'request'} ${problemOf(i)}`)
    throw new KeyturnError('invalid/request', problems.join('; '))
  }
  const { secretId, reason, requestId, requestedAt, ...rest } = parsed.output
  if (rest.action !== 'sweep' && secretId === undefined)
    throw new KeyturnError('invalid/request', `secretId is required for ${rest.action}`)
  if (rest.action === 'sweep' && secretId !== undefined)
    throw new KeyturnError('invalid/request', 'sweep takes every managed secret; use rotate or retire for one')
  return { ...rest, secretId, reason, requestId, requestedAt }
}

/** valibot's own messages quote what was received; ours say only what is wanted. */
function problemOf(issue: { readonly type: string; readonly expected: string | null; readonly message: string }): string {
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is no field of a request'
  return issue.message.startsWith('Invalid') ? `must be ${issue.expected ?? 'of another type'}` : issue.message
}
