import { randomUUID } from 'node:crypto'
import { CreateSecretCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager'
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
import { callsOf, FUNCTION } from './store.ts'
import { isStores, warmAndCold } from './stores.ts'

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
  const client = secretsManagerClient({ endpoint: double.url, region: 'us-east-1' })
  const { target } = await iam.scene()
  const core: Core = {
    ...{ store: awsSecretsManager({ client }), targetFor: () => target, log: silentLog },
    ...{ runLivesMs: 915_000, stepNeedsMs: 100 }
  }
  const once = async (steps: () => DrivenSteps) => {
    const { current } = await iam.scene()
    const SecretId = `key-${randomUUID()}`
    await client.send(new CreateSecretCommand({ Name: SecretId, SecretString: current.document.reveal(), Tags: TAGS }))
    memory = steps
    const [before, asked] = [callsOf(double), iam.calls().length]
    const rotate = { SecretId, RotationLambdaARN: FUNCTION, RotationRules: { AutomaticallyAfterDays: 30 } }
    await client.send(new RotateSecretCommand({ ...rotate, ClientRequestToken: randomUUID() }))
    const ended = (await double.idle()).at(-1)
    if (ended?.error) throw ended.error
    return { store: callsOf(double) - before, provider: iam.calls().length - asked }
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
    const process = (): Core => ({
      ...{ store: place.store(), targetFor: () => target, log: silentLog, runLivesMs: 3_605_000, stepNeedsMs: 100 }
    })
    const id = await place.create(`key-${randomUUID().slice(0, 8)}`, current.document.reveal())
    const measure = async (work: () => Promise<unknown>) => {
      const asked = keys.calls().length
      const calls = await place.calls(work)
      return { store: calls.filter(isStores).length, provider: keys.calls().length - asked }
    }
    const retire = async (core: Core) => {
      place.advance(24 * HOUR)
      await rotated(core, id, 'retire', randomUUID(), true)
    }
    const { warm, cold } = await warmAndCold(id, process, measure, retire)
    return { ...names, storeCalls: warm.store, storeCallsCold: cold.store, providerCalls: warm.provider }
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
