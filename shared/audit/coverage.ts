import { DAY_MS } from '../duration.ts'
import type { ReadLogs } from './read.ts'
import type { AuditSettings } from './settings.ts'
import { SIGNALS } from './signals.ts'
import type { Coverage, Gap } from './summary.ts'
import type { Tally } from './tally.ts'

/** Networks that nine of ten identities of a store come from: a load balancer's, or a proxy's. */
export function maskedNetworks({ identities }: Tally): ReadonlySet<string> {
  const byStore = new Map<string, number>()
  const byNetwork = new Map<string, number>()
  for (const { store, networks, identity } of identities.values()) {
    if (networks.size === 0 || identity.type === 'service') continue
    byStore.set(store, (byStore.get(store) ?? 0) + 1)
    for (const network of networks.keys()) byNetwork.set(`${store}:${network}`, (byNetwork.get(`${store}:${network}`) ?? 0) + 1)
  }
  const isMasked = ([key, count]: [string, number]): boolean => {
    const many = byStore.get(key.slice(0, key.indexOf(':'))) ?? 0
    return many >= LEAST_IDENTITIES && count >= 0.9 * many
  }
  return new Set([...byNetwork].filter(isMasked).map(([key]) => key))
}

const LEAST_IDENTITIES = 10

/** What the answer rests on, and what it cannot say. */
export function coverage(read: ReadLogs, all: Tally, masked: ReadonlySet<string>, settings: AuditSettings): Coverage {
  const { sources, records, events, duplicates, malformed, damage, bytes, outside, future } = read
  return {
    ...{ sources, records, events, duplicates, malformed, damage, bytes },
    skipped: Math.max(0, records - events - duplicates - malformed - outside - future),
    learning: learning(all, settings),
    gaps: gaps(read, all, masked)
  }
}

/** By days on which anything was heard: a log with one day in each of two years has taught nothing. */
function learning({ accounts }: Tally, { learnMs, volumeDays }: AuditSettings): Coverage['learning'] {
  const last = Math.max(0, ...[...accounts.values()].map(({ last }) => last))
  if (accounts.size === 0) return SIGNALS.map(({ name }) => ({ signal: name, until: 0, why: 'nothing was read' }))
  const heard = new Set([...accounts.values()].flatMap(({ days }) => days)).size
  const weeks = Math.ceil(learnMs / DAY_MS)
  const needs: readonly (readonly [string, number, string])[] = [
    ['new-network', weeks, 'where identities usually come from'],
    ['compute-outside', weeks, 'where compute usually calls from'],
    ['same-address-two-stores', weeks, 'which addresses usually read in two stores'],
    ['source-silent', weeks, 'how often a source is usually heard'],
    // Weekdays are five of seven.
    ['read-volume', Math.ceil((volumeDays * 7) / 5), 'how often secrets are usually read']
  ]
  return needs.flatMap(([signal, days, what]) =>
    heard < days ? [{ signal, until: last + (days - heard) * DAY_MS, why: `it is still learned ${what}` }] : []
  )
}

function gaps(read: ReadLogs, all: Tally, masked: ReadonlySet<string>): readonly Gap[] {
  const said = (code: string, count: number, text: string): readonly Gap[] => (count > 0 ? [{ code, text }] : [])
  const unread = [...all.accounts.values()].filter(({ reads, count }) => reads === 0 && count > 0)
  const salted = [...read.tally.accounts.values()].filter(({ store, saltedAt }) => store === 'vault' && saltedAt > 0)
  return [
    ...[...masked].map((key) => ({
      code: 'masked',
      text: `nearly everybody comes from ${key.slice(key.indexOf(':') + 1)}: a load balancer or proxy hides where calls come from, and new networks cannot be told there`
    })),
    ...unread.map(({ store, account }) => ({
      code: 'no-reads',
      text: `no read was logged in ${store} ${account}: ${store === 'gcp' ? 'DATA_READ audit logs are off by default' : 'reads may not be logged'}, so nothing is said of unread secrets there`
    })),
    ...salted.map(({ account }) => ({
      code: 'salt',
      text: `an audit device of Vault ${account} was enabled or disabled: its HMACs do not compare with those of before`
    })),
    ...[...all.capped].map(([name, count]) => ({
      code: 'capped',
      text: `there are more ${name} than are told apart: ${count} events were not counted there`
    })),
    ...said('future', read.future, `${read.future} events are later than the clock, and were left out`),
    ...said('outside', read.outside, `${read.outside} events are outside of the period`),
    ...said('duplicates', read.duplicates, `${read.duplicates} events were delivered more than once, and counted once`),
    ...said('malformed', read.malformed, `${read.malformed} records could not be read`)
  ]
}
