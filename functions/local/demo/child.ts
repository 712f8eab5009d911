// Loaded while it waits; otherwise the target loads it when it logs in.
import 'pg'
import { act } from '../../../shared/act.ts'
import { deadline } from '../../../shared/deadline.ts'
import { failed, type SecretReport } from '../../../shared/report.ts'
import { composeLocal } from '../compose.ts'
import { dyingAt, type KillPoint } from './killing.ts'

/** One run of keyturn, in a process of its own. */
export interface Job {
  readonly action: 'rotate' | 'retire'
  readonly secretId: string
  /** The same for every run of one request: it was delivered again. */
  readonly requestId: string
  readonly killAt?: KillPoint | undefined
}

/** Started ahead of time, it waits for its job. */
process.once('message', async (job: Job) => {
  const report = await run(job)
  process.send?.(report, () => process.disconnect())
})

async function run({ killAt, ...asked }: Job): Promise<SecretReport> {
  const limit = deadline(20_000)
  try {
    const { core } = await composeLocal({ environment: process.env, logTo: process.stderr })
    const dying = dyingAt({ ...core }, killAt, () => process.kill(process.pid, 'SIGKILL'))
    const unset = { force: false, endSessions: false, dryRun: false, reason: undefined, requestedAt: undefined }
    const { results } = await act(dying, { ...asked, ...unset }, { id: asked.requestId, deadline: limit, sweepConcurrency: 1 })
    return results[0] ?? failed(asked.secretId, new Error('no result'))
  } catch (e) {
    return failed(asked.secretId, e)
  } finally {
    limit.end()
  }
}
