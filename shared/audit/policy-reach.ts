import { jsonIn } from '../json-in.ts'
import { membersOf } from './members.ts'

/**
 * Whether a resource policy of AWS lets everybody in, or another account, with nothing that narrows it: an Allow whose
 * principal is `*`, or everybody but some, and that has no condition, or one whose principal is of an account that is not
 * `own` (IAM user guide, "Principal element"). A policy that cannot be read reaches nobody.
 */
export function reachesOthers(policy: string, own: string): boolean {
  const statements = asList(membersOf(jsonIn(policy)).Statement)
  return statements.some((statement) => {
    const { Effect, Principal, NotPrincipal, Condition } = membersOf(statement)
    if (Effect !== 'Allow') return false
    const principals = typeof Principal === 'string' ? [Principal] : asList(membersOf(Principal).AWS)
    const isNarrowed = Condition !== undefined && Object.keys(membersOf(Condition)).length > 0
    return (
      (NotPrincipal !== undefined && !isNarrowed) || principals.some((one) => (one === '*' ? !isNarrowed : isOfOther(one, own)))
    )
  })
}

function isOfOther(principal: unknown, own: string): boolean {
  const account = typeof principal === 'string' ? /^(?:arn:[^:]*:(?:iam|sts)::)?(\d{12})(?::|$)/.exec(principal)?.[1] : undefined
  return account !== undefined && own !== '' && account !== own
}

const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value])
