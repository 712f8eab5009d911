import * as v from 'valibot'
import { KeyturnError } from '../../shared/errors.ts'
import { type ActionRequest, parseRequest } from '../../shared/request.ts'
import { type Instant, instant, instantIn, SecretText } from '../../shared/types.ts'

/**
 * What starts the function on AWS, told apart once, here.
 * - `step`: one of the four calls of Secrets Manager (user guide, "Rotation by Lambda function").
 * - `batch`: messages of SQS, each answered on its own.
 * - `request`: the common request: a direct invoke, or EventBridge Scheduler's Input, which comes without an envelope.
 */
export type AwsEvent =
  | {
      readonly kind: 'step'
      readonly step: Step
      readonly secretId: string
      readonly token: string
      readonly rotationToken?: SecretText
    }
  | { readonly kind: 'batch'; readonly messages: readonly Message[] }
  | { readonly kind: 'request'; readonly request: ActionRequest; readonly sentAt?: Instant | undefined }

export type Step = 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret'

export interface Message {
  readonly id: string
  readonly sentAt: Instant | undefined
  /** Parsed only when its turn comes: one bad message must not fail the others. */
  readonly parse: () => ActionRequest
}

const StepEvent = v.object({
  Step: v.string(),
  SecretId: v.pipe(v.string(), v.nonEmpty()),
  ClientRequestToken: v.pipe(v.string(), v.minLength(32), v.maxLength(64)),
  RotationToken: v.optional(v.string())
})

const Records = v.object({
  Records: v.array(
    v.object({
      messageId: v.string(),
      body: v.string(),
      eventSource: v.literal('aws:sqs'),
      attributes: v.optional(v.object({ SentTimestamp: v.optional(v.string()) }))
    })
  )
})

/** EventBridge's default notification, when a schedule or rule has no Input: the daily sweep. */
const Notification = v.object({ 'detail-type': v.literal('Scheduled Event'), time: v.optional(v.string()) })

const STEPS: readonly Step[] = ['createSecret', 'setSecret', 'testSecret', 'finishSecret']

/** The guide spells the steps `create_secret`, the service sends `createSecret`: both are taken. */
const stepOf = (name: string): Step | undefined => {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return STEPS.find((step) => step === camel)
}

/** Tells an event apart. Throws `invalid/step`, `invalid/request`; never quotes the event, which may carry a token. */
export function parseEvent(event: unknown): AwsEvent {
  if (isObject(event) && 'Step' in event) return parseStep(event)
  if (isObject(event) && 'Records' in event) return parseRecords(event)
  if (v.is(Notification, event)) {
    const sentAt = instantIn(event.time)
    return { kind: 'request', request: parseRequest({ action: 'sweep' }), sentAt }
  }
  return { kind: 'request', request: parseRequest(event) }
}

function parseStep(event: object): AwsEvent {
  const parsed = v.safeParse(StepEvent, event)
  if (!parsed.success) {
    const fields = parsed.issues.map((i) => v.getDotPath(i)).join(', ')
    throw new KeyturnError('invalid/request', `a rotation event with a bad ${fields}`)
  }
  const { Step, SecretId, ClientRequestToken, RotationToken } = parsed.output
  const step = stepOf(Step)
  if (!step) throw new KeyturnError('invalid/step', 'the rotation event names an unknown step')
  const base = { kind: 'step', step, secretId: SecretId, token: ClientRequestToken } as const
  return RotationToken === undefined ? base : { ...base, rotationToken: new SecretText(RotationToken) }
}

function parseRecords(event: object): AwsEvent {
  const parsed = v.safeParse(Records, event)
  if (!parsed.success) throw new KeyturnError('invalid/request', 'this function takes records of SQS only')
  const messages = parsed.output.Records.map(({ messageId, body, attributes }) => ({
    id: messageId,
    sentAt: attributes?.SentTimestamp === undefined ? undefined : instant(Number(attributes.SentTimestamp)),
    parse: () => parseRequest(bodyOf(body))
  }))
  return { kind: 'batch', messages }
}

/** A message sent through SNS without raw delivery is wrapped: `{"Type":"Notification","Message":"…"}`. */
function bodyOf(text: string): unknown {
  const body = jsonOf(text)
  return isObject(body) && 'Message' in body && 'Type' in body && typeof body.Message === 'string' ? jsonOf(body.Message) : body
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes its input.
    throw new KeyturnError('invalid/request', 'the message is not JSON')
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
