import { act } from '../../../shared/act.ts'
import type { AddCommand } from '../command.ts'
import { dryRun } from '../forecast.ts'
import { reportsAnswer } from '../reports.ts'

export const addRotate: AddCommand = (program, start) => {
  program
    .command('rotate')
    .description('make a new credential, prove that it works, and make it current')
    .argument('<secret>', 'its name, or ARN')
    .option('--force', 'inside the grace too: clients that still hold the other half are cut')
    .option('--reason <text>', 'kept in the log')
    .action((secretId: string, { force = false, reason }: { force?: boolean; reason?: string }) =>
      start('rotate', async (i) => {
        if (i.dryRun) return dryRun(i, 'rotate', { want: 'rotate', force }, { secretId, force })
        i.progress.say(`rotating ${secretId}`)
        const asked = { action: 'rotate', secretId, force, endSessions: false, dryRun: false, reason } as const
        const delivery = { id: i.id, deadline: i.deadline, sweepConcurrency: 1 }
        const { results } = await act(i.local.core, { ...asked, requestId: undefined, requestedAt: undefined }, delivery)
        return reportsAnswer('rotate', results)
      })
    )
}
