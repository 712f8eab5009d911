import { hasMark } from '../event.ts'
import { noticedFindings, times } from '../findings.ts'
import type { Signal } from '../signal.ts'

const SIGNAL = {
  name: 'root-used',
  question: 'Did anybody act as root, or make a root token?',
  severity: 'high',
  technique: 'T1078.004',
  todo: 'Root is for the first hour and for emergencies: find the ticket, then revoke the token or lock the user away again.'
} as const

export const rootUsed: Signal = {
  ...SIGNAL,
  watch: (event) => hasMark(event, 'root'),
  judge: ({ fresh }) =>
    noticedFindings(SIGNAL, fresh.notices.values(), ({ subject, operation, span }) => {
      const what = subject.secretName ?? subject.policy ?? subject.source
      return {
        title: `${subject.identityName} acted as root: ${operation}${what === undefined ? '' : ` of ${what}`}`,
        why: `Seen ${times(span.count)}. Nothing limits root, and it is nobody's own name.`
      }
    })
}
