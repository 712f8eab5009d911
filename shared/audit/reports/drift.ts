import { controlsOf } from '../controls.ts'
import type { Review } from '../state.ts'
import type { DriftRow } from '../summary.ts'
import type { AccountTally, PolicyTally, Tally } from '../tally.ts'

/**
 * Policies that changed since a person looked at them last. What stands for a policy's text is compared: on AWS a hash of
 * ours, in Vault the HMAC of the device, which is the same for the same text as long as the device keeps its salt.
 */
export function drift({ policies, accounts }: Tally, review: Review | undefined): readonly DriftRow[] {
  return [...policies]
    .filter(([key, { span }]) => span.last > (review?.policies.get(key)?.changedAt ?? 0))
    .map(([key, policy]): DriftRow => {
      const { store, account, span, by } = policy
      return {
        policy: policy.policy,
        store,
        account,
        changedAt: span.last,
        changedBy: by,
        changes: span.count,
        state: stateOf(policy, review?.policies.get(key)?.hash, review, accounts.get(`${store}:${account}`)),
        reviewedAt: review?.at,
        reviewer: review?.reviewer,
        evidence: span.evidence,
        controls: controlsOf('drift')
      }
    })
    .sort((a, b) => b.changedAt - a.changedAt || (a.policy < b.policy ? -1 : 1))
}

function stateOf(
  { hash, store }: PolicyTally,
  reviewed: string | undefined,
  review: Review | undefined,
  account: AccountTally | undefined
): DriftRow['state'] {
  if (!review || reviewed === undefined) return 'unreviewed'
  if (hash === '' || reviewed === '') return 'unknown'
  if (store === 'vault' && (account?.saltedAt ?? 0) > review.at) return 'unknown'
  return reviewed === hash ? 'same' : 'changed'
}

/** What a review that is held now would keep. */
export const reviewOf = ({ policies }: Tally, at: number, reviewer: string): Review => ({
  at,
  reviewer,
  policies: new Map([...policies].map(([key, { hash, span }]) => [key, { hash, changedAt: span.last }]))
})
