import { iso } from '../../../shared/types.ts'
import type { AddCommand } from '../command.ts'
import { timeOption, when } from '../humane.ts'
import { changeMetadata } from '../metadata-change.ts'

export const addHold: AddCommand = (program, start) => {
  program
    .command('hold')
    .description('stop everything that keyturn would do to one secret')
    .argument('<secret>', 'its name, or ARN')
    .requiredOption('--reason <text>', 'shown to whoever is refused')
    .option('--until <time>', 'ISO 8601, or a duration from now such as 36h; default: until it is released')
    .action((secret: string, { reason, until }: { reason: string; until?: string }) =>
      start('hold', (i) =>
        changeMetadata(i, 'hold', secret, ({ seenAt }) => {
          const ends = until === undefined ? undefined : timeOption(until, '--until', seenAt)
          const hold = ends === undefined ? { reason } : { reason, until: ends }
          return {
            patch: { hold },
            said: `on hold: ${reason}; ${ends === undefined ? 'until it is released' : `ends ${when(ends, seenAt)}`}`,
            json: { hold: { reason, until: ends === undefined ? null : iso(ends) } }
          }
        })
      )
    )
}
