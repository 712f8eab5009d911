import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeDeployment, describeKeys, type Owned, ownKey } from './key-world-suite.ts'
import { type LambdaKeyWorld, startLambdaKeyWorld } from './lambda-key-world.ts'
import { type BuiltFunction, builtFunction, lambdaRuntimes } from './lambda-runtime.ts'

const FOUR = ['createSecret', 'setSecret', 'testSecret', 'finishSecret']

let built: { readonly keys: BuiltFunction; readonly databases: BuiltFunction }
beforeAll(async () => {
  const [keys, databases] = await Promise.all([builtFunction('aws/rotate-api-key'), builtFunction('aws/rotate-database')])
  built = { keys, databases }
})
afterAll(() => {
  built.keys.remove()
  built.databases.remove()
})

const start = (runtime: ReturnType<typeof lambdaRuntimes>[number]) =>
  startLambdaKeyWorld({ keys: built.keys.folder, databases: built.databases.folder, runtime })

describe.each(lambdaRuntimes())('the built bundle of rotate-api-key in %s, driven by Secrets Manager', (runtime) => {
  let host: LambdaKeyWorld
  beforeAll(async () => {
    host = await start(runtime)
  })
  afterAll(() => host.close())

  const own = () => ownKey(host, host.iamKeys)
  const keysOf = ({ first }: Owned) => host.iam.shelf.of(String(first.userName)).map(({ id }) => id)
  const arnOf = async ({ name }: Owned) => (await host.world.owner.describeSecret({ SecretId: name })).ARN ?? ''
  const pendings = ({ name }: Pick<Owned, 'name'>) =>
    host.world.double.versions(name).filter(({ stages }) => stages.includes('AWSPENDING'))

  /** What the store and the provider were asked while `work` ran. */
  const calls = async (work: () => Promise<unknown>) => {
    const [store, provider] = [host.world.double.calls.length, host.iam.calls.length]
    await work()
    return {
      store: host.world.double.calls.slice(store).flatMap(({ op }) => (op === 'RotateSecret' ? [] : [op])),
      provider: host.iam.calls.slice(provider).map(({ op }) => op)
    }
  }

  test('RotateSecret promotes a new key that works, and the key before it works on', async () => {
    const secret = await own()
    expect(await host.world.rotate(secret)).toMatchObject({ steps: FOUR })
    const after = await host.read(secret.name)
    expect(after).toEqual({ ...secret.first, accessKeyId: expect.any(String), secretAccessKey: expect.any(String) })
    expect(keysOf(secret)).toEqual([secret.first.accessKeyId, after.accessKeyId])
    expect([host.iamKeys.works(after), host.iamKeys.works(secret.first)]).toEqual([true, true])
    expect(await host.world.read(secret, 'AWSPREVIOUS')).toEqual(secret.first)
  })

  test('a warm process makes six calls of Secrets Manager for a rotation, and two of IAM and STS', async () => {
    await host.world.rotate(await own())
    const secret = await own()
    const asked = await calls(() => host.world.rotate(secret))
    const warm = [
      'DescribeSecret',
      'GetSecretValue',
      'PutSecretValue',
      'GetSecretValue',
      'GetSecretValue',
      'UpdateSecretVersionStage'
    ]
    expect(asked.store).toEqual(warm)
    expect(asked.provider).toEqual(['CreateAccessKey', 'GetCallerIdentity'])
  })

  test('four processes, one a step, come to the same end with one call more of each', async () => {
    const secret = await own()
    host.world.alwaysCold(true)
    const asked = await calls(() => host.world.rotate(secret))
    host.world.alwaysCold(false)
    expect([asked.store.length, asked.provider]).toEqual([7, ['CreateAccessKey', 'GetCallerIdentity', 'GetCallerIdentity']])
    expect(host.iamKeys.works(await host.read(secret.name))).toBe(true)
    expect(keysOf(secret)).toHaveLength(2)
  })

  test('a step that comes twice makes no second key, and after the last one every step says that it is done', async () => {
    const secret = await own()
    const token = await host.world.registered(secret)
    const arn = await arnOf(secret)
    const step = (name: 'create-secret' | 'set-secret' | 'test-secret' | 'finish-secret') => host.world.step(name, { arn }, token)
    expect([await step('create-secret'), await step('create-secret')]).toEqual([
      { answer: 'created' },
      { answer: 'created already' }
    ])
    const staged = await host.world.read(secret, 'AWSPENDING')
    expect(keysOf(secret)).toEqual([secret.first.accessKeyId, staged.accessKeyId])
    expect([await step('set-secret'), await step('test-secret')]).toEqual([{ answer: 'nothing to set' }, { answer: 'tested' }])
    const done = { answer: expect.stringContaining('done already') }
    expect([await step('finish-secret'), await step('finish-secret'), await step('create-secret')]).toEqual([
      { answer: 'finished' },
      done,
      done
    ])
    expect([await host.read(secret.name), keysOf(secret).length]).toEqual([staged, 2])
  })

  test('createSecret in two processes at once leaves one new key, which is the pending one', async () => {
    const secret = await own()
    const token = await host.world.registered(secret)
    const arn = await arnOf(secret)
    const other = await host.another()
    const event = { Step: 'createSecret', SecretId: arn, ClientRequestToken: token }
    const outcomes = await Promise.all([host.world.step('create-secret', { arn }, token), other.invoke(event)])
    await other.stop()
    // Secrets Manager comes again after a failed step.
    if (outcomes.some((outcome) => 'error' in outcome)) await host.world.step('create-secret', { arn }, token)
    const staged = await host.world.read(secret, 'AWSPENDING')
    expect(keysOf(secret)).toEqual([secret.first.accessKeyId, staged.accessKeyId])
    expect(await host.world.step('test-secret', { arn }, token)).toEqual({ answer: 'tested' })
  })

  test('a key that the store refuses to keep is taken back, and the next rotation gets through', async () => {
    const secret = await own()
    host.world.double.setFault(({ op }) => (op === 'PutSecretValue' ? { error: 'AccessDeniedException' } : undefined))
    expect(await host.world.rotate(secret)).toMatchObject({ error: { name: 'denied/store' } })
    host.world.double.setFault(undefined)
    expect([keysOf(secret), pendings(secret)]).toEqual([[secret.first.accessKeyId], []])
    expect(await host.world.rotate(secret)).not.toHaveProperty('error')
    expect(host.iamKeys.works(await host.read(secret.name))).toBe(true)
  })

  test('a second key that somebody else made is named and never touched, and leaves no AWSPENDING behind', async () => {
    const secret = await own()
    const stranger = host.iam.addKey(String(secret.first.userName))
    const refused = await host.world.rotate(secret)
    expect(refused).toMatchObject({
      steps: ['createSecret'],
      error: { name: 'conflict/full', message: expect.stringContaining(stranger.id) }
    })
    expect([keysOf(secret), pendings(secret)]).toEqual([[secret.first.accessKeyId, stranger.id], []])
    expect(await host.read(secret.name)).toEqual(secret.first)
    host.iam.shelf.remove(stranger.id)
    expect(await host.world.rotate(secret)).not.toHaveProperty('error')
  })

  test('a rotation inside the grace is refused without a question to IAM, and leaves no AWSPENDING behind', async () => {
    const secret = await own()
    await host.world.rotate(secret)
    const asked = await calls(async () =>
      expect(await host.world.rotate(secret)).toMatchObject({ steps: ['createSecret'], error: { name: 'conflict/inside-grace' } })
    )
    expect([asked.provider, pendings(secret)]).toEqual([[], []])
  })

  test('a new key that IAM does not know everywhere yet is waited for, and tested once it is', async () => {
    const secret = await own()
    host.iam.shelf.lagCreated(2)
    const rotated = await host.world.rotate(secret)
    host.iam.shelf.lagCreated(0)
    expect(rotated).not.toHaveProperty('error')
    expect(host.iamKeys.works(await host.read(secret.name))).toBe(true)
  })

  test('a lone testSecret checks the current key and the rights, and changes nothing', async () => {
    const secret = await own()
    const before = host.versions(secret.name)
    const asked = await calls(() => host.world.rotate(secret, { RotateImmediately: false }))
    expect((await host.world.double.idle()).at(-1)).toMatchObject({ kind: 'test', steps: ['testSecret'] })
    expect((await host.world.double.idle()).at(-1)).not.toHaveProperty('error')
    expect(asked.provider.filter((op) => /Create|Update|Delete/.test(op))).toEqual([])
    expect([host.versions(secret.name), keysOf(secret)]).toEqual([before, [secret.first.accessKeyId]])
  })

  test('the secret of a database is refused by its kind, and its token loses AWSPENDING', async () => {
    const { name } = await host.world.secret()
    expect(await host.world.rotate({ name })).toMatchObject({ error: { name: 'conflict/other-function' } })
    expect(pendings({ name })).toEqual([])
  })

  test('a document of another kind than the metadata say is refused, and IAM is not asked', async () => {
    const secret = await ownKey(host, host.iamKeys, { kind: 'entra-client-secret' })
    const asked = await calls(async () =>
      expect(await host.world.rotate(secret)).toMatchObject({ steps: ['createSecret'], error: { name: 'invalid/kind' } })
    )
    expect([asked.provider, pendings(secret)]).toEqual([[], []])
  })

  test('no key is in anything that the process wrote', async () => {
    const secret = await own()
    await host.world.rotate(secret)
    await host.world.rotate(secret)
    const planted = [...host.iamKeys.secretsIn(secret.first), ...host.iamKeys.secretsIn(await host.read(secret.name))]
    const output = await host.output()
    expect(planted.filter((text) => output.includes(text))).toHaveLength(0)
    expect(output).toContain('"conflict/inside-grace"')
  })
})

describe.each(lambdaRuntimes().slice(0, 1))(
  'the built bundle of rotate-api-key in %s, asked by the common request',
  (runtime) => {
    let host: LambdaKeyWorld
    beforeAll(async () => {
      host = await start(runtime)
    })
    afterAll(() => host.close())

    describeKeys(
      'aws-iam-access-key',
      () => host,
      () => host.iamKeys
    )
    describeKeys(
      'http-api-key',
      () => host,
      () => host.acme
    )
    describeDeployment(
      () => host,
      () => [host.iamKeys, host.acme]
    )
  }
)
