import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { startMoto } from '../doubles/moto.ts'
import { type SecretsManagerDouble, startSecretsManager } from '../doubles/secrets-manager.ts'
import { type Cloud, type Owned, type SecretOptions, startCloud } from '../functions/lambda-cloud.ts'
import { eventOf } from '../functions/lambda-events.ts'

/** Answers one step's event; what it throws has failed the rotation. */
export type Step = (event: object) => Promise<unknown>

/** A store of secrets and a database, for handlers in processes of their own. */
export interface Stage {
  /** What the figures are named by. */
  readonly store: string
  readonly cloud: Cloud
  /** RotateSecret, and the four steps that it drives. Throws what a step threw. */
  rotate(secret: Owned, step: Step): Promise<void>
  /** The first event of a new rotation, which the store itself sends to nobody. */
  begin(secret: Owned): Promise<object>
  /** Calls that handlers made so far. */
  calls(): number
  close(): Promise<void>
}

const OUR_DOUBLE = 'keyturn’s double of Secrets Manager'
export const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:rotate'
const STEPS = ['create-secret', 'set-secret', 'test-secret', 'finish-secret'] as const
/** What AWS's multi-user template takes: the one shape that both handlers rotate. */
export const TEMPLATE: SecretOptions = { mode: 'clone', cloneExists: true }
/** What the bench itself asks, and no handler. */
const OWNERS = ['CreateSecret', 'RotateSecret']

export const callsOf = ({ calls }: SecretsManagerDouble): number => calls.filter(({ op }) => !OWNERS.includes(op)).length

const eventFor = (name: string, { arn }: Owned, token: string) => eventOf(name, { SecretId: arn, ClientRequestToken: token })

const register = async ({ owner }: Cloud, { name }: Owned, RotationLambdaARN: string): Promise<string> => {
  const ClientRequestToken = randomUUID()
  const RotationRules = { AutomaticallyAfterDays: 30 }
  await owner.rotateSecret({ SecretId: name, ClientRequestToken, RotationLambdaARN, RotationRules })
  return ClientRequestToken
}

/** @param speed how many times as fast as ours the store's clock runs. */
export async function onOurDouble(speed = 1): Promise<Stage> {
  const start = Date.now()
  const nobody: Step = () => Promise.reject(new Error('nobody answers'))
  const state = { step: nobody }
  const now = () => start + (Date.now() - start) * speed
  const double = await startSecretsManager({ now, invoke: (event) => state.step(event) })
  const cloud = await startCloud(double.url)
  return {
    store: OUR_DOUBLE,
    cloud,
    rotate: async (secret, step) => {
      state.step = step
      await register(cloud, secret, FUNCTION)
      const ended = (await double.idle()).at(-1)
      if (ended?.error) throw ended.error
    },
    begin: async (secret) => {
      state.step = nobody
      const token = await register(cloud, secret, FUNCTION)
      await double.idle()
      return eventFor('create-secret', secret, token)
    },
    calls: () => callsOf(double),
    close: async () => {
      await double.close()
      await cloud.close()
    }
  }
}

/** The same double in a process of its own: for times. What was called is not counted. */
export async function onOurDoubleElsewhere(): Promise<Stage> {
  const child = fork(join(import.meta.dirname, 'store-process.ts'))
  const ended = once(child, 'exit')
  const [url] = (await once(child, 'message')) as readonly string[]
  const close = async () => {
    child.disconnect()
    await ended
  }
  return elsewhere({ store: OUR_DOUBLE, url: String(url), functionArn: FUNCTION, calls: () => Number.NaN, close })
}

export async function onMoto(file: string): Promise<Stage> {
  const moto = await startMoto(file)
  const front = await startCounter(moto.url)
  const close = async () => {
    await front.close()
    await moto.close()
  }
  return elsewhere({ store: 'moto_server', url: front.url, functionArn: moto.functionArn, calls: front.calls, close })
}

/** A store that calls no function, or one that does nothing: the steps are sent after RotateSecret was answered. */
async function elsewhere(server: {
  readonly store: string
  readonly url: string
  readonly functionArn: string
  readonly calls: () => number
  readonly close: () => Promise<void>
}): Promise<Stage> {
  const cloud = await startCloud(server.url)
  return {
    store: server.store,
    cloud,
    rotate: async (secret, step) => {
      const token = await register(cloud, secret, server.functionArn)
      for (const name of STEPS) await step(eventFor(name, secret, token))
    },
    begin: async (secret) => eventFor('create-secret', secret, await register(cloud, secret, server.functionArn)),
    calls: server.calls,
    close: async () => {
      await cloud.close()
      await server.close()
    }
  }
}

/** moto keeps no record of what it was asked, so a server in front of it counts. */
async function startCounter(url: string) {
  let count = 0
  const server = createServer((from, to) => {
    const op = String(from.headers['x-amz-target']).split('.')[1] ?? ''
    if (!OWNERS.includes(op)) count++
    const passed = request(url, { method: from.method, path: from.url, headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(to)
    })
    passed.on('error', () => to.destroy())
    from.pipe(passed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: () => count,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}
