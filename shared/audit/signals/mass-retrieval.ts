import { freshPeaks, judged, MOST_THINGS } from '../burst.ts'
import { burstThresholds } from '../count.ts'
import { finding, minute } from '../findings.ts'
import { BUCKET_MS, type Peak, usualThings } from '../peaks.ts'
import type { Signal, View } from '../signal.ts'
import type { IdentityTally } from '../tally.ts'

const SIGNAL = {
  name: 'mass-retrieval',
  question: 'Did one identity read twenty or more different secrets within ten minutes, and three times what is usual for it?',
  severity: 'high',
  technique: 'T1555.006',
  todo: 'Unless it is a backup or a migration that you know: revoke the identity now, and rotate every secret that it read.'
} as const

/** Windows of identities that read in this run. */
export function readPeaks({
  all,
  fresh,
  settings
}: View): readonly [one: IdentityTally, peak: Peak, usual: number | undefined][] {
  const threshold = burstThresholds(settings).reads
  return [...fresh.identities.values()].flatMap(({ identity, reads }) => {
    const one = all.identities.get(identity.key)
    if (!one || reads.buckets.length === 0) return []
    const known = judged(one.reads, threshold)
    return freshPeaks(known, reads, threshold).map((peak): [IdentityTally, Peak, number | undefined] => [
      one,
      peak,
      usualThings(known, peak)
    ])
  })
}

export const massRetrieval: Signal = {
  ...SIGNAL,
  judge: (view) =>
    readPeaks(view)
      .filter(([, { distinct }, usual]) => distinct >= view.settings.massSecrets && distinct > 3 * (usual ?? 0))
      .map(([{ identity, store }, { span, distinct, from }, usual]) => {
        const many = distinct >= MOST_THINGS ? `at least ${distinct}` : `${distinct}`
        return finding(SIGNAL, {
          subject: { identity: identity.key, identityName: identity.name },
          store,
          span,
          title: `${identity.name} read ${many} different secrets within ten minutes`,
          why: `From ${minute(span.first)} on it read ${many} different secrets in ${span.count} calls${usual === undefined ? '' : `; before, on its busiest days, it read ${usual} in such a time`}.`,
          severity: usual === undefined || distinct > 10 * usual ? 'critical' : 'high',
          compared: { observed: distinct, usual, unit: 'secrets in 10 minutes' },
          when: from * BUCKET_MS
        })
      })
}
