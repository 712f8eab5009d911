import { DeleteAccessKeyCommand, GetAccessKeyLastUsedCommand } from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { awsIamAccessKey } from '../../shared/targets/aws-iam-access-key.ts'
import { create, keysSuite } from '../conformance/keys.ts'
import { refusal } from '../conformance/target-harness.ts'
import { callerIdentity } from '../doubles/iam-caller.ts'
import { sceneOf, settingsOf } from '../doubles/iam-harness.ts'
import { type Moto, startMotoHarness, startMotoIam } from '../doubles/iam-moto.ts'
import { findMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'

const file = findMoto()
if (file === undefined) leaveOut('AWS IAM access keys on moto', 'no moto_server (pip install "moto[server]")')
else {
  keysSuite('AWS IAM access keys, on moto with its signature and policy checks on', () => startMotoHarness(file))
  describe('moto, with its signature and policy checks on', () => checked(file))
}

function checked(moto: string): void {
  let m: Moto
  beforeAll(async () => {
    m = await startMotoIam(moto)
  })
  afterAll(() => m.stop())

  it('denies a caller without a policy, who is told which permission is missing', async () => {
    const user = await m.user()
    const { target, current, context } = sceneOf(awsIamAccessKey(settingsOf(m.url, user)), { ...user })
    const e = await refusal(create({ target, current, context }), current)
    expect(e).toMatchObject({ code: 'denied/provider', vendor: 'AccessDenied' })
    expect(e.message).toContain('iam:CreateAccessKey')
  })

  // What takes AWS its time, and is therefore no question of the contract.
  it('takes a key as soon as it is made, and refuses it as soon as it is deleted', async () => {
    const key = await m.user()
    expect((await callerIdentity(m.url, key)).status).toBe(200)
    await m.admin.send(new DeleteAccessKeyCommand({ UserName: key.userName, AccessKeyId: key.accessKeyId }))
    expect((await callerIdentity(m.url, key)).status).toBe(403)
  })

  it('tells of several uses the last, and at once', async () => {
    const key = await m.user()
    const lastUsed = async () => {
      await callerIdentity(m.url, key)
      const found = await m.admin.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: key.accessKeyId }))
      return found.AccessKeyLastUsed?.LastUsedDate?.getTime() ?? 0
    }
    const first = await lastUsed()
    await expect.poll(lastUsed, { timeout: 3_000 }).toBeGreaterThan(first)
  })
}
