import { randomUUID } from 'node:crypto'
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  RestoreSecretCommand,
  RotateSecretCommand,
  type SecretsManagerClient,
  TagResourceCommand
} from '@aws-sdk/client-secrets-manager'
import { encodePatch } from '../../shared/metadata.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { type AwsSecretsManager, awsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import { type Bench, fresh, type Inject, type StoreHarness } from '../conformance/store-harness.ts'
import { type IncomingCall, type SecretsManagerDouble, startSecretsManager } from '../doubles/secrets-manager.ts'

export interface AwsHarness extends StoreHarness {
  readonly store: AwsSecretsManager
  readonly double: SecretsManagerDouble
  /** An owner's client, with no settings of keyturn's. */
  readonly owner: SecretsManagerClient
  /** The calls that the work made, in order. */
  calls(work: () => Promise<unknown>): Promise<readonly string[]>
}

const WRITES = ['PutSecretValue', 'UpdateSecretVersionStage', 'TagResource', 'UntagResource']
/** What a person does in a test is never hit by a fault. */
const PERSON = ['CreateSecret', 'DeleteSecret', 'RestoreSecret']

/** Secrets Manager's double, and the store over the genuine client. */
export async function startAws(maxAttempts = 2): Promise<AwsHarness> {
  process.env.AWS_ACCESS_KEY_ID ??= 'AKIAEXAMPLE'
  process.env.AWS_SECRET_ACCESS_KEY ??= 'example'
  let ahead = 0
  const double = await startSecretsManager({ now: () => Date.now() + ahead })
  const settings = { region: 'us-east-1', endpoint: double.url }
  const client = secretsManagerClient({ ...settings, maxAttempts })
  const owner = secretsManagerClient(settings)
  return {
    double,
    owner,
    store: awsSecretsManager({ client }),
    ...hands(owner),
    advance: (ms) => {
      ahead += ms
    },
    calls: async (work) => {
      const before = double.calls.length
      await work()
      return double.calls.slice(before).map((c) => c.op)
    },
    faults: faultsOf(double, owner),
    close: async () => {
      client.destroy()
      owner.destroy()
      await double.close()
    }
  }
}

function hands(owner: SecretsManagerClient): Pick<StoreHarness, 'create' | 'overwrite' | 'writeRaw' | 'ordinaryRead'> {
  return {
    create: async (name, text, metadata) => {
      const Tags = Object.entries(encodePatch(metadata).set).map(([key, Value]) => ({ Key: `keyturn:${key}`, Value }))
      const made = await owner.send(new CreateSecretCommand({ Name: name, SecretString: text, Tags }))
      return made.ARN ?? name
    },
    overwrite: async (id, text) => {
      await owner.send(new PutSecretValueCommand({ SecretId: id, ClientRequestToken: randomUUID(), SecretString: text }))
    },
    writeRaw: async (id, key, text) => {
      await owner.send(new TagResourceCommand({ SecretId: id, Tags: [{ Key: `keyturn:${key}`, Value: text }] }))
    },
    ordinaryRead: async (id) => (await owner.send(new GetSecretValueCommand({ SecretId: id }))).SecretString ?? ''
  }
}

function faultsOf(double: SecretsManagerDouble, owner: SecretsManagerClient): StoreHarness['faults'] {
  const end = async () => double.setFault(undefined)
  const always = (error: string | undefined): Inject => {
    return async () => {
      double.setFault(({ op }) => (PERSON.includes(op) ? undefined : error === undefined ? 'before' : { error }))
      return end
    }
  }
  const once = (hit: (call: IncomingCall) => boolean, fault: 'lost' | { error: string }): Inject => {
    return async () => {
      let done = false
      double.setFault((call) => {
        if (done || !hit(call)) return undefined
        done = true
        return fault
      })
      return end
    }
  }
  return {
    denied: always('AccessDeniedException'),
    'throttled on and on': always('ThrottlingException'),
    'no answer': always(undefined),
    'throttled a little': once(() => true, { error: 'ThrottlingException' }),
    'lost answer': once(({ op }) => WRITES.includes(op), 'lost'),
    disabled: async (id) => {
      await owner.send(new DeleteSecretCommand({ SecretId: id }))
      return async () => void (await owner.send(new RestoreSecretCommand({ SecretId: id })))
    }
  }
}

/** A secret whose rotation Secrets Manager began: AWSPENDING is on the token, without a value. */
export async function registered(
  aws: AwsHarness,
  b: Bench
): Promise<{ readonly id: string; readonly base: string; readonly pending: string }> {
  const { id, base } = await fresh(b)
  const RotationLambdaARN = 'arn:aws:lambda:us-east-1:123456789012:function:keyturn'
  const ClientRequestToken = randomUUID()
  await aws.owner.send(
    new RotateSecretCommand({
      SecretId: id,
      RotationLambdaARN,
      ClientRequestToken,
      RotationRules: { AutomaticallyAfterDays: 30 }
    })
  )
  return { id, base, pending: ClientRequestToken }
}

/** Every label of keyturn's on any version. */
export const marks = (aws: AwsHarness, id: string): readonly string[] =>
  aws.double.versions(id).flatMap((v) => v.stages.filter((s) => s.startsWith('keyturn')))
