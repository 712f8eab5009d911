import { burstAdd, burstList } from './burst.ts'
import {
  addToAccount,
  addToPair,
  addToSecret,
  countNotice,
  countPolicy,
  countRetention,
  countToken,
  hourOfWeek,
  spanned
} from './count-parts.ts'
import type { AuditEvent } from './event.ts'
import { countHour, HOUR_MS } from './hours.ts'
import { networks } from './network.ts'
import { type Places, placing } from './places.ts'
import type { AuditSettings } from './settings.ts'
import type { Signal } from './signal.ts'
import { extend } from './span.ts'
import type { Tally } from './tally.ts'

/** Below these a window of ten minutes is no peak. */
export const burstThresholds = ({ massSecrets, listThenRead, failedLogins }: AuditSettings) => ({
  reads: { count: 0, distinct: Math.min(massSecrets, listThenRead) },
  failures: { count: failedLogins, distinct: 0 }
})

/** Adds events to a tally, each given once. */
export function counter(tally: Tally, settings: AuditSettings, signals: readonly Signal[]): (event: AuditEvent) => void {
  const thresholds = burstThresholds(settings)
  const placesOf = placing(tally, networks())
  const watching = signals.flatMap(({ name, watch }) => (watch ? [{ signal: name, watch }] : []))

  const addIdentity = ({ identity, network }: Places, event: AuditEvent): void => {
    if (!identity) return
    const { at, id } = event
    identity.count++
    if (at < identity.first) identity.first = at
    if (at > identity.last) identity.last = at
    if (network) extend(network, at, id)
    if (event.identity.type === 'person' && countHour(identity.hours, Math.floor(at / HOUR_MS))) tally.hours++
    if (event.outcome === 'denied' && !event.secret)
      identity.denied.set(event.operation, spanned(identity.denied.get(event.operation), event))
  }
  const addRead = ({ identity, reads }: Places, { at, id, secret, identity: who }: AuditEvent): void => {
    if (identity && secret) burstAdd(identity.reads, at, id, secret.key, thresholds.reads)
    const week = who.type === 'person' ? tally.week.people : tally.week.others
    const hour = hourOfWeek(at)
    week[hour] = (week[hour] ?? 0) + 1
    if (reads) extend(reads, at, id)
  }
  const addLogin = ({ address }: Places, { outcome, at, id, identity }: AuditEvent): void => {
    if (!address) return
    if (outcome === 'done') address.lastLogin = Math.max(address.lastLogin, at)
    else burstAdd(address.failures, at, id, identity.key, thresholds.failures)
  }

  return (event) => {
    const { kind, outcome } = event
    const places = placesOf(event)
    const { identity, account, secret, pair } = places
    if (account) addToAccount(account, event)
    countRetention(tally, event)
    addIdentity(places, event)
    if (secret) addToSecret(tally, secret, event)
    if (pair) addToPair(pair, event)
    if (kind === 'read' && outcome === 'done') addRead(places, event)
    else if (kind === 'list' && outcome === 'done' && identity) burstList(identity.reads, event.at, event.id, thresholds.reads)
    else if (kind === 'login' || outcome === 'unauthenticated') addLogin(places, event)
    if (kind === 'policy' || kind === 'audit') countPolicy(tally, event)
    if (!Number.isNaN(event.ttlSeconds)) countToken(tally, event, settings)
    for (let n = 0; n < watching.length; n++) {
      const { signal, watch } = watching[n] as (typeof watching)[number]
      if (watch(event, settings)) countNotice(tally, signal, event)
    }
  }
}
