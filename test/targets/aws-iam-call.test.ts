import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AwsIamSettings, awsIamAccessKey } from '../../shared/targets/aws-iam-access-key.ts'
import { iamError } from '../../shared/targets/aws-iam-errors.ts'
import { neverSent } from '../../shared/wire.ts'
import { create, withHold } from '../conformance/keys.ts'
import type { KeyScene } from '../conformance/keys-harness.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { ADMIN, startIam } from '../doubles/iam.ts'
import { identity, stsError } from '../doubles/iam-answers.ts'
import { type IamHarness, settingsOf, startIamHarness } from '../doubles/iam-harness.ts'
import { fieldsOf } from '../doubles/key-documents.ts'
import type { ProviderAnswer } from '../doubles/provider-double.ts'

const TEN_MINUTES_MS = 10 * 60_000

let h: IamHarness
beforeEach(async () => {
  h = await startIamHarness()
})
afterEach(() => h.stop())

const verify = ({ target, current, context }: KeyScene) => target.verify(current, context, soon())
const count = (op: string): number => h.calls().filter((call) => call.op === op).length
const answering = (answer: ProviderAnswer) => h.setFault(({ op }) => (op === 'GetCallerIdentity' ? answer : undefined))

describe.each([
  ['behind', TEN_MINUTES_MS],
  ['ahead of', -TEN_MINUTES_MS]
])('a machine whose clock is ten minutes %s AWS’s', (_, aheadMs) => {
  it('takes no key for dead: it signs once more by AWS’s time, and by it from then on', async () => {
    const scene = await h.scene()
    h.iam.advance(aheadMs)
    expect(await verify(scene)).toBe('accepted')
    expect(count('GetCallerIdentity')).toBe(2)
    expect(await verify(scene)).toBe('accepted')
    expect(count('GetCallerIdentity')).toBe(3)
  })

  it('still tells a wrong secret, and a key that is deleted', async () => {
    const scene = await h.scene()
    h.iam.advance(aheadMs)
    expect(await verify({ ...scene, current: h.wrong(scene.current) })).toBe('rejected')
    const next = await create(scene)
    const proof = await withHold(scene, (hold) => hold.retire(next, { endSessions: false }, soon()))
    expect(proof).toMatchObject({ principal: next.principal, refusal: 'InvalidClientTokenId' })
    expect(Math.abs(proof.at - h.iam.now())).toBeLessThan(5_000)
  })

  it('makes one key all the same: what the clock refused was not done', async () => {
    const scene = await h.scene()
    h.iam.advance(aheadMs)
    const next = await create(scene)
    expect(count('CreateAccessKey')).toBe(2)
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys.map(({ principal }) => principal)).toEqual([scene.current.principal, next.principal])
  })

  it('makes no second key after an answer that does not tell, although the clock was set by it', async () => {
    const scene = await h.scene()
    h.iam.advance(aheadMs)
    h.setFault(({ op }) => (op === 'CreateAccessKey' ? { status: 500, body: '<html>' } : undefined))
    expect((await refusal(create(scene), scene.current)).code).toBe('unavailable/provider')
    expect(count('CreateAccessKey')).toBe(1)
  })
})

describe('a call with the key itself', () => {
  it('proves death by AWS’s own code: unknown, deleted and inactive keys have one, a wrong secret another', async () => {
    const scene = await h.scene()
    const next = await create(scene)
    await withHold(scene, (hold) => hold.disable(next, soon()))
    expect(await verify({ ...scene, current: next })).toBe('rejected')
    const other = await h.scene()
    const problems = await other.target.preflight(h.wrong(other.current), other.context, soon())
    expect(problems).toMatchObject([{ code: 'denied/login', message: expect.stringContaining('SignatureDoesNotMatch') }])
  })

  it('is signed for STS of the function’s region, and asks for no right', async () => {
    const scene = await h.scene()
    expect(await verify(scene)).toBe('accepted')
    expect(h.calls().map(({ op }) => op)).toEqual(['GetCallerIdentity'])
  })

  it('that a policy denies is made with a key that lives', async () => {
    const scene = await h.scene()
    answering(stsError(403, 'AccessDenied', 'a VPC endpoint policy does not allow it'))
    expect(await verify(scene)).toBe('accepted')
  })

  it.each([
    ['a proxy’s page', { status: 403, body: '<html>Forbidden</html>' }],
    ['a bare 403', { status: 403, body: {} }],
    ['a code that is none of these', stsError(403, 'OptInRequired', 'subscribe first')],
    ['the code of a dead key with another status', stsError(400, 'InvalidClientTokenId', 'not as AWS says it')],
    ['an answer without an identity', { status: 200, body: {} }],
    ['a refused signature without a Date', { ...stsError(403, 'SignatureDoesNotMatch', 'expired?'), headers: { Date: '' } }]
  ] satisfies readonly (readonly [string, ProviderAnswer])[])('proves nothing by %s', async (_, answer) => {
    const scene = await h.scene()
    answering(answer)
    expect((await refusal(verify(scene), scene.current)).code).toBe('unavailable/provider')
    const retired = withHold(scene, (hold) => hold.retire(scene.current, { endSessions: false }, soon()))
    expect((await refusal(retired, scene.current)).code).toBe('unavailable/not-dead-yet')
  })

  it('that is one too many is throttled, and proves nothing', async () => {
    const scene = await h.scene()
    answering(stsError(400, 'Throttling', 'Rate exceeded'))
    expect((await refusal(verify(scene), scene.current)).code).toBe('throttled/provider')
  })

  it('sends the secret nowhere: not in the address, a header or the body', async () => {
    const scene = await h.scene()
    const { secretAccessKey = '' } = fieldsOf(scene.current.document)
    await verify(scene)
    const sent = JSON.stringify(h.iam.requests.map(({ signed }) => [signed.url.href, signed.headers, signed.body]))
    expect(sent).toContain(scene.current.principal)
    expect(sent).not.toContain(secretAccessKey)
  })

  it('of a user whose answer is another’s is alive all the same: the key works', async () => {
    const scene = await h.scene()
    answering(identity('somebody-else'))
    expect(await verify(scene)).toBe('accepted')
  })
})

describe('the settings', () => {
  /** The regions' partitions, general/gr/sts.html: the host is all that is looked up, and is found nowhere. */
  it.each([
    ['eu-west-1', 'sts.eu-west-1.amazonaws.com'],
    ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', 'sts.eusc-de-east-1.amazonaws.eu'],
    ['us-iso-east-1', 'sts.us-iso-east-1.c2s.ic.gov'],
    ['us-isob-east-1', 'sts.us-isob-east-1.sc2s.sgov.gov']
  ])('%s is the region whose STS is asked: %s', async (region, host) => {
    const { current, context } = await h.scene()
    const asked: string[] = []
    const lookup: AwsIamSettings['lookup'] = (name, _options, found) => {
      asked.push(name)
      found(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }), '')
    }
    const settings = { ...settingsOf(h.iam.url, ADMIN), region, lookup, stsEndpoint: undefined }
    const e = await refusal(awsIamAccessKey(settings).verify(current, context, soon()), current)
    expect(e).toMatchObject({ code: 'unavailable/provider', vendor: 'ENOTFOUND' })
    expect(new Set(asked)).toEqual(new Set([host]))
  })

  it('may name an endpoint where nobody is, at one address or at several: the error has Node’s code, by which a creation is sent again', async () => {
    const gone = await startIam()
    await gone.close()
    const scene = await h.scene({ iamEndpoint: gone.url.replace('127.0.0.1', 'localhost') })
    expect(await refusal(create(scene), scene.current)).toMatchObject({ code: 'unavailable/provider', vendor: 'ECONNREFUSED' })
    // net.connect, "autoSelectFamily": where each of several addresses failed, one error holds theirs, with the first one's code.
    const several = iamError(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }), 'CreateAccessKey', 'app')
    expect([several.code, neverSent(several)]).toEqual(['unavailable/provider', true])
  })

  it.each([
    { region: 'nowhere' },
    { region: 'eu-west-1.example.com/' },
    { stsEndpoint: 'https://user:password@sts.example.com' },
    { stsEndpoint: 'https://sts.example.com/path' },
    { stsEndpoint: 'http://sts.example.com' },
    { stsEndpoint: 'sts' },
    { iamEndpoint: 'http://iam.example.com' },
    { iamEndpoint: 'https://user:password@iam.example.com' },
    { iamEndpoint: 'iam' }
  ])('%j are refused before anything is called', async (wrong) => {
    const e = await refusal(() => awsIamAccessKey({ ...settingsOf(h.iam.url, ADMIN), ...wrong }))
    expect(e).toMatchObject({ code: 'invalid/config', message: expect.stringMatching(/AWS (STS|IAM)/) })
    expect(e.message).not.toContain('password')
  })
})
