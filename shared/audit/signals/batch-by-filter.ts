import { hasMark } from '../event.ts'
import { noticedFindings, times } from '../findings.ts'
import type { Signal } from '../signal.ts'

const SIGNAL = {
  name: 'batch-by-filter',
  question: 'Were secrets fetched by a filter and not by their names?',
  severity: 'medium',
  technique: 'T1555.006',
  todo: 'Find out which program does so. Take secretsmanager:BatchGetSecretValue from who does not need it.'
} as const

export const batchByFilter: Signal = {
  ...SIGNAL,
  watch: (event) => hasMark(event, 'byFilter'),
  judge: ({ fresh }) =>
    noticedFindings(SIGNAL, fresh.notices.values(), ({ subject, span, outcome }) => ({
      title: `${subject.identityName} ${outcome === 'done' ? 'fetched' : 'tried to fetch'} secrets by a filter, ${times(span.count)}`,
      why: 'A filter gives whatever matches, up to all that the caller may read; a program that needs a secret knows its name.'
    }))
}
