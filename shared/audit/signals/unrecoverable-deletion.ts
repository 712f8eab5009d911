import { hasMark } from '../event.ts'
import { noticedFindings, times } from '../findings.ts'
import type { Signal } from '../signal.ts'

const SIGNAL = {
  name: 'unrecoverable-deletion',
  question: 'Was a secret or a key deleted so that nothing brings it back?',
  severity: 'high',
  technique: 'T1485',
  todo: 'Ask whether it was meant. If not, take the right away, restore from a backup, and look what else it deleted.'
} as const

export const unrecoverableDeletion: Signal = {
  ...SIGNAL,
  watch: (event) => hasMark(event, 'unrecoverable'),
  judge: ({ fresh }) =>
    noticedFindings(SIGNAL, fresh.notices.values(), ({ subject, operation, outcome, span }) => ({
      title: `${subject.identityName} ${outcome === 'done' ? 'deleted' : 'tried to delete'} ${subject.secretName ?? subject.policy ?? 'a key'} for good`,
      why: `${operation}, ${times(span.count)}, ${outcome === 'done' ? 'with no way back' : 'refused or failed'}.`,
      severity: outcome === 'done' ? 'high' : 'medium'
    }))
}
