import { randomUUID } from 'node:crypto'
import { CreateSecretCommand, UpdateSecretVersionStageCommand } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KeyturnError } from '../../shared/errors.ts'
import { secretsManagerClient } from '../../shared/stores/aws-client.ts'
import { awsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import type { Token } from '../../shared/types.ts'
import { storeSuite } from '../conformance/store.ts'
import {
  attemptFrom,
  type Bench,
  bench,
  fresh,
  look,
  planted,
  refusal,
  rotated,
  signal,
  token
} from '../conformance/store-harness.ts'
import { type AwsHarness, registered, startAws } from './aws-harness.ts'

storeSuite('AWS Secrets Manager', () => startAws())

let aws: AwsHarness
let b: Bench
beforeAll(async () => {
  aws = await startAws(1)
  b = bench(aws)
})
afterAll(() => aws.close())

const forStore = (base: string, t: Token) => ({ token: t, base, driver: 'store' as const })

describe('what the service says', () => {
  test('of owners, partners, replicas and rotation is in the look', async () => {
    const { id } = await fresh(b)
    const { name } = await look(b, id)
    aws.double.set(name, { owningService: 'rds' })
    expect((await look(b, id)).managedBy).toBe('rds')
    await refusal(
      b.store.stage(id, attemptFrom((await look(b, id)).current ?? ''), planted('x'), signal()),
      'conflict/managed-elsewhere'
    )
    const { id: partner } = await fresh(b)
    aws.double.set((await look(b, partner)).name, {
      type: 'SalesforceClientSecret',
      replication: [{ Region: 'eu-west-1', Status: 'InProgress' }]
    })
    expect(await look(b, partner)).toMatchObject({ managedBy: 'SalesforceClientSecret', replicasInSync: false })
    const { id: on } = await registered(aws, b)
    expect((await look(b, on)).rotationEnabled).toBe(true)
    expect((await look(b, id)).rotationEnabled).toBeUndefined()
  })

  test('of the day on which a value was last read is in the look and in the list', async () => {
    const { id, base } = await fresh(b)
    await b.store.read(id, base, signal())
    const { lastReadAt, name } = await look(b, id)
    expect(lastReadAt).toBe(Math.floor(Date.now() / 86_400_000) * 86_400_000)
    const listed = []
    for await (const facts of b.store.list(signal())) if (facts.name === name) listed.push(facts.lastReadAt)
    expect(listed).toEqual([lastReadAt])
  })

  test('of a secret that holds bytes is unsupported', async () => {
    const made = await aws.owner.send(new CreateSecretCommand({ Name: `bytes/${randomUUID()}`, SecretBinary: Buffer.from('x') }))
    await refusal(b.store.read(made.ARN ?? '', made.VersionId ?? '', signal()), 'unsupported/binary')
  })

  test('about an admin secret’s current value takes one call', async () => {
    const { id, current } = await rotated(b)
    const calls = await aws.calls(async () => {
      expect(await aws.store.readCurrent(id, signal())).toMatchObject({ id, version: current })
    })
    expect(calls).toEqual(['GetSecretValue'])
    await refusal(aws.store.readCurrent('never/made', signal()), 'not-found/secret')
  })

  test('is one code for each of its errors, and the message names the permission', async () => {
    const { id, base } = await fresh(b)
    const said = async (error: string) => {
      aws.double.setFault(() => ({ error }))
      const e = await b.store.stage(id, forStore(base, token()), planted('x'), signal()).catch((e: KeyturnError) => e)
      aws.double.setFault(undefined)
      return e as KeyturnError
    }
    expect((await said('AccessDeniedException')).message).toContain('secretsmanager:PutSecretValue')
    const codes: Record<string, string> = {
      AccessDeniedException: 'denied/store',
      UnrecognizedClientException: 'denied/store',
      ExpiredTokenException: 'denied/store',
      EncryptionFailure: 'denied/key',
      DecryptionFailure: 'denied/key',
      ThrottlingException: 'throttled/store',
      TooManyRequestsException: 'throttled/store',
      LimitExceededException: 'throttled/versions',
      InternalServiceError: 'unavailable/store',
      ServiceUnavailable: 'unavailable/store',
      ResourceNotFoundException: 'not-found/secret',
      InvalidParameterException: 'invalid/request',
      SomethingNew: 'bug/internal'
    }
    for (const [error, code] of Object.entries(codes)) expect([error, (await said(error)).code]).toEqual([error, code])
  })

  test('is unavailable when nobody listens', async () => {
    const client = secretsManagerClient({ region: 'us-east-1', endpoint: 'http://127.0.0.1:9', maxAttempts: 1 })
    await refusal(awsSecretsManager({ client }).describe('any', signal()), 'unavailable/store')
  })

  test('about a label that a person moved stops a promotion', async () => {
    const { id, base, current } = await rotated(b)
    const attempt = attemptFrom(current)
    await b.store.stage(id, attempt, planted('third'), signal())
    const move = { SecretId: id, VersionStage: 'AWSCURRENT', RemoveFromVersionId: current, MoveToVersionId: base }
    await aws.owner.send(new UpdateSecretVersionStageCommand(move))
    await refusal(b.store.promote(id, attempt, signal()), 'conflict/current-moved')
    expect((await look(b, id)).current).toBe(base)
  })
})
