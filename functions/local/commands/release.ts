import type { AddCommand } from '../command.ts'
import { changeMetadata } from '../metadata-change.ts'

export const addRelease: AddCommand = (program, start) => {
  program
    .command('release')
    .description('end a hold')
    .argument('<secret>', 'its name, or ARN')
    .action((secret: string) =>
      start('release', (i) =>
        changeMetadata(i, 'release', secret, ({ metadata }) =>
          metadata.hold === undefined
            ? { patch: {}, said: 'not on hold', json: { hold: null } }
            : { patch: { hold: null }, said: `released (it was held: ${metadata.hold.reason})`, json: { hold: null } }
        )
      )
    )
}
