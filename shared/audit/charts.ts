import type { Finding } from './finding.ts'
import { HOUR_MS } from './hours.ts'
import type { AuditSettings } from './settings.ts'
import type { Charts } from './summary.ts'
import { byKey, type Tally } from './tally.ts'
import { judgedHours } from './volume.ts'

/** Secrets that are drawn: those of findings first, then those that are read most. */
const MOST_DRAWN = 12

export function charts(all: Tally, findings: readonly Finding[], settings: AuditSettings): Charts {
  const flagged = new Map<string, number[]>()
  for (const { signal, subject, first } of findings)
    if (signal === 'read-volume' && subject.secret)
      flagged.set(subject.secret, [...(flagged.get(subject.secret) ?? []), Math.floor(first / HOUR_MS)])
  const byReads = [...all.secrets.values()].sort(byKey).map((one) => ({
    one,
    reads: one.reads.counts.reduce((sum, count) => sum + count, 0)
  }))
  const drawn = byReads
    .filter(({ reads }) => reads > 0)
    .sort((a, b) => Number(flagged.has(b.one.secret.key)) - Number(flagged.has(a.one.secret.key)) || b.reads - a.reads)
    .slice(0, MOST_DRAWN)
  return {
    reads: drawn.map(({ one }) => ({
      secret: one.secret.key,
      secretName: one.secret.name,
      hours: judgedHours(one, all, settings, true).map(({ hour, count, usual }) => [hour, count, usual] as const),
      flagged: flagged.get(one.secret.key) ?? []
    })),
    week: { zone: settings.zone, people: inZone(all.week.people, settings.zone), others: inZone(all.week.others, settings.zone) }
  }
}

/** Hours of the week in a zone, by its offset in the middle of 2026: a zone's summer time moves the picture by one hour. */
function inZone(hours: readonly number[], zone: string): readonly number[] {
  const at = Date.UTC(2026, 6, 6)
  const local = new Date(new Date(at).toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T').concat('Z')).getTime()
  const shift = Math.round((local - at) / HOUR_MS)
  const moved = Array<number>(168).fill(0)
  hours.forEach((count, hour) => {
    const place = (((hour + shift) % 168) + 168) % 168
    moved[place] = (moved[place] ?? 0) + count
  })
  return moved
}
