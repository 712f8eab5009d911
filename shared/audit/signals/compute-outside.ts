import { isInside } from '../../address-guard.ts'
import { finding, minute, plural } from '../findings.ts'
import type { Signal } from '../signal.ts'
import { newNetworks } from './new-network.ts'

const SIGNAL = {
  name: 'compute-outside',
  question: 'Were the credentials of an instance used from a public address that is new for it?',
  severity: 'high',
  technique: 'T1552.005',
  todo: 'Credentials of compute do not travel: end the role’s sessions, rotate what it can read, and look for how they got out.'
} as const

export const computeOutside: Signal = {
  ...SIGNAL,
  judge: (view) =>
    newNetworks(view)
      .filter(([{ identity }, , { address }]) => identity.isCompute && /^[\d.]+$|:/.test(address) && !isInside(address))
      .map(([{ identity, store, first }, network, { span, address }]) =>
        finding(SIGNAL, {
          subject: { identity: identity.key, identityName: identity.name, network, address },
          store,
          span,
          title: `${identity.name}, which runs on compute, was used from ${address}`,
          why: `It is known since ${minute(first)} and never called from ${network} before; it made ${plural(span.count, 'call')} from there from ${minute(span.first)} on.`
        })
      )
}
