import { hasMark } from '../event.ts'
import { noticedFindings } from '../findings.ts'
import type { Signal } from '../signal.ts'

const SIGNAL = {
  name: 'policy-public',
  question: 'Was a policy opened to everybody, or to another account?',
  severity: 'critical',
  technique: 'T1098',
  todo: 'Take the policy back now, then read who used the opening; rotate what could be read.'
} as const

export const policyPublic: Signal = {
  ...SIGNAL,
  watch: (event) => hasMark(event, 'madePublic') && event.outcome === 'done',
  judge: ({ fresh }) =>
    noticedFindings(SIGNAL, fresh.notices.values(), ({ subject, operation }) => ({
      title: `${subject.identityName} opened ${subject.secretName ?? subject.policy ?? 'a policy'} to others`,
      why: `${operation} lets in everybody, or another account, and nothing in it narrows that.`
    }))
}
