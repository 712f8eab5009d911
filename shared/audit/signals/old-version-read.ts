import { hasMark } from '../event.ts'
import { noticedFindings, times } from '../findings.ts'
import type { Signal } from '../signal.ts'

const SIGNAL = {
  name: 'old-version-read',
  question: 'Was a version before the current one read, or a secret that waits for its deletion?',
  severity: 'medium',
  technique: 'T1555.006',
  todo: 'A program that cached a version should be restarted; nobody else has a reason to look for an old value.'
} as const

/** Who writes a secret reads the version before too: a rotator does, each time. */
export const oldVersionRead: Signal = {
  ...SIGNAL,
  watch: (event) => event.kind === 'read' && (hasMark(event, 'oldVersion') || hasMark(event, 'deletionPending')),
  judge: ({ fresh, all }) =>
    noticedFindings(
      SIGNAL,
      [...fresh.notices.values()].filter(({ subject: { identity = '', secret = '' } }) => {
        const pair = all.identities.get(identity)?.secrets.get(secret)
        return pair === undefined || pair.writes === 0
      }),
      ({ subject, operation, span, outcome }) => ({
        title: `${subject.identityName} asked for an old version of ${subject.secretName ?? 'a secret'}`,
        why: `${operation}, ${times(span.count)}, named a version by itself or a secret that is deleted, ${outcome === 'done' ? 'and got it' : 'and did not get it'}.`
      })
    )
}
