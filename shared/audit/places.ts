import { accountPlace } from './count-parts.ts'
import type { AuditEvent } from './event.ts'
import { noSpan, type Span } from './span.ts'
import {
  type AccountTally,
  type AddressTally,
  entry,
  type IdentityTally,
  newAddress,
  newIdentity,
  newSecret,
  type Pair,
  pairEntry,
  type SecretTally,
  type Tally
} from './tally.ts'

/** Where an event is counted. What is undefined has no room any more, or is not of this event. */
export interface Places {
  readonly of: Tally
  readonly account: AccountTally | undefined
  readonly identity: IdentityTally | undefined
  readonly network: Span | undefined
  readonly secret: SecretTally | undefined
  readonly pair: Pair | undefined
  readonly address: AddressTally | undefined
  /** Of reads from the address. */
  readonly reads: Span | undefined
}

/** Finds, or makes, the places of events; those of events that are alike once. */
export function placing(tally: Tally, networkOf: (address: string) => string): (event: AuditEvent) => Places {
  const find = (event: AuditEvent): Places => {
    const { identity: who, store, at, secret: ref, address: from, kind, outcome } = event
    const identity = entry(tally, 'identities', tally.identities, who.key, () => newIdentity(who, store, at))
    const secret = ref && entry(tally, 'secrets', tally.secrets, ref.key, () => newSecret(ref, at))
    const isRead = kind === 'read' && outcome === 'done'
    const isAddressed = from !== '' && (isRead || kind === 'login' || outcome === 'unauthenticated')
    const address = isAddressed ? entry(tally, 'addresses', tally.addresses, from, newAddress) : undefined
    return {
      of: tally,
      account: accountPlace(tally, event),
      identity,
      network: identity && outcome === 'done' ? networkPlace(tally, identity, event.network || networkOf(from), from) : undefined,
      secret,
      pair: identity && ref ? pairEntry(tally, identity.secrets, ref.key, at) : undefined,
      address,
      reads: address && isRead ? readsPlace(address, store) : undefined
    }
  }
  return (event) => {
    const { likeness } = event
    if (!likeness) return find(event)
    const known = likeness.places as Places | undefined
    if (known?.of === tally) return known
    const found = find(event)
    // Where there is no room it is asked again, so that each event that is left out is counted as such.
    if (found.identity && found.account && (found.secret || !event.secret) && (found.pair || !event.secret))
      likeness.places = found
    return found
  }
}

function networkPlace(tally: Tally, { networks }: IdentityTally, network: string, from: string): Span | undefined {
  if (network === '') return undefined
  return entry(tally, 'networks', networks, network, () => ({ span: noSpan(), address: from || network }))?.span
}

function readsPlace({ reads }: AddressTally, store: AuditEvent['store']): Span {
  const known = reads.get(store)
  if (known) return known
  const span = noSpan()
  reads.set(store, span)
  return span
}
