import pMap from 'p-map'
import { act } from '../../../shared/act.ts'
import { asKeyturnError, KeyturnError } from '../../../shared/errors.ts'
import { failureOf } from '../../../shared/report.ts'
import { type AddCommand, type Answer, type Invocation, requestFor } from '../command.ts'
import { type Forecast, forecast, forecastAnswer } from '../forecast.ts'
import { plural } from '../humane.ts'
import { listSecrets, THE_STORE } from '../listing.ts'
import { reportsAnswer } from '../reports.ts'

export const addSweep: AddCommand = (program, start) => {
  program
    .command('sweep')
    .description('run every managed secret one step on: rotate what is due, retire what is over, finish what was left')
    .option('--concurrency <number>', 'how many secrets at once (KEYTURN_SWEEP_CONCURRENCY)')
    .action(({ concurrency }: { concurrency?: string }) =>
      start('sweep', async (i) => {
        const sweepConcurrency = concurrency === undefined ? i.local.config.sweepConcurrency : count(concurrency)
        return i.dryRun ? drySweep(i, sweepConcurrency) : sweep(i, sweepConcurrency)
      })
    )
}

async function sweep(i: Invocation, sweepConcurrency: number): Promise<Answer> {
  let ended = 0
  const onResult = () => i.progress.say(`${plural(++ended, 'secret')} swept`)
  const unset = { secretId: undefined, requestId: undefined, requestedAt: undefined, reason: undefined }
  const asked = { action: 'sweep', force: false, endSessions: false, dryRun: false, ...unset } as const
  const { results } = await act(i.local.core, asked, { id: i.id, deadline: i.deadline, sweepConcurrency, onResult })
  if (results.length > 0) return reportsAnswer('sweep', results)
  return { ...reportsAnswer('sweep', results), text: () => 'no managed secrets' }
}

async function drySweep(i: Invocation, concurrency: number): Promise<Answer> {
  const { core } = i.local
  const foreseen = async (secret: string): Promise<Forecast> => {
    try {
      return await forecast(core, { want: 'sweep', force: false }, requestFor(i, secret))
    } catch (e) {
      return unforeseen(secret, e)
    }
  }
  const { listed, error } = await listSecrets(i)
  const results = await pMap(listed, (facts) => foreseen(facts.id), { concurrency })
  return forecastAnswer('sweep', error ? [...results, unforeseen(THE_STORE, error)] : results)
}

function unforeseen(secret: string, e: unknown): Forecast {
  const unknown = { phase: 'absent', ends: '', current: null, steps: [], note: null, problems: [] } as const
  return { secret, ...unknown, refusal: failureOf(asKeyturnError(e)) }
}

function count(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > 64)
    throw new KeyturnError('invalid/request', '--concurrency must be a whole number from 1 to 64')
  return Number(text)
}
