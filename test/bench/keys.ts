import { randomUUID } from 'node:crypto'
import { CreateSecretCommand, DescribeSecretCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager'
import { deadline } from '../../shared/deadline.ts'
import { silentLog } from '../../shared/log.ts'
import type { Core } from '../../shared/rotation/core.ts'
import { type DrivenSteps, drivenSteps } from '../../shared/rotation/driven/steps.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { awsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import type { KeysHarness } from '../conformance/keys-harness.ts'
import { iamHarness as startGoogleIam } from '../doubles/google-iam-harness.ts'
import { startGraphHarness } from '../doubles/graph-harness.ts'
import { startIamHarness } from '../doubles/iam-harness.ts'
import { startSecretsManager } from '../doubles/secrets-manager.ts'
import { HOUR, rotated } from '../rotation/crash-worlds.ts'
import { startAzure } from '../stores/azure-harness.ts'
import { startGcp } from '../stores/gcp-harness.ts'

/** What one rotation of a key asks of the store and of the provider. */
export interface KeyCalls {
  readonly store: string
  readonly provider: string
  readonly storeCalls: number
  /** In a process, or for the four steps in four, that know nothing yet. */
  readonly storeCallsCold: number
  readonly providerCalls: number
}

const TAGS = [
  { Key: 'keyturn:kind', Value: 'aws-iam-access-key' },
  { Key: 'keyturn:grace', Value: '1h' }
]

/** Secrets Manager drives: its four steps, and an IAM user's key. */
export async function countOnAws(): Promise<KeyCalls> {
  const iam = await startIamHarness()
  let memory: (() => DrivenSteps) | undefined
  const double = await startSecretsManager({
    invoke: async ({ Step, SecretId, ClientRequestToken }) => {
      const limit = deadline(30_000)
      const name = Step.replace('Secret', '') as keyof DrivenSteps
      await memory?.()[name]({ core, secretId: SecretId, token: ClientRequestToken, deadline: limit })
      limit.end()
    }
  })
  const [client, owner] = [0, 1].map(() => secretsManagerClient({ endpoint: double.url, region: 'us-east-1' }))
  if (!client || !owner) throw new Error('no clients')
  const seen: string[] = []
  let isOwners = false
  double.setFault(({ op }) => {
    if (!isOwners) seen.push(op)
    return undefined
  })
  const first = await iam.scene()
  const core: Core = {
    ...{ store: awsSecretsManager({ client }), targetFor: () => first.target, log: silentLog },
    ...{ runLivesMs: 915_000, stepNeedsMs: 100 }
  }
  const byOwner = async <T>(work: () => Promise<T>): Promise<T> => {
    isOwners = true
    return work().finally(() => {
      isOwners = false
    })
  }
  const once = async (steps: () => DrivenSteps) => {
    const { current } = await iam.scene()
    const SecretId = `key-${randomUUID()}`
    await byOwner(() =>
      owner.send(new CreateSecretCommand({ Name: SecretId, SecretString: current.document.reveal(), Tags: TAGS }))
    )
    memory = steps
    const [before, asked] = [seen.length, iam.calls().length]
    const rotate = { SecretId, RotationLambdaARN: ARN, RotationRules: { AutomaticallyAfterDays: 30 } }
    await byOwner(() => owner.send(new RotateSecretCommand({ ...rotate, ClientRequestToken: randomUUID() })))
    const ended = await double.idle()
    if (ended.at(-1)?.error) throw ended.at(-1)?.error
    const taken = { store: seen.length - before, provider: iam.calls().length - asked }
    await byOwner(() => owner.send(new DescribeSecretCommand({ SecretId })))
    return taken
  }
  try {
    const steps = drivenSteps()
    const warm = await once(() => steps)
    const cold = await once(drivenSteps)
    const names = { store: 'keyturn’s double of Secrets Manager', provider: 'keyturn’s double of IAM and STS' }
    return { ...names, storeCalls: warm.store, storeCallsCold: cold.store, providerCalls: warm.provider }
  } finally {
    await double.close()
    await iam.stop()
  }
}

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:keyturn'

interface Place {
  readonly store: () => Core['store']
  readonly create: (name: string, text: string) => Promise<string>
  readonly calls: (work: () => Promise<unknown>) => Promise<readonly string[]>
  readonly advance: (ms: number) => void
  readonly close: () => Promise<void>
}

/** keyturn drives: one request, after the key before was retired. Calls of what the store needs beside it are not the store's. */
async function own(names: Pick<KeyCalls, 'store' | 'provider'>, place: Place, keys: KeysHarness): Promise<KeyCalls> {
  try {
    const { target, current } = await keys.scene()
    const coreOf = (store: Core['store']): Core => ({
      ...{ store, targetFor: () => target, log: silentLog, runLivesMs: 3_605_000, stepNeedsMs: 100 }
    })
    const warm = coreOf(place.store())
    const id = await place.create(`key-${randomUUID().slice(0, 8)}`, current.document.reveal())
    const go = async (core: Core) => {
      const asked = keys.calls().length
      const calls = await place.calls(() => rotated(core, id, 'rotate', randomUUID()))
      const taken = { store: calls.filter((op) => !op.endsWith(' journal')).length, provider: keys.calls().length - asked }
      place.advance(24 * HOUR)
      await rotated(warm, id, 'retire', randomUUID(), true)
      return taken
    }
    // The first one of a secret makes what the later ones find.
    await go(warm)
    const again = await go(warm)
    const cold = await go(coreOf(place.store()))
    return { ...names, storeCalls: again.store, storeCallsCold: cold.store, providerCalls: again.provider }
  } finally {
    await place.close()
    await keys.stop()
  }
}

const POLICY = { kind: 'entra-client-secret', graceMs: HOUR }

export async function countOnAzureKeys(): Promise<KeyCalls> {
  const azure = await startAzure()
  const names = { store: 'keyturn’s double of Key Vault', provider: 'keyturn’s doubles of Graph and the login' }
  const place = {
    ...{ store: () => azure.another(), calls: azure.calls, advance: azure.advance, close: azure.close },
    create: (name: string, text: string) => azure.create(name, text, POLICY)
  }
  return own(names, place, await startGraphHarness())
}

export async function countOnGcpKeys(): Promise<KeyCalls> {
  const gcp = await startGcp()
  const names = { store: 'keyturn’s double of Secret Manager', provider: 'keyturn’s double of IAM and the token endpoint' }
  const place = {
    ...{ store: () => gcp.place.store(), calls: gcp.place.calls, advance: gcp.advance, close: gcp.close },
    create: (name: string, text: string) => gcp.create(name, text, { ...POLICY, kind: 'gcp-service-account-key' })
  }
  return own(names, place, await startGoogleIam())
}
