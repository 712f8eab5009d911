import { DAY_MS } from '../duration.ts'
import type { AuditEvent } from './event.ts'
import type { Subject } from './finding.ts'
import { countHour, HOUR_MS, placeOf } from './hours.ts'
import { retentionOf } from './retention.ts'
import type { AuditSettings } from './settings.ts'
import { extend, type Span, spanOf } from './span.ts'
import { type AccountTally, CAPS, capped, entry, type Pair, type SecretTally, type Tally } from './tally.ts'

export function spanned(span: Span | undefined, { at, id }: AuditEvent): Span {
  if (!span) return spanOf(at, id)
  extend(span, at, id)
  return span
}

let [lastStore, lastAccount, lastKey] = ['', '', '']

/** Of accounts, as it is in the tally; one after the other they are the same. */
export function accountKey(store: string, account: string): string {
  if (store !== lastStore || account !== lastAccount) [lastStore, lastAccount, lastKey] = [store, account, `${store}:${account}`]
  return lastKey
}

/** Monday's first hour is 0, in UTC. 1970-01-01 was a Thursday. */
export const hourOfWeek = (at: number): number => (Math.floor(at / HOUR_MS) + 3 * 24) % 168

export const accountPlace = (tally: Tally, { store, account, at }: AuditEvent): AccountTally | undefined =>
  entry(tally, 'accounts', tally.accounts, accountKey(store, account), () => ({
    ...{ store, account, first: at, last: at, count: 0, days: [], reads: 0, saltedAt: 0 }
  }))

export function addToAccount(one: AccountTally, { at, kind, outcome }: AuditEvent): void {
  one.count++
  if (kind === 'read' && outcome === 'done') one.reads++
  // Vault: each time a device is enabled it hashes with a new salt.
  if (kind === 'audit' && outcome === 'done' && at > one.saltedAt) one.saltedAt = at
  if (at > one.last) one.last = at
  else if (at < one.first) one.first = at
  const day = Math.floor(at / DAY_MS)
  if (one.days.at(-1) === day) return
  const place = placeOf(one.days, day)
  if (one.days[place] !== day) one.days.splice(place, 0, day)
}

export function countRetention(tally: Tally, event: AuditEvent): void {
  const kept = tally.retention[retentionOf(event)]
  if (!kept) return
  kept.count++
  if (event.at < kept.first) kept.first = event.at
  if (event.at > kept.last) kept.last = event.at
}

export function addToSecret(tally: Tally, known: SecretTally, { at, kind, outcome }: AuditEvent): void {
  if (at < known.first) known.first = at
  if (kind === 'rotate' && outcome === 'failed') {
    known.failures++
    known.lastFailed = Math.max(known.lastFailed, at)
  }
  if (outcome !== 'done') return
  if (kind === 'read') {
    known.lastRead = Math.max(known.lastRead, at)
    if (tally.hours < CAPS.hours) {
      if (countHour(known.reads, Math.floor(at / HOUR_MS))) tally.hours++
    } else capped(tally, 'hours')
  } else if (kind === 'write') known.lastWrite = Math.max(known.lastWrite, at)
  else if (kind === 'delete') known.deleted = Math.max(known.deleted, at)
  else if (kind === 'rotate') known.lastRotated = Math.max(known.lastRotated, at)
}

export function addToPair(pair: Pair, event: AuditEvent): void {
  const { at, outcome, kind } = event
  if (at > pair.last) pair.last = at
  if (at < pair.first) pair.first = at
  if (outcome === 'denied') pair.denied = spanned(pair.denied, event)
  else if (outcome !== 'done') return
  else if (kind === 'read') pair.reads++
  else if (kind === 'write' || kind === 'rotate' || kind === 'delete') pair.writes++
}

export function countPolicy(tally: Tally, event: AuditEvent): void {
  const { policy, store, account, at, outcome, policyHash, identity } = event
  if (outcome !== 'done' || policy === '') return
  const make = () => ({ policy, store, account, span: { ...spanOf(at, event.id), count: 0, evidence: [] }, by: '', hash: '' })
  const one = entry(tally, 'policies', tally.policies, `${store}:${account}/${policy}`, make)
  if (!one) return
  const isNewest = at >= one.span.last
  extend(one.span, at, event.id)
  if (isNewest) Object.assign(one, { by: identity.name, hash: policyHash })
}

/** Tokens of up to 2, 4, 8 … seconds; the last for those that never end. */
export const LIVES = 40

export function countToken(tally: Tally, event: AuditEvent, { longTtlSeconds }: AuditSettings): void {
  const { store, account, issuer, ttlSeconds, identity, at, id } = event
  const key = `${store}:${account}/${issuer}`
  const make = () => ({ issuer, store, account, lives: Array<number>(LIVES).fill(0), long: new Map() })
  const one = entry(tally, 'issuers', tally.issuers, key, make)
  if (!one) return
  const place = Number.isFinite(ttlSeconds) ? Math.min(LIVES - 2, Math.ceil(Math.log2(Math.max(1, ttlSeconds)))) : LIVES - 1
  one.lives[place] = (one.lives[place] ?? 0) + 1
  if (ttlSeconds <= longTtlSeconds[store]) return
  const long = one.long.get(identity.key)
  if (long) {
    extend(long.span, at, id)
    long.ttlSeconds = Math.max(long.ttlSeconds, ttlSeconds)
  } else if (one.long.size < MOST_LONG) one.long.set(identity.key, { span: spanOf(at, id), ttlSeconds, identity })
}

const MOST_LONG = 1_000

export function countNotice(tally: Tally, signal: string, event: AuditEvent): void {
  const { identity, secret, policy, issuer, address, store, account, at, id } = event
  const subject: Subject = {
    identity: identity.key,
    identityName: identity.name,
    ...(secret && { secret: secret.key, secretName: secret.name }),
    ...(policy !== '' && { policy }),
    ...(issuer !== '' && { source: issuer }),
    ...(address !== '' && { address })
  }
  const key = [signal, identity.key, secret?.key ?? '', policy, issuer, event.operation, event.outcome === 'done'].join('\n')
  const known = tally.notices.get(key)
  if (known) extend(known.span, at, id)
  else {
    const { operation, outcome } = event
    entry(tally, 'notices', tally.notices, key, () => ({
      signal,
      subject,
      store,
      account,
      operation,
      outcome,
      span: spanOf(at, id)
    }))
  }
}
