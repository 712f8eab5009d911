import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetAccessKeyLastUsedCommand,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand
} from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { awsIamAccessKey } from '../../shared/targets/aws-iam-access-key.ts'
import { create, keysSuite } from '../conformance/keys.ts'
import { refusal } from '../conformance/target-harness.ts'
import { sceneOf, settingsOf } from '../doubles/iam-harness.ts'
import { DIFFERENCES, type Moto, startMotoHarness, startMotoIam } from '../doubles/iam-moto.ts'
import { findMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'

const file = findMoto()
if (file === undefined) leaveOut('AWS IAM access keys on moto', 'no moto_server (pip install "moto[server]")')
else {
  keysSuite('AWS IAM access keys, on moto with its signature and policy checks on', () => startMotoHarness(file))
  describe('moto, where it is not as AWS is', () => differences(file))
  it('a caller without a policy is denied by moto, and told which permission is missing', () => denied(file))
}

async function denied(moto: string): Promise<void> {
  const m = await startMotoIam(moto)
  try {
    const user = await m.user()
    const { target, current, context } = sceneOf(awsIamAccessKey(settingsOf(m.url, user)), user)
    const e = await refusal(create({ target, current, context }), current)
    expect(e).toMatchObject({ code: 'denied/provider', vendor: 'AccessDenied' })
    expect(e.message).toContain('iam:CreateAccessKey')
  } finally {
    await m.stop()
  }
}

function differences(moto: string): void {
  let m: Moto
  beforeAll(async () => {
    m = await startMotoIam(moto)
  })
  afterAll(() => m.stop())

  const shows: { readonly [D in (typeof DIFFERENCES)[number]]: () => Promise<void> } = {
    'STS answers in XML who accepts JSON only': async () => {
      expect(await (await m.callerIdentity(await m.user())).text()).toMatch(/^<GetCallerIdentityResponse /)
    },
    'an inactive key is taken': async () => {
      const key = await m.user()
      await m.admin.send(new UpdateAccessKeyCommand({ UserName: key.userName, AccessKeyId: key.accessKeyId, Status: 'Inactive' }))
      expect((await m.callerIdentity(key)).status).toBe(200)
    },
    'a key that was made is taken at once, and one that was deleted is refused at once': async () => {
      const key = await m.user()
      expect((await m.callerIdentity(key)).status).toBe(200)
      await m.admin.send(new DeleteAccessKeyCommand({ UserName: key.userName, AccessKeyId: key.accessKeyId }))
      const answer = await m.callerIdentity(key)
      expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('<Code>InvalidClientTokenId</Code>')])
    },
    'a signature of ten minutes ago is taken': async () => {
      expect((await m.callerIdentity(await m.user(), -10 * 60_000)).status).toBe(200)
    },
    'all keys are on one page, whatever is asked for': async () => {
      const { userName } = await m.user()
      await m.admin.send(new CreateAccessKeyCommand({ UserName: userName }))
      const page = await m.admin.send(new ListAccessKeysCommand({ UserName: userName, MaxItems: 1 }))
      expect(page.AccessKeyMetadata).toHaveLength(2)
    },
    'a key is last used when it is, of several uses the last': async () => {
      const key = await m.user()
      const lastUsed = async () => {
        await m.callerIdentity(key)
        const found = await m.admin.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: key.accessKeyId }))
        return found.AccessKeyLastUsed?.LastUsedDate?.getTime() ?? 0
      }
      const first = await lastUsed()
      await expect.poll(lastUsed, { timeout: 3_000 }).toBeGreaterThan(first)
    }
  }
  it.each(DIFFERENCES)('%s', (difference) => shows[difference]())
}
