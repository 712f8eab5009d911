import { finding, minute } from '../findings.ts'
import { BUCKET_MS } from '../peaks.ts'
import type { Signal } from '../signal.ts'
import { readPeaks } from './mass-retrieval.ts'

const SIGNAL = {
  name: 'list-then-read',
  question: 'Did an identity list secrets and then read several of them within ten minutes?',
  severity: 'medium',
  technique: 'T1555.006',
  todo: 'A program knows the names of its secrets; who looks them up first is a person, or a thief. Ask which.'
} as const

export const listThenRead: Signal = {
  ...SIGNAL,
  judge: (view) =>
    readPeaks(view).flatMap(([{ identity, store }, { afterList, from }, usual]) => {
      if (!afterList || afterList.distinct < view.settings.listThenRead || afterList.distinct <= 3 * (usual ?? 0)) return []
      const { span, distinct, listed } = afterList
      return [
        finding(SIGNAL, {
          subject: { identity: identity.key, identityName: identity.name },
          store,
          span,
          title: `${identity.name} listed secrets and read ${distinct} of them`,
          why: `It listed at ${minute(listed)} and read ${distinct} different secrets by ${minute(span.last)}.`,
          compared: { observed: distinct, usual, unit: 'secrets after a list' },
          when: from * BUCKET_MS
        })
      ]
    })
}
