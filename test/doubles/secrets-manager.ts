import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { textOf } from './faulty-server.ts'
import {
  deleteSecret,
  describeSecret,
  listSecrets,
  listSecretVersionIds,
  replicateSecretToRegions,
  restoreSecret,
  tagResource,
  untagResource
} from './secrets-manager-catalog.ts'
import { type FinishedRotation, type RotationEvent, type Rotator, rotator } from './secrets-manager-rotation.ts'
import {
  type Account,
  type Input,
  lookUp,
  type Operation,
  type Replica,
  type Secret,
  text,
  type Value,
  vendorError,
  vendorType
} from './secrets-manager-state.ts'
import { createSecret, getSecretValue, putSecretValue, updateSecretVersionStage } from './secrets-manager-values.ts'

export type { FinishedRotation, RotationEvent }

/**
 * before: the connection is destroyed, nothing happened. lost: it happened, and the connection is destroyed without an
 * answer. after: it happened and is answered; who set the hook stops its own run then. error: the vendor's error instead.
 */
export type Fault = 'before' | 'lost' | 'after' | { readonly error: string; readonly message?: string }

export interface Call {
  readonly op: string
  /** As the caller named it. */
  readonly secretId: string
  /** ClientRequestToken, where the call has one. */
  readonly token?: string
  readonly at: number
}

export interface IncomingCall {
  readonly op: string
  /** Counts every request from 0, the SDK's own retries too. */
  readonly index: number
  readonly input: Input
}

export interface SecretsManagerOptions {
  readonly region?: string
  /** Milliseconds since the epoch; every date, and the HTTP Date header, comes from here. */
  readonly now?: () => number
  /** May be asynchronous: a call waits, without effect, until it resolves. */
  readonly fault?: ((call: IncomingCall) => Fault | undefined | Promise<Fault | undefined>) | undefined
  /** The rotation function. A rejection is a failed step. */
  readonly invoke?: (event: RotationEvent) => Promise<unknown>
}

/** What no API call of an owner can set. */
export interface Settings {
  readonly owningService?: string
  readonly type?: string
  readonly replication?: readonly Replica[]
}

export interface SecretsManagerDouble {
  readonly url: string
  readonly calls: readonly Call[]
  /** Replaces the fault hook. */
  setFault(fault: SecretsManagerOptions['fault']): void
  set(name: string, settings: Settings): void
  /** Every version that still exists, oldest first, with its value: for assertions. */
  versions(
    name: string
  ): readonly { readonly id: string; readonly stages: readonly string[]; readonly value: Value | undefined }[]
  /** Removes what has no label, as Secrets Manager may at any time once it is 24 hours old. */
  purgeDeprecated(name: string): void
  /** Drives the pending rotation once more with its token, as Secrets Manager does after a failed step. */
  retryRotation(name: string): void
  /** Resolves when no rotation runs, with all that ended so far. */
  idle(): Promise<readonly FinishedRotation[]>
  close(): Promise<void>
}

const operations = (rotations: Rotator): Readonly<Record<string, Operation>> => ({
  CreateSecret: createSecret,
  DescribeSecret: describeSecret,
  GetSecretValue: getSecretValue,
  PutSecretValue: putSecretValue,
  UpdateSecretVersionStage: updateSecretVersionStage,
  ListSecrets: listSecrets,
  ListSecretVersionIds: listSecretVersionIds,
  TagResource: tagResource,
  UntagResource: untagResource,
  RotateSecret: rotations.rotateSecret,
  CancelRotateSecret: rotations.cancelRotateSecret,
  DeleteSecret: deleteSecret,
  RestoreSecret: restoreSecret,
  ReplicateSecretToRegions: replicateSecretToRegions
})

/**
 * A double of AWS Secrets Manager on 127.0.0.1, written from the API reference; each page is named beside its
 * behaviour.
 */
export async function startSecretsManager(options: SecretsManagerOptions = {}): Promise<SecretsManagerDouble> {
  const account: Account = { region: options.region ?? 'us-east-1', now: options.now ?? Date.now, secrets: new Map() }
  const rotations = rotator(account, options.invoke)
  const table = operations(rotations)
  const calls: Call[] = []
  let fault = options.fault
  const server = createServer(async (request, response) => {
    const op = String(request.headers['x-amz-target'] ?? '').replace(/^secretsmanager\./, '')
    const input = await inputOf(request)
    const index = calls.push(callOf(op, input, account.now())) - 1
    await answer(response, account, await fault?.({ op, index, input }), () => run(table, account, op, input))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    setFault: (next) => {
      fault = next
    },
    ...controls(account, rotations),
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}

type Controls = Pick<SecretsManagerDouble, 'set' | 'versions' | 'purgeDeprecated' | 'retryRotation' | 'idle'>

function controls(account: Account, rotations: Rotator): Controls {
  const secret = (name: string): Secret => {
    const found = lookUp(account, name)
    if (!found) throw new Error(`no secret ${name}`)
    return found
  }
  return {
    set: (name, settings) => {
      const { replication, ...rest } = settings
      Object.assign(secret(name), rest, replication && { replicas: replication })
    },
    versions: (name) => [...secret(name).versions.values()].map((v) => ({ id: v.id, stages: [...v.labels], value: v.value })),
    purgeDeprecated: (name) => {
      const { versions } = secret(name)
      for (const v of versions.values()) if (v.labels.size === 0) versions.delete(v.id)
    },
    retryRotation: (name) => rotations.retry(secret(name)),
    idle: rotations.idle
  }
}

async function inputOf(request: IncomingMessage): Promise<Input> {
  const body = await textOf(request)
  return body === '' ? {} : (JSON.parse(body) as Input)
}

function callOf(op: string, input: Input, at: number): Call {
  const token = input.ClientRequestToken
  return { op, secretId: String(input.SecretId ?? input.Name ?? ''), ...(typeof token === 'string' && { token }), at }
}

function run(table: Readonly<Record<string, Operation>>, account: Account, op: string, input: Input): object {
  const operation = table[op]
  if (!operation) throw vendorError('UnknownOperationException', `This double does not know ${op}.`)
  // API_Filter and the SecretId members have type String on every page: checked once.
  text(input, 'SecretId')
  return operation(account, input)
}

type Answer = { readonly status: number; readonly body: object }

/** CommonErrors: HTTP 400, and 5xx for a fault of the server's own. */
function failure(type: string, message: string): Answer {
  const status = { InternalServiceError: 500, InternalFailure: 500, ServiceUnavailable: 503 }[type] ?? 400
  return { status, body: { __type: type, Message: message } }
}

function outcome(effect: () => object): Answer {
  try {
    return { status: 200, body: effect() }
  } catch (error) {
    const type = vendorType(error)
    if (type === undefined) return failure('InternalServiceError', `double: ${String(error)}`)
    return failure(type, (error as Error).message)
  }
}

async function answer(response: ServerResponse, account: Account, fault: Fault | undefined, effect: () => object): Promise<void> {
  if (fault === 'before') return void response.destroy()
  const { status, body } =
    typeof fault === 'object' ? failure(fault.error, fault.message ?? `${fault.error} by the fault hook`) : outcome(effect)
  if (fault === 'lost') return void response.destroy()
  response.writeHead(status, {
    'Content-Type': 'application/x-amz-json-1.1',
    'x-amzn-RequestId': randomUUID(),
    Date: new Date(account.now()).toUTCString()
  })
  response.end(JSON.stringify(body))
}
