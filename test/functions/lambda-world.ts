import { randomUUID } from 'node:crypto'
import { type FinishedRotation, type SecretsManagerDouble, startSecretsManager } from '../doubles/secrets-manager.ts'
import { type Cloud, type Owned, startCloud } from './lambda-cloud.ts'
import { eventOf } from './lambda-events.ts'
import { type FunctionError, type LambdaFunction, type Outcome, type Runtime, startLambda } from './lambda-runtime.ts'

/** The function as it ships, in a runtime of Lambda's, with Secrets Manager's double calling it and a real server behind. */
export interface LambdaWorld extends Cloud {
  readonly double: SecretsManagerDouble
  invoke(event: unknown, options?: { requestId?: string; timeoutMs?: number }): Promise<Outcome>
  /** RotateSecret, and everything that it drives. */
  rotate(secret: Pick<Owned, 'name'>, input?: { readonly RotateImmediately?: boolean }): Promise<FinishedRotation>
  /** Secrets Manager's second try after a failed step. */
  retry(secret: Pick<Owned, 'name'>): Promise<FinishedRotation>
  /** RotateSecret without a function that answers: AWSPENDING is on the token, and the test calls the steps itself. */
  registered(secret: Pick<Owned, 'name'>): Promise<string>
  step(name: StepEvent, secret: Pick<Owned, 'arn'>, token: string): Promise<Outcome>
  /** The next event meets a new process. */
  restart(): Promise<void>
  /** Each step in a process of its own, until told otherwise. */
  alwaysCold(on: boolean): void
  /** Everything that the processes have written. */
  output(): string
  /** By the store's clock. */
  advance(ms: number): void
}

export type StepEvent = 'create-secret' | 'set-secret' | 'test-secret' | 'finish-secret'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:123456789012:function:rotate-database'

export async function startLambdaWorld(settings: {
  readonly folder: string
  readonly runtime: Runtime
  readonly env?: Readonly<Record<string, string>>
}): Promise<LambdaWorld> {
  const clock = { ahead: 0 }
  const answering = { mute: false, cold: false }
  const processes: LambdaFunction[] = []
  const current = async (): Promise<LambdaFunction> => {
    const last = processes.at(-1)
    if (last) return last
    throw new Error('no process')
  }
  const double = await startSecretsManager({
    now: () => Date.now() + clock.ahead,
    invoke: async (event) => {
      if (answering.mute) throw new Error('no function answers')
      if (answering.cold) await restart()
      return answerOf(await (await current()).invoke(asSent(event)))
    }
  })
  const cloud = await startCloud(double.url)
  const restart = async () => {
    await processes.at(-1)?.stop()
    processes.push(await startLambda({ ...settings, env: { ...cloud.env, ...settings.env } }))
  }
  await restart()
  return {
    ...cloud,
    double,
    ...driver(cloud, double, answering),
    invoke: async (event, options) => (await current()).invoke(event, options),
    step: async (name, { arn }, token) =>
      (await current()).invoke(eventOf(name, { SecretId: arn, ClientRequestToken: token, RotationToken: randomUUID() })),
    restart,
    alwaysCold: (on) => {
      answering.cold = on
    },
    output: () => processes.map((p) => p.output()).join(''),
    advance: (ms) => {
      clock.ahead += ms
    },
    close: async () => {
      await processes.at(-1)?.stop()
      await double.close()
      await cloud.close()
    }
  }
}

/** The event files' own shape, with what the double says. */
const FILES = { createSecret: 'create-secret', setSecret: 'set-secret', testSecret: 'test-secret', finishSecret: 'finish-secret' }
const asSent = (event: { readonly Step: keyof typeof FILES }) => eventOf(FILES[event.Step], { ...event })

function driver(
  { owner }: Cloud,
  double: SecretsManagerDouble,
  answering: { mute: boolean }
): Pick<LambdaWorld, 'rotate' | 'retry' | 'registered'> {
  const last = async (): Promise<FinishedRotation> => {
    const ended = (await double.idle()).at(-1)
    if (!ended) throw new Error('nothing was rotated')
    return ended
  }
  const RotationRules = { AutomaticallyAfterDays: 30 }
  const rotation = ({ name }: Pick<Owned, 'name'>) => ({ SecretId: name, RotationLambdaARN: FUNCTION_ARN, RotationRules })
  return {
    rotate: async (secret, input = {}) => {
      await owner.rotateSecret({ ...rotation(secret), ClientRequestToken: randomUUID(), ...input })
      return last()
    },
    retry: async ({ name }) => {
      double.retryRotation(name)
      return last()
    },
    registered: async (secret) => {
      const ClientRequestToken = randomUUID()
      answering.mute = true
      await owner.rotateSecret({ ...rotation(secret), ClientRequestToken })
      await double.idle()
      answering.mute = false
      return ClientRequestToken
    }
  }
}

/** A function's error as what Secrets Manager sees of it. */
function answerOf(outcome: Outcome): unknown {
  if ('error' in outcome) throw Object.assign(new Error(outcome.error.errorMessage), { name: outcome.error.errorType })
  return outcome.answer
}

export function errorOf(outcome: Outcome): FunctionError {
  if ('error' in outcome) return outcome.error
  throw new Error(`no error, but ${JSON.stringify(outcome.answer)}`)
}
