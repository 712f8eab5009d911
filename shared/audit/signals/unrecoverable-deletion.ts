import { hasMark } from '../event.ts'
import { noticedFindings, times } from '../findings.ts'
import type { Signal, View } from '../signal.ts'
import type { Noticed } from '../tally.ts'

const SIGNAL = {
  name: 'unrecoverable-deletion',
  question: 'Was a secret or a key deleted so that nothing brings it back?',
  severity: 'high',
  technique: 'T1485',
  todo: 'Ask whether it was meant. If not, take the right away, restore from a backup, and look what else it deleted.'
} as const

/**
 * Keyturn's own: the pending value of a secret is kept beside it (stores/gcp-names.ts, azure-names.ts) or in a folder
 * (vault-kv.ts), and each rotation destroys the one before.
 */
function isOwnPending({ subject: { identity = '', secret = '' } }: Noticed, { all }: View): boolean {
  const main = secret.replace(/-pending$/, '').replace('/keyturn/pending/', '/')
  return main !== secret && (all.identities.get(identity)?.secrets.get(main)?.writes ?? 0) > 0
}

export const unrecoverableDeletion: Signal = {
  ...SIGNAL,
  watch: (event) => hasMark(event, 'unrecoverable'),
  judge: (view) =>
    noticedFindings(
      SIGNAL,
      [...view.fresh.notices.values()].filter((noticed) => !isOwnPending(noticed, view)),
      ({ subject, operation, outcome, span }) => ({
        title: `${subject.identityName} ${outcome === 'done' ? 'deleted' : 'tried to delete'} ${subject.secretName ?? subject.policy ?? 'a key'} for good`,
        why: `${operation}, ${times(span.count)}, ${outcome === 'done' ? 'with no way back' : 'refused or failed'}.`,
        severity: outcome === 'done' ? 'high' : 'medium'
      })
    )
}
