import { act } from '../../../shared/act.ts'
import type { AddCommand } from '../command.ts'
import { dryRun } from '../forecast.ts'
import { reportsAnswer } from '../reports.ts'

interface Options {
  readonly force?: boolean
  readonly endSessions?: boolean
}

export const addRetire: AddCommand = (program, start) => {
  program
    .command('retire')
    .description('kill the previous credential, and prove that it is dead')
    .argument('<secret>', 'its name, or ARN')
    .option('--force', 'inside the grace too: clients that still hold it are cut')
    .option('--end-sessions', 'end the sessions that it still has, instead of being refused')
    .action((secretId: string, { force = false, endSessions = false }: Options) =>
      start('retire', async (i) => {
        if (i.dryRun) return dryRun(i, 'retire', { want: 'retire', force, endSessions }, { secretId, force, endSessions })
        i.progress.say(`retiring the previous credential of ${secretId}`)
        const asked = { action: 'retire', secretId, force, endSessions, dryRun: false } as const
        const delivery = { id: i.id, deadline: i.deadline, sweepConcurrency: 1 }
        const unset = { requestId: undefined, requestedAt: undefined, reason: undefined }
        const { results } = await act(i.local.core, { ...asked, ...unset }, delivery)
        return reportsAnswer('retire', results)
      })
    )
}
