import { randomUUID } from 'node:crypto'
import { PutSecretValueCommand, RotateSecretCommand } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Bench, bench, look, planted, signal } from '../conformance/store-harness.ts'
import { type AwsHarness, registered, startAws } from './aws-harness.ts'

let aws: AwsHarness
let b: Bench
beforeAll(async () => {
  aws = await startAws(1)
  b = bench(aws)
})
afterAll(() => aws.close())

test('forty rotations that Secrets Manager drives never meet the limit of labels a secret may have', async () => {
  let { id, base, pending } = await registered(aws, b)
  let worst = 0
  for (let n = 0; n < 40; n++) {
    const attempt = { token: pending, base, driver: 'store' as const }
    const calls = await aws.calls(async () => b.store.stage(id, attempt, planted(`value ${n}`), signal()))
    worst = Math.max(worst, calls.length)
    await b.store.promote(id, attempt, signal())
    base = pending
    pending = randomUUID()
    await aws.owner.send(new RotateSecretCommand({ SecretId: id, ClientRequestToken: pending }))
  }
  expect((await look(b, id)).current).toBe(base)
  // Once in a while the marks of what is over are taken off; in between a stage is one call.
  expect(worst).toBeGreaterThan(1)
})

test('a rotation of keyturn’s own makes room as well', async () => {
  const { id, base, pending } = await registered(aws, b)
  let current = base
  let next = pending
  for (let n = 0; n < 17; n++) {
    await b.store.stage(id, { token: next, base: current, driver: 'store' }, planted(`value ${n}`), signal())
    await b.store.promote(id, { token: next, base: current, driver: 'store' }, signal())
    current = next
    next = randomUUID()
    if (n < 16) await aws.owner.send(new RotateSecretCommand({ SecretId: id, ClientRequestToken: next }))
  }
  const attempt = { token: randomUUID(), base: current, driver: 'keyturn' as const }
  await b.store.stage(id, attempt, planted('own'), signal())
  await b.store.promote(id, attempt, signal())
  expect((await look(b, id)).current).toBe(attempt.token)
})

test('a promotion that needs a label more makes room as well', async () => {
  const { id, base, pending } = await registered(aws, b)
  await b.store.stage(id, { token: pending, base, driver: 'store' }, planted('second'), signal())
  // Marks of attempts that died long ago, until the secret has no label left: AWSPREVIOUS would be one more.
  for (let n = 0; ; n++) {
    const [ended, label] = [randomUUID(), `keyturn-base-old-${n}-x`]
    const put = { SecretId: id, ClientRequestToken: ended, SecretString: 'old', VersionStages: [label] }
    if (
      await aws.owner.send(new PutSecretValueCommand(put)).then(
        () => false,
        () => true
      )
    )
      break
  }
  await b.store.promote(id, { token: pending, base, driver: 'store' }, signal())
  expect((await look(b, id)).current).toBe(pending)
})
