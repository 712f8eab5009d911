import { randomUUID } from 'node:crypto'
import { PutSecretValueCommand, RotateSecretCommand, UpdateSecretVersionStageCommand } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SecretText, type Token } from '../../shared/types.ts'
import { attemptFrom, type Bench, bench, fresh, look, planted, refusal, signal } from '../conformance/store-harness.ts'
import { type AwsHarness, marks, registered, startAws } from './aws-harness.ts'

let aws: AwsHarness
let b: Bench
beforeAll(async () => {
  aws = await startAws(1)
  b = bench(aws)
})
afterAll(() => aws.close())

const forStore = (base: string, t: Token) => ({ token: t, base, driver: 'store' as const })

const labelsOf = (id: string, version: string) => aws.double.versions(id).find((v) => v.id === version)?.stages ?? []
describe('when Secrets Manager drives', () => {
  test('the four steps cost 3, 1, 1 and 2 calls', async () => {
    const { id, base, pending } = await registered(aws, b)
    const attempt = forStore(base, pending)
    const create = await aws.calls(async () => {
      const facts = await look(b, id)
      expect(facts.pendings).toEqual([{ version: pending, token: pending, base: undefined, driver: 'store' }])
      await b.store.read(id, base, signal())
      await b.store.stage(id, attempt, planted('second'), signal())
    })
    expect(create).toEqual(['DescribeSecret', 'GetSecretValue', 'PutSecretValue'])
    for (const _ of ['setSecret', 'testSecret']) {
      const step = await aws.calls(async () => {
        const held = await b.store.read(id, pending, signal())
        expect(held?.stages).toEqual({ current: false, pending: true, base })
      })
      expect(step).toEqual(['GetSecretValue'])
    }
    const finish = await aws.calls(async () => {
      const facts = await look(b, id)
      expect(facts.pendings).toEqual([{ version: pending, token: pending, base, driver: 'store' }])
      await b.store.promote(id, attempt, signal())
    })
    expect(finish).toEqual(['DescribeSecret', 'UpdateSecretVersionStage'])
    expect(labelsOf(id, base)).toEqual(['AWSPREVIOUS'])
  })

  test('a step that is delivered again finds the first value, whatever it brings', async () => {
    const { id, base, pending } = await registered(aws, b)
    await b.store.stage(id, forStore(base, pending), planted('second'), signal())
    await b.store.stage(id, forStore(base, pending), planted('second'), signal())
    await refusal(b.store.stage(id, forStore(base, pending), planted('other'), signal()), 'conflict/token-spent')
    expect((await b.store.read(id, pending, signal()))?.text.equals(planted('second'))).toBe(true)
    expect((await look(b, id)).pendings).toMatchObject([{ token: pending, base }])
  })

  test('a token whose AWSPENDING was taken off is spent, and RotateSecret works again', async () => {
    const { id, base, pending } = await registered(aws, b)
    await b.store.stage(id, forStore(base, pending), planted('second'), signal())
    await b.store.drop(id, pending, signal())
    await refusal(b.store.stage(id, forStore(base, pending), planted('second'), signal()), 'conflict/token-spent')
    await aws.owner.send(new RotateSecretCommand({ SecretId: id, ClientRequestToken: randomUUID() }))
  })

  test('an AWSPENDING without a value is a pending without base, read as nothing, and drop takes it off', async () => {
    const { id, pending } = await registered(aws, b)
    expect(await b.store.read(id, pending, signal())).toBeUndefined()
    expect((await look(b, id)).pendings[0]?.base).toBeUndefined()
    await b.store.drop(id, pending, signal())
    expect((await look(b, id)).pendings).toEqual([])
  })

  test('an AWSPENDING that stayed on current is shown, and drop takes it off', async () => {
    const { id, base, pending } = await registered(aws, b)
    await b.store.stage(id, forStore(base, pending), planted('second'), signal())
    await b.store.promote(id, forStore(base, pending), signal())
    expect(await look(b, id)).toMatchObject({ current: pending, pendings: [{ version: pending, driver: 'store' }] })
    await b.store.drop(id, pending, signal())
    expect(labelsOf(id, pending)).toEqual(['AWSCURRENT'])
  })

  test('a value that a stranger staged is a pending without base', async () => {
    const { id } = await fresh(b)
    const ClientRequestToken = randomUUID()
    await aws.owner.send(
      new PutSecretValueCommand({ SecretId: id, ClientRequestToken, SecretString: 'x', VersionStages: ['AWSPENDING'] })
    )
    expect((await look(b, id)).pendings).toEqual([
      { version: ClientRequestToken, token: ClientRequestToken, base: undefined, driver: 'store' }
    ])
    expect((await b.store.read(id, ClientRequestToken, signal()))?.stages).toEqual({
      current: false,
      pending: true,
      base: undefined
    })
  })

  test('keyturn’s own attempt is refused, and so is a claim', async () => {
    const { id, base, pending } = await registered(aws, b)
    await refusal(b.store.stage(id, attemptFrom(base), planted('x'), signal()), 'conflict/pending-other')
    await refusal(b.store.claim(id, attemptFrom(base), [], signal()), 'busy/claimed')
    expect((await look(b, id)).pendings).toMatchObject([{ token: pending }])
  })

  test('the event’s rotation token goes with the value, and nowhere else', async () => {
    const { id, base, pending } = await registered(aws, b)
    const inputs: string[] = []
    aws.double.setFault(({ input }) => void inputs.push(JSON.stringify(input)))
    const store = aws.store.withRotationToken(new SecretText('rotation-token-1'))
    await store.describe(id, signal())
    await store.stage(id, forStore(base, pending), planted('second'), signal())
    aws.double.setFault(undefined)
    expect(inputs.map((i) => i.includes('"RotationToken":"rotation-token-1"'))).toEqual([false, true])
  })
})

describe('when keyturn drives', () => {
  test('a claim costs 3 calls, a stage 3, a promote 1, a drop 1 and one a label', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    const { store } = b
    const stage = await aws.calls(() => store.stage(id, attempt, planted('second'), signal()))
    expect(stage).toEqual(['DescribeSecret', 'PutSecretValue', 'UpdateSecretVersionStage'])
    expect(await aws.calls(() => store.promote(id, attempt, signal()))).toEqual(['UpdateSecretVersionStage'])
    const drop = await aws.calls(() => store.drop(id, attempt.token, signal()))
    expect(drop).toEqual(['DescribeSecret', 'UpdateSecretVersionStage', 'UpdateSecretVersionStage'])
    const claim = await aws.calls(() => store.claim(id, attemptFrom(attempt.token), [], signal()))
    expect(claim).toEqual(['DescribeSecret', 'PutSecretValue', 'UpdateSecretVersionStage'])
  })

  test('RotateSecret is not held up by our pending', async () => {
    const { id, base } = await fresh(b)
    await b.store.stage(id, attemptFrom(base), planted('second'), signal())
    const RotationLambdaARN = 'arn:aws:lambda:us-east-1:123456789012:function:keyturn'
    await aws.owner.send(
      new RotateSecretCommand({ SecretId: id, RotationLambdaARN, RotationRules: { AutomaticallyAfterDays: 30 } })
    )
    expect((await look(b, id)).pendings.map((p) => p.driver)).toEqual(['store', 'keyturn'])
  })

  test('what a finished attempt left on current does not stop the next one, which tidies up', async () => {
    const { id, base } = await fresh(b)
    const first = attemptFrom(base)
    await b.store.stage(id, first, planted('second'), signal())
    await b.store.promote(id, first, signal())
    const second = attemptFrom(first.token)
    await b.store.stage(id, second, planted('third'), signal())
    expect(labelsOf(id, first.token)).toEqual(['AWSCURRENT'])
    await b.store.promote(id, second, signal())
    await b.store.drop(id, second.token, signal())
    expect(marks(aws, id)).toEqual([])
  })

  test('a claim leaves nothing behind when its attempt is over', async () => {
    const { id, base } = await fresh(b)
    const attempt = attemptFrom(base)
    await b.store.claim(id, attempt, ['K'], signal())
    await b.store.stage(id, attempt, planted('second'), signal())
    expect(marks(aws, id)).toHaveLength(2)
    await b.store.promote(id, attempt, signal())
    await b.store.drop(id, attempt.token, signal())
    expect(marks(aws, id)).toEqual([])
  })
})

describe('an attempt that was promoted and undone', () => {
  test('with its label on the version that was current before is no attempt, and the next one takes the label off', async () => {
    const { id, base, pending } = await registered(aws, b)
    await b.store.stage(id, forStore(base, pending), planted('second'), signal())
    await b.store.promote(id, forStore(base, pending), signal())
    const back = { SecretId: id, VersionStage: 'AWSCURRENT', RemoveFromVersionId: pending, MoveToVersionId: base }
    await aws.owner.send(new UpdateSecretVersionStageCommand(back))
    expect(labelsOf(id, pending)).toContain('AWSPENDING')
    expect(await look(b, id)).toMatchObject({ current: base, previous: pending, pendings: [], spent: [base, pending] })
    await b.store.stage(id, attemptFrom(base), planted('third'), signal())
    expect(labelsOf(id, pending)).toEqual(['AWSPREVIOUS'])
  })
})

test('our label on a version that has no mark is nobody’s: it came late, to an attempt that had ended', async () => {
  const { id, base } = await fresh(b)
  const late = randomUUID()
  const put = {
    SecretId: id,
    ClientRequestToken: late,
    SecretString: planted('late').reveal(),
    VersionStages: ['keyturn-pending']
  }
  await aws.owner.send(new PutSecretValueCommand(put))
  expect((await look(b, id)).pendings).toEqual([])
  const attempt = attemptFrom(base)
  await b.store.stage(id, attempt, planted('second'), signal())
  expect((await look(b, id)).pendings).toMatchObject([{ token: attempt.token }])
  expect(labelsOf(id, late)).toEqual([])
})
