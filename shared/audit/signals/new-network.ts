import { finding, minute, plural } from '../findings.ts'
import type { Signal, View } from '../signal.ts'
import type { IdentityTally, NetworkTally } from '../tally.ts'

const SIGNAL = {
  name: 'new-network',
  question: 'Did an identity come from a network that it was never seen in?',
  severity: 'medium',
  technique: 'T1078.004',
  todo: 'Ask who runs this identity whether it moved. If not, revoke its credentials and rotate what it read.'
} as const

/** Networks of one identity that are new in this run; those of a masked address are nobody's own. */
export function newNetworks({
  all,
  fresh,
  settings,
  masked
}: View): readonly [one: IdentityTally, network: string, seen: NetworkTally][] {
  return [...fresh.identities.values()].flatMap(({ identity, networks }) => {
    const one = all.identities.get(identity.key)
    if (!one || identity.type === 'service') return []
    return [...networks.keys()].flatMap((network): [IdentityTally, string, NetworkTally][] => {
      const seen = one.networks.get(network)
      const isLearned = seen !== undefined && seen.span.first - one.first >= settings.learnMs
      const isFresh = seen !== undefined && seen.span.first === networks.get(network)?.span.first
      return seen && isLearned && isFresh && !masked.has(`${one.store}:${network}`) ? [[one, network, seen]] : []
    })
  })
}

export const newNetwork: Signal = {
  ...SIGNAL,
  judge: (view) =>
    newNetworks(view)
      // Those have a signal of their own, which knows more.
      .filter(([{ identity }]) => !identity.isCompute)
      .map(([{ identity, store, first, networks }, network, { span, address }]) =>
        finding(SIGNAL, {
          subject: { identity: identity.key, identityName: identity.name, network, address },
          store,
          span,
          title: `${identity.name} came from ${network}, where it was never seen`,
          why: `${identity.name} is known since ${minute(first)} from ${plural(networks.size - 1, 'other network')}; ${address} came first at ${minute(span.first)}, and it made ${plural(span.count, 'call')} from there.`
        })
      )
}
