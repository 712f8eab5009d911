import middy, { type MiddyfiedHandler } from '@middy/core'
import type { Context, SQSBatchResponse } from 'aws-lambda'
import { act, type Delivery, type Report, throwOnFailure } from '../../shared/act.ts'
import { type Deadline, deadline } from '../../shared/deadline.ts'
import { asKeyturnError, KeyturnError } from '../../shared/errors.ts'
import { once } from '../../shared/once.ts'
import { logFailure } from '../../shared/report.ts'
import { type DrivenSteps, drivenSteps } from '../../shared/rotation/driven/steps.ts'
import { type Aws, VAULT_MARGIN_MS } from './compose.ts'
import { type AwsEvent, type Message, parseEvent, type Step } from './events.ts'
import { lambdaError } from './lambda-error.ts'

const STEPS = { createSecret: 'create', setSecret: 'set', testSecret: 'test', finishSecret: 'finish' } as const

/** What Lambda calls. */
export type Handler = MiddyfiedHandler<unknown, string | Report | SQSBatchResponse>

/**
 * One function on AWS: the four steps when Secrets Manager drives, the common request `{action: rotate | sweep | retire}` from
 * EventBridge Scheduler, SQS or a direct invoke. Failures throw, with the error's name set to its code, which Lambda reports
 * as `errorType`; of a batch, the failed messages are answered.
 * What it works with is built once a process. Not at import: what fails then is retried by Lambda as an init error, with its
 * message lost.
 */
export function lambda(composing: () => Promise<Aws>): Handler {
  const compose = once(composing)
  const steps = drivenSteps()
  return middy<unknown, string | Report | SQSBatchResponse>()
    .onError(({ error }) => {
      throw lambdaError(asKeyturnError(error))
    })
    .handler(async (event: unknown, context: Context) => {
      const aws = await compose()
      const leave = aws.enter()
      const limit = deadline(context.getRemainingTimeInMillis(), aws.takesSteps ? undefined : VAULT_MARGIN_MS)
      try {
        return await answer({ ...aws, steps }, parseEvent(event), context, limit)
      } catch (e) {
        logFailure(aws.log, asKeyturnError(e))
        throw e
      } finally {
        limit.end()
        await leave()
      }
    })
}

/** What one process works with. */
interface Process extends Aws {
  readonly steps: DrivenSteps
}

async function answer(
  aws: Process,
  event: AwsEvent,
  context: Context,
  limit: Deadline
): Promise<string | Report | SQSBatchResponse> {
  if (event.kind === 'step') return step(aws, event, limit)
  if (event.kind === 'batch') return batch(aws, event.messages, limit)
  return throwOnFailure(await act(aws.core(), event.request, delivery(aws, context.awsRequestId, event.sentAt, limit)))
}

async function step(
  { log, core, takesSteps, steps }: Process,
  event: Extract<AwsEvent, { kind: 'step' }>,
  limit: Deadline
): Promise<string> {
  if (!takesSteps) throw new KeyturnError('unsupported/store', 'Secrets Manager drives its own secrets, not those of Vault')
  const said = await steps[STEPS[event.step satisfies Step]]({
    core: core(event.rotationToken),
    secretId: event.secretId,
    token: event.token,
    deadline: limit
  })
  log.info('step', { step: event.step, secret: event.secretId, token: event.token, said })
  return said
}

/** One after the other: messages of one batch may name the same secret, and the time left is shared. */
async function batch(aws: Aws, messages: readonly Message[], limit: Deadline): Promise<SQSBatchResponse> {
  const batchItemFailures: { itemIdentifier: string }[] = []
  for (const message of messages) {
    try {
      throwOnFailure(await act(aws.core(), message.parse(), delivery(aws, message.id, message.sentAt, limit)))
    } catch (e) {
      logFailure(aws.log, asKeyturnError(e), { messageId: message.id })
      batchItemFailures.push({ itemIdentifier: message.id })
    }
  }
  return { batchItemFailures }
}

const delivery = ({ config }: Aws, id: string, sentAt: Delivery['sentAt'], limit: Deadline): Delivery => ({
  id,
  sentAt,
  deadline: limit,
  sweepConcurrency: config.sweepConcurrency
})
