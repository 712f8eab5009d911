import { DAY_MS } from '../../duration.ts'
import type { SecretFacts } from '../../ports/secret-store.ts'
import { controlsOf } from '../controls.ts'
import type { AuditSettings } from '../settings.ts'
import type { OrphanRow } from '../summary.ts'
import { byKey, type SecretTally, type Tally } from '../tally.ts'
import { matched } from './listed.ts'

/**
 * Secrets that nobody reads. The log's own last read is believed where reads are logged and it was listened to for long
 * enough; else nothing is said of a secret, because a log that does not see reads makes every secret look forgotten.
 * Where the store itself tells when a secret was last read (AWS LastAccessedDate, by the day), the later of both counts.
 */
export function orphans(
  { secrets, accounts }: Tally,
  listed: readonly SecretFacts[] | undefined,
  { orphanMs }: AuditSettings,
  now: number
): readonly OrphanRow[] {
  const logged = [...secrets.values()].sort(byKey)
  const same = matched(logged, listed ?? [])
  const rows = logged.flatMap((one): OrphanRow[] => {
    const { secret, deleted } = one
    const account = accounts.get(`${secret.store}:${secret.account}`)
    const told = same.listed.get(one)?.lastReadAt
    const heardMs = account && account.reads > 0 ? now - account.first : 0
    const last = Math.max(one.lastRead, told ?? 0)
    if (deleted > one.lastWrite || (told === undefined && heardMs < orphanMs) || now - last < orphanMs) return []
    return [row(one, last, told !== undefined && told >= one.lastRead ? 'store' : 'log', now)]
  })
  const unheard = listed?.flatMap((facts): OrphanRow[] => {
    const { name, lastReadAt } = facts
    if (same.logged.has(facts) || lastReadAt === undefined || now - lastReadAt < orphanMs) return []
    const days = Math.floor((now - lastReadAt) / DAY_MS)
    return [
      {
        secret: name,
        store: 'listed',
        lastRead: lastReadAt,
        from: 'store',
        days,
        why: `not read for ${days} days`,
        controls: controlsOf('orphans')
      }
    ]
  })
  return [...rows, ...(unheard ?? [])].sort((a, b) => (a.lastRead ?? 0) - (b.lastRead ?? 0))
}

function row({ secret, first }: SecretTally, last: number, from: OrphanRow['from'], now: number): OrphanRow {
  const isNever = last === 0
  const days = Math.floor((now - (isNever ? first : last)) / DAY_MS)
  return {
    secret: secret.name,
    store: secret.store,
    lastRead: isNever ? undefined : last,
    from,
    days,
    why: isNever ? `never read in the ${days} days since it was first seen` : `not read for ${days} days`,
    controls: controlsOf('orphans')
  }
}
