import { hasMark } from '../event.ts'
import { noticedFindings } from '../findings.ts'
import type { Signal } from '../signal.ts'

const SIGNAL = {
  name: 'audit-disabled',
  question: 'Was what is logged made less?',
  severity: 'critical',
  technique: 'T1562.008',
  todo: 'Switch it on again, and treat the time between as unseen: rotate what this identity could read.'
} as const

export const auditDisabled: Signal = {
  ...SIGNAL,
  watch: (event) => hasMark(event, 'lessAudit'),
  judge: ({ fresh }) =>
    noticedFindings(SIGNAL, fresh.notices.values(), ({ subject, operation, outcome }) => ({
      title: `${subject.identityName} ${outcome === 'done' ? 'made' : 'tried to make'} the log less: ${operation}`,
      why: `${operation} of ${subject.policy ?? 'the log'} ${outcome === 'done' ? 'took effect' : 'did not take effect'}; after it not everything is logged.`,
      severity: outcome === 'done' ? 'critical' : 'high'
    }))
}
