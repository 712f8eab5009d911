import { describe, expect, test } from 'vitest'
import { SecretText } from '../../shared/types.ts'
import type { VaultLogin } from '../../shared/vault/login.ts'
import { type AwsLoginSettings, awsLogin } from '../../shared/vault/login-aws.ts'
import { type AwsMount, authorizationOf, signatureOf } from '../doubles/vault-login-aws.ts'
import { loggedIn, refused, start, vault } from './cloud-world.ts'
import { expectSilent } from './vault-world.ts'

describe('the login aws', () => {
  const arn = 'arn:aws:iam::123456789012:role/rotation'
  const key = { secretAccessKey: 'planted/secret+access/key', sessionToken: 'planted-session-token==', arn }
  const mount: AwsMount = {
    stsEndpoint: 'https://sts.eu-central-1.amazonaws.com',
    stsRegion: 'eu-central-1',
    serverId: 'vault.example.com',
    roles: { rotation: arn },
    keys: { AKIDROTATION: key }
  }
  const login = (more: Partial<AwsLoginSettings> = {}, secret = key.secretAccessKey): VaultLogin =>
    awsLogin({
      role: 'rotation',
      region: 'eu-central-1',
      serverId: 'vault.example.com',
      credentials: async () => ({
        accessKeyId: 'AKIDROTATION',
        secretAccessKey: new SecretText(secret),
        sessionToken: new SecretText(key.sessionToken)
      }),
      ...more
    })

  test('is a GetCallerIdentity signed for the STS of the region, with the server’s id', async () => {
    await loggedIn(await start({ aws: mount }), login())
    const [sent] = vault.logins
    expect(sent).toMatchObject({ role: 'rotation', iam_http_request_method: 'POST' })
    expect(Buffer.from(String(sent?.iam_request_url), 'base64').toString()).toBe('https://sts.eu-central-1.amazonaws.com/')
    const headers = JSON.parse(Buffer.from(String(sent?.iam_request_headers), 'base64').toString()) as Record<string, string[]>
    expect(headers.Authorization?.[0]).toContain('x-vault-aws-iam-server-id')
    expect(JSON.stringify(headers)).not.toContain(key.secretAccessKey)
  })

  test('takes the keys of a user, who has no session', async () => {
    const { sessionToken: _, ...user } = key
    const credentials = async () => ({ accessKeyId: 'AKIDUSER', secretAccessKey: new SecretText(key.secretAccessKey) })
    await loggedIn(await start({ aws: { ...mount, keys: { AKIDUSER: user } } }), login({ credentials }))
  })

  test('can use the global STS, for a mount that names none, and is signed for us-east-1 then', async () => {
    const global = { ...mount, stsEndpoint: 'https://sts.amazonaws.com', stsRegion: 'us-east-1' }
    await loggedIn(await start({ aws: global }), login({ stsEndpoint: 'https://sts.amazonaws.com' }))
  })

  test('knows that STS of China has another name', async () => {
    const china = { ...mount, stsEndpoint: 'https://sts.cn-north-1.amazonaws.com.cn', stsRegion: 'cn-north-1' }
    await loggedIn(await start({ aws: china }), login({ region: 'cn-north-1' }))
  })

  test.each([
    ['a wrong secret key', login({}, 'planted/another/key'), mount],
    ['another region than the mount’s', login({ region: 'eu-west-1' }), mount],
    ['another server’s id', login({ serverId: 'other.example.com' }), mount],
    ['no server’s id where the mount asks for one', login({ serverId: undefined }), mount],
    ['a role of another principal', login(), { ...mount, roles: { rotation: `${arn}-2` } }],
    ['a role that is not there', login({ role: 'none' }), mount]
  ])('with %s is denied', async (_, wrong, at) => {
    const error = await refused(await start({ aws: at }), wrong)
    expect(error).toMatchObject({ code: 'denied/store', vendor: '400' })
    expectSilent(error, key.secretAccessKey, key.sessionToken, 'planted/another/key')
  })

  test('whose signature is old is denied', async () => {
    const inAnHour = Date.now() + 3600_000
    expect(await refused(await start({ aws: mount, now: () => inAnHour }), login())).toMatchObject({ code: 'denied/store' })
  })

  test.each([
    { region: 'Frankfurt' },
    { stsEndpoint: 'http://sts.amazonaws.com' },
    { stsEndpoint: 'https://sts.amazonaws.com/?Action=DeleteUser' }
  ])('refuses the setting %j', (wrong) => {
    expect(() => login(wrong)).toThrow(expect.objectContaining({ code: 'invalid/config' }))
  })

  // docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, as its older edition worked it through.
  test('is verified by a double that gets AWS’s own example right', () => {
    const signature = '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7'
    const headers = {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-amz-date': '20150830T123600Z',
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=${signature}`
    }
    const request = {
      method: 'GET',
      url: new URL('https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08'),
      body: '',
      headers
    }
    const authorization = authorizationOf(headers)
    if (!authorization) throw new Error('the example was not understood')
    expect(signatureOf(request, authorization, 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY')).toBe(signature)
  })
})
