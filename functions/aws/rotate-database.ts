import middy from '@middy/core'
import type { Context, SQSBatchResponse } from 'aws-lambda'
import { act, type Delivery, type Report, throwOnFailure } from '../../shared/act.ts'
import { type Deadline, deadline } from '../../shared/deadline.ts'
import { asKeyturnError, type KeyturnError } from '../../shared/errors.ts'
import { drivenSteps } from '../../shared/rotation/driven/steps.ts'
import { type Aws, composeAws } from './compose.ts'
import { type AwsEvent, type Message, parseEvent, type Step } from './events.ts'

const STEPS = { createSecret: 'create', setSecret: 'set', testSecret: 'test', finishSecret: 'finish' } as const

/**
 * Rotates database credentials in AWS Secrets Manager: the four steps when Secrets Manager drives, the common request
 * `{action: rotate | sweep | retire}` from EventBridge Scheduler, SQS or a direct invoke. Failures throw, with the
 * error's name set to its code, which Lambda reports as `errorType`; of a batch, the failed messages are answered.
 */
export const handler = middy<unknown, string | Report | SQSBatchResponse>()
  .onError(({ error }) => {
    throw lambdaError(asKeyturnError(error))
  })
  .handler(async (event: unknown, context: Context) => {
    const limit = deadline(context.getRemainingTimeInMillis())
    try {
      return await answer(parseEvent(event), context, limit)
    } catch (e) {
      compose().log.error('failed', failure(asKeyturnError(e)))
      throw e
    } finally {
      limit.end()
    }
  })

// Once a process. Not at import: what fails then is retried by Lambda as an init error, with its message lost.
let aws: Aws | undefined
const compose = (): Aws => {
  aws ??= composeAws(process.env)
  return aws
}

const steps = drivenSteps()

async function answer(event: AwsEvent, context: Context, limit: Deadline): Promise<string | Report | SQSBatchResponse> {
  if (event.kind === 'step') return step(event, limit)
  if (event.kind === 'batch') return batch(event.messages, limit)
  const core = compose().core()
  return throwOnFailure(await act(core, event.request, delivery(context.awsRequestId, event.sentAt, limit)))
}

async function step(event: Extract<AwsEvent, { kind: 'step' }>, limit: Deadline): Promise<string> {
  const { log, core } = compose()
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
async function batch(messages: readonly Message[], limit: Deadline): Promise<SQSBatchResponse> {
  const { log, core } = compose()
  const batchItemFailures: { itemIdentifier: string }[] = []
  for (const message of messages) {
    try {
      throwOnFailure(await act(core(), message.parse(), delivery(message.id, message.sentAt, limit)))
    } catch (e) {
      log.error('failed', { messageId: message.id, ...failure(asKeyturnError(e)) })
      batchItemFailures.push({ itemIdentifier: message.id })
    }
  }
  return { batchItemFailures }
}

const delivery = (id: string, sentAt: Delivery['sentAt'], limit: Deadline): Delivery => ({
  id,
  sentAt,
  deadline: limit,
  sweepConcurrency: compose().config.sweepConcurrency
})

const failure = (e: KeyturnError) => ({
  code: e.code,
  message: e.message,
  retryable: e.retryable,
  todo: e.todo,
  vendor: e.vendor
})

function lambdaError(e: KeyturnError): Error {
  const error = new Error(`${e.message}. ${e.todo}`)
  error.name = e.code
  return error
}
