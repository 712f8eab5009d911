import { DAY_MS } from '../duration.ts'
import { addBurst, trim } from './burst.ts'
import { burstThresholds } from './count.ts'
import { addHours, forgetHours, HOUR_MS, KEPT_HOURS } from './hours.ts'
import type { AuditSettings } from './settings.ts'
import { joined, noSpan } from './span.ts'
import {
  type AccountTally,
  type AddressTally,
  CAPS,
  type Capped,
  capped,
  entry,
  type IdentityTally,
  type IssuerTally,
  newAddress,
  newIdentity,
  newSecret,
  type Pair,
  pairEntry,
  type SecretTally,
  type Tally
} from './tally.ts'

/**
 * Adds what one tally has to another; `from` stays as it is. In any order the result is the same, but for what is capped,
 * what two parts saw in the same minutes (burst.ts), and which of two events of one moment came later.
 */
export function addTally(into: Tally, from: Tally): void {
  const merged = <T>(
    name: Capped,
    a: Map<string, T>,
    b: ReadonlyMap<string, T>,
    make: (one: T) => T,
    add: (into: T, one: T) => void
  ) => {
    for (const [key, one] of b) {
      const known = entry(into, name, a, key, () => make(one))
      if (known) add(known, one)
    }
  }
  merged('identities', into.identities, from.identities, (o) => newIdentity(o.identity, o.store, o.first), addIdentity(into))
  merged('secrets', into.secrets, from.secrets, (o) => newSecret(o.secret, o.first), addSecret(into))
  merged('addresses', into.addresses, from.addresses, newAddress, addAddress)
  merged(
    'policies',
    into.policies,
    from.policies,
    (o) => ({ ...o, span: noSpan() }),
    (a, b) => {
      if (b.span.last >= a.span.last) Object.assign(a, { by: b.by, hash: b.hash })
      a.span = joined(a.span, b.span)
    }
  )
  merged('issuers', into.issuers, from.issuers, (o) => ({ ...o, lives: o.lives.map(() => 0), long: new Map() }), addIssuer)
  merged('accounts', into.accounts, from.accounts, (o) => ({ ...o, count: 0, reads: 0, days: [] }), addAccount)
  merged(
    'notices',
    into.notices,
    from.notices,
    (o) => ({ ...o, span: noSpan() }),
    (a, b) => {
      if (b.span.first < a.span.first) a.subject = b.subject
      a.span = joined(a.span, b.span)
    }
  )
  from.retention.forEach(({ count, first, last }, at) => {
    const kept = into.retention[at]
    if (kept)
      Object.assign(kept, { count: kept.count + count, first: Math.min(kept.first, first), last: Math.max(kept.last, last) })
  })
  for (const [name, count] of from.capped) into.capped.set(name, (into.capped.get(name) ?? 0) + count)
  for (const who of ['people', 'others'] as const)
    from.week[who].forEach((count, hour) => {
      into.week[who][hour] = (into.week[who][hour] ?? 0) + count
    })
}

const addIdentity =
  (tally: Tally) =>
  (into: IdentityTally, from: IdentityTally): void => {
    into.first = Math.min(into.first, from.first)
    into.last = Math.max(into.last, from.last)
    into.count += from.count
    for (const [network, { span, address }] of from.networks) {
      const known = entry(tally, 'networks', into.networks, network, () => ({ span: noSpan(), address }))
      if (!known) continue
      const isEarlier = span.first < known.span.first
      into.networks.set(network, { span: joined(known.span, span), address: isEarlier ? address : known.address })
    }
    for (const [secret, pair] of from.secrets) addPair(tally, into.secrets, secret, pair)
    for (const [operation, span] of from.denied) into.denied.set(operation, joined(into.denied.get(operation) ?? noSpan(), span))
    addBurst(into.reads, from.reads)
    const before = into.hours.hours.length
    addHours(into.hours, from.hours)
    tally.hours += into.hours.hours.length - before
  }

function addPair(tally: Tally, into: Map<string, Pair>, secret: string, from: Pair): void {
  const known = pairEntry(tally, into, secret, from.first, from.reads + from.writes + (from.denied?.count ?? 0))
  if (!known) return
  known.first = Math.min(known.first, from.first)
  known.last = Math.max(known.last, from.last)
  known.reads += from.reads
  known.writes += from.writes
  if (from.denied) known.denied = joined(known.denied ?? noSpan(), from.denied)
}

const addSecret =
  (tally: Tally) =>
  (into: SecretTally, from: SecretTally): void => {
    into.first = Math.min(into.first, from.first)
    for (const member of ['lastRead', 'lastWrite', 'lastRotated', 'lastFailed', 'deleted'] as const)
      into[member] = Math.max(into[member], from[member])
    into.failures += from.failures
    const before = into.reads.hours.length
    if (tally.hours < CAPS.hours) addHours(into.reads, from.reads)
    else capped(tally, 'hours', sum(from.reads.counts))
    tally.hours += into.reads.hours.length - before
  }

function addAddress(into: AddressTally, from: AddressTally): void {
  for (const [store, span] of from.reads) into.reads.set(store, joined(into.reads.get(store) ?? noSpan(), span))
  addBurst(into.failures, from.failures)
  into.lastLogin = Math.max(into.lastLogin, from.lastLogin)
}

function addIssuer(into: IssuerTally, from: IssuerTally): void {
  from.lives.forEach((count, at) => {
    into.lives[at] = (into.lives[at] ?? 0) + count
  })
  for (const [key, { span, ttlSeconds, identity }] of from.long) {
    const known = into.long.get(key)
    into.long.set(key, {
      span: joined(known?.span ?? noSpan(), span),
      ttlSeconds: Math.max(known?.ttlSeconds ?? 0, ttlSeconds),
      identity
    })
  }
}

function addAccount(into: AccountTally, from: AccountTally): void {
  into.saltedAt = Math.max(into.saltedAt, from.saltedAt)
  into.first = Math.min(into.first, from.first)
  into.last = Math.max(into.last, from.last)
  into.count += from.count
  into.reads += from.reads
  into.days.splice(0, into.days.length, ...[...new Set([...into.days, ...from.days])].sort((a, b) => a - b))
}

/** Forgets what nothing asks for any more: hours older than six weeks; what was not seen for ninety days, but for secrets. */
export function forget(tally: Tally, now: number, settings: AuditSettings): void {
  const { reads, failures } = burstThresholds(settings)
  const newest = Math.floor(now / HOUR_MS)
  const [oldest, oldestDay] = [now - FORGOTTEN_MS, Math.floor((newest - KEPT_HOURS) / 24)]
  for (const secret of tally.secrets.values()) forgetHours(secret.reads, newest)
  for (const [key, one] of tally.identities) {
    forgetHours(one.hours, newest)
    trim(one.reads, reads, now, oldestDay)
    for (const [network, { span }] of one.networks) if (span.last < oldest) one.networks.delete(network)
    if (one.last < oldest) tally.identities.delete(key)
  }
  for (const [address, one] of tally.addresses) {
    trim(one.failures, failures, now, oldestDay)
    const spans = [...one.reads.values(), ...one.failures.buckets.map(({ span }) => span)]
    if (Math.max(one.lastLogin, ...spans.map(({ last }) => last)) < oldest) tally.addresses.delete(address)
  }
  for (const [key, { days, last }] of tally.accounts) {
    days.splice(0, days.filter((day) => day < oldestDay).length)
    if (last < oldest) tally.accounts.delete(key)
  }
  for (const { long } of tally.issuers.values()) long.clear()
  tally.notices.clear()
  tally.capped.clear()
  tally.pairs = sum([...tally.identities.values()].map(({ secrets }) => secrets.size))
  tally.hours = sum(
    [...tally.identities.values(), ...tally.secrets.values()].map((one) => ('hours' in one ? one.hours : one.reads).hours.length)
  )
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

const FORGOTTEN_MS = 90 * DAY_MS
