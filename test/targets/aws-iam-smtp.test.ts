import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { smtpPassword } from '../../shared/targets/aws-iam-smtp.ts'
import { SecretText } from '../../shared/types.ts'
import { create } from '../conformance/keys.ts'
import { soon } from '../conformance/target-harness.ts'
import { type IamHarness, startIamHarness } from '../doubles/iam-harness.ts'
import { changed, fieldsOf } from '../doubles/key-documents.ts'

let h: IamHarness
beforeAll(async () => {
  h = await startIamHarness()
})
afterAll(() => h.stop())

/** The script of docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html, run by Python on these. */
const PASSWORDS = [
  ['eu-central-1', 'some+secret+key', 'BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2'],
  ['eu-central-1', 'another+secret+key', 'BBbphbrQmrKMx42d1N6+C7VINYEBGI5v9VsZeTxwskfh'],
  ['us-west-1', 'some+secret+key', 'BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj']
] as const

describe('a user of IAM who sends mail by SES’s SMTP', () => {
  it.each(PASSWORDS)('has the password that AWS’s script gives, in %s for %s', (region, key, password) => {
    expect(smtpPassword(new SecretText(key), region).reveal()).toBe(password)
  })

  const mailScene = () =>
    h.scene({}, ({ id, value }) => ({
      smtpRegion: 'eu-central-1',
      smtpUsername: id,
      smtpPassword: smtpPassword(new SecretText(value), 'eu-central-1').reveal()
    }))

  it('gets the SMTP name and password of the new key with it', async () => {
    const scene = await mailScene()
    const [old, next] = [scene.current, await create(scene)].map(({ document }) => fieldsOf(document))
    expect(next).toEqual({
      ...old,
      accessKeyId: next?.accessKeyId,
      secretAccessKey: next?.secretAccessKey,
      smtpUsername: next?.accessKeyId,
      smtpPassword: smtpPassword(new SecretText(next?.secretAccessKey ?? ''), 'eu-central-1').reveal()
    })
    expect(next?.smtpPassword).not.toBe(old?.smtpPassword)
  })

  it('is told of a password that is not the key’s, and may rotate all the same: the next one is right', async () => {
    const scene = await mailScene()
    expect(await scene.target.preflight(scene.current, scene.context, soon())).toEqual([])
    const document = changed(scene.current.document, { smtpPassword: 'of-the-years-before-2019' })
    const current = scene.target.inspect(document, scene.context)
    const problems = await scene.target.preflight(current, scene.context, soon())
    expect(problems).toMatchObject([{ code: 'invalid/document', fatal: false, message: expect.stringMatching(/smtpPassword/) }])
    expect(JSON.stringify(problems)).not.toContain('of-the-years')
    expect(fieldsOf((await create({ ...scene, current })).document).smtpPassword).toMatch(/^B[A-Za-z0-9+/]{43}$/)
  })
})
