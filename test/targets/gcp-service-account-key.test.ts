import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import { SecretText } from '../../shared/types.ts'
import { create, keysSuite, withHold } from '../conformance/keys.ts'
import type { KeyScene } from '../conformance/keys-harness.ts'
import { PLANTED, refusal, soon } from '../conformance/target-harness.ts'
import { denied, errorInfo, googleError } from '../doubles/google-iam-errors.ts'
import { type IamHarness, iamHarness } from '../doubles/google-iam-harness.ts'

keysSuite('gcp-service-account-key', iamHarness)

describe('gcp-service-account-key', () => {
  let h: IamHarness
  beforeAll(async () => {
    h = await iamHarness()
  })
  afterEach(() => {
    h.double.setFault(undefined)
    h.double.forbid(undefined)
  })
  afterAll(() => h.double.close())

  const callsOf = (op: string): number => h.double.calls.filter((call) => call.op === op).length
  const parts = ({ current }: KeyScene) => JSON.parse(current.document.reveal()) as Record<string, string>

  describe('the document', () => {
    it('is the key file, of which the key and its id change and nothing else, byte for byte', async () => {
      const scene = await h.scene()
      const next = await create(scene)
      const [before, after] = [parts(scene), JSON.parse(next.document.reveal()) as Record<string, string>]
      const changed = Object.keys(before).filter((name) => before[name] !== after[name])
      expect(changed).toEqual(['private_key_id', 'private_key'])
      const back = next.document
        .reveal()
        .replace(JSON.stringify(after.private_key), JSON.stringify(before.private_key))
        .replace(next.principal, scene.current.principal)
      expect(back).toBe(scene.current.document.reveal())
    })

    it('names no server that is asked: a token_uri of somebody’s is never called', async () => {
      const scene = await h.scene()
      const text = JSON.stringify({ ...parts(scene), token_uri: 'http://127.0.0.1:9/token' })
      const current = scene.target.inspect(new SecretText(text), scene.context)
      expect(await scene.target.verify(current, scene.context, soon())).toBe('accepted')
    })

    it('is not shown by an error, whatever the key file is wrong in', async () => {
      const scene = await h.scene()
      h.double.setFault(() => ({ status: 400, body: { error: PLANTED, error_description: PLANTED } }))
      for (const work of [() => scene.target.verify(scene.current, scene.context, soon()), () => create(scene)]) {
        const e = await refusal(work())
        expect(inspect(e, { depth: 9, showHidden: true })).not.toContain('PRIVATE KEY')
      }
    })
  })

  describe('a call with the key', () => {
    it.each([
      ['behind', -10],
      ['ahead', 10]
    ])('is made by Google’s clock where ours is ten minutes %s, and a dead key is dead by it too', async (_, minutes) => {
      const scene = h.sceneWith({ now: () => h.double.now() + minutes * 60_000 })
      const before = callsOf('Token')
      expect(await scene.target.verify(scene.current, scene.context, soon())).toBe('accepted')
      expect(callsOf('Token') - before).toBe(2)
      expect(await scene.target.verify(h.wrong(scene.current), scene.context, soon())).toBe('rejected')
      expect(callsOf('Token') - before, 'the difference is remembered').toBe(3)
    })

    it('is made once where the clocks agree', async () => {
      const scene = await h.scene()
      const before = callsOf('Token')
      expect(await scene.target.verify(h.wrong(scene.current), scene.context, soon())).toBe('rejected')
      expect(callsOf('Token') - before).toBe(1)
    })

    it.each([
      ['Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.'],
      ['Invalid JWT: Failed audience check.'],
      ['']
    ])('that is refused with invalid_grant for another reason is no death: %s', async (error_description) => {
      const scene = await h.scene()
      const next = await create(scene)
      h.double.setFault(({ op }) =>
        op === 'Token' ? { status: 400, body: { error: 'invalid_grant', error_description } } : undefined
      )
      expect((await refusal(scene.target.verify(next, scene.context, soon()))).code).toBe('unavailable/provider')
      const retire = withHold(scene, (hold) => hold.retire(next, { endSessions: false }, soon()))
      expect((await refusal(retire)).code).toBe('unavailable/not-dead-yet')
    })

    it('of an account that is disabled says so, and that is no proof of a key’s death', async () => {
      const scene = await h.scene()
      const next = await create(scene)
      h.double.disableAccount(parts(scene).client_email ?? '')
      const retire = withHold(scene, (hold) => hold.retire(next, { endSessions: false }, soon()))
      expect(await refusal(retire)).toMatchObject({
        code: 'not-found/principal',
        message: expect.stringMatching(/disabled or deleted/)
      })
      const problems = await scene.target.preflight(scene.current, scene.context, soon())
      expect(problems.filter(({ fatal }) => fatal).map(({ code }) => code)).toContain('not-found/principal')
    })
  })

  describe('a creation', () => {
    it.each([['constraints/iam.disableServiceAccountKeyCreation'], ['constraints/iam.managed.disableServiceAccountKeyCreation']])(
      'that an organization policy forbids is told by the policy’s name: %s',
      async (constraint) => {
        const scene = await h.scene()
        h.double.forbid(constraint)
        const e = await refusal(create(scene))
        expect(e).toMatchObject({ code: 'denied/provider-policy', vendor: constraint })
        expect(e.message).toContain(constraint)
      }
    )

    it('that a policy forbids is told so of an account that is full, too', async () => {
      const scene = await h.scene()
      for (let n = 1; n < 10; n++) await h.person(scene)
      h.double.forbid('constraints/iam.disableServiceAccountKeyCreation')
      expect((await refusal(create(scene))).code).toBe('denied/provider-policy')
    })

    it('that is refused without a word while there is room is not taken for "full"', async () => {
      const scene = await h.scene()
      h.double.answerNext('CreateServiceAccountKey', googleError('FAILED_PRECONDITION', 'Precondition check failed.'))
      expect((await refusal(create(scene))).code).toBe('denied/provider-policy')
    })

    it('that is answered 429 for the eleventh key, as it was before 2022, is full too', async () => {
      const scene = await h.scene()
      for (let n = 1; n < 10; n++) await h.person(scene)
      const exhausted = googleError('RESOURCE_EXHAUSTED', 'Maximum number of keys on account reached.')
      h.double.setFault(({ op }) => (op === 'CreateServiceAccountKey' ? exhausted : undefined))
      expect((await refusal(create(scene))).code).toBe('conflict/full')
    })

    it.each([
      ['nothing', {}],
      ['no key file', { privateKeyData: Buffer.from('{"type":"nothing"}').toString('base64') }],
      ['no JSON', { privateKeyData: Buffer.from(PLANTED).toString('base64') }]
    ])('whose answer has %s leaves no key behind that nobody knows', async (_, body) => {
      const scene = await h.scene()
      const email = parts(scene).client_email ?? ''
      const lost = h.double.addKey(email)
      const name = `projects/my-project/serviceAccounts/${email}/keys/${lost.id}`
      h.double.answerNext('CreateServiceAccountKey', { status: 200, body: { name, ...body } })
      expect((await refusal(create(scene))).code).toBe('invalid/answer')
      expect(h.double.shelf.of(email).map(({ id }) => id)).toEqual([scene.current.principal])
    })

    it('that is denied names the permission; so does an API that is not enabled', async () => {
      const scene = await h.scene()
      h.double.answerNext('CreateServiceAccountKey', denied('iam.serviceAccountKeys.create'))
      expect((await refusal(create(scene))).message).toMatch(/needs iam\.serviceAccountKeys\.create/)
      const details = [errorInfo('SERVICE_DISABLED', { service: 'iam.googleapis.com', consumer: 'projects/1' })]
      h.double.answerNext('CreateServiceAccountKey', googleError('PERMISSION_DENIED', 'not used before', details))
      expect(await refusal(create(scene))).toMatchObject({
        code: 'denied/provider',
        message: expect.stringMatching(/not enabled/)
      })
    })

    it('without a token of the deployment’s own is denied, and shows nothing of why there is none', async () => {
      const scene = h.sceneWith({ authorize: () => Promise.reject(new Error(PLANTED)) })
      expect((await refusal(create(scene))).code).toBe('denied/provider')
      const stranger = h.sceneWith({ authorize: async () => new Headers({ authorization: 'Bearer somebody' }) })
      expect(await refusal(create(stranger))).toMatchObject({ code: 'denied/provider', vendor: 'UNAUTHENTICATED' })
    })
  })

  it('does not count Google’s own keys of the account', async () => {
    const scene = await h.scene()
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys.map(({ principal }) => principal)).toEqual([scene.current.principal])
  })

  it('takes a refused repeat of a disabling for one that is done, where the list says so', async () => {
    const scene = await h.scene()
    const again = () => {
      h.double.answerNext('DisableServiceAccountKey', googleError('FAILED_PRECONDITION', 'Precondition check failed.'))
      return withHold(scene, (hold) => hold.disable(scene.current, soon()))
    }
    expect((await refusal(again())).code).toBe('denied/provider-policy')
    await withHold(scene, (hold) => hold.disable(scene.current, soon()))
    expect(await again()).toBeGreaterThan(0)
  })

  it('fails to disable a key that is gone', async () => {
    const scene = await h.scene()
    await h.deleteBehind(scene.current)
    const e = await refusal(withHold(scene, (hold) => hold.disable(scene.current, soon())))
    expect(e.code).toBe('not-found/principal')
  })

  it('sends no token to an endpoint without TLS elsewhere than on this machine', async () => {
    expect(() => h.sceneWith({ endpoints: { iam: 'http://iam.example.com' } })).toThrow(KeyturnError)
  })

  it('takes what a proxy answers for no answer of Google’s', async () => {
    const scene = await h.scene()
    for (const status of [200, 403, 404]) {
      h.double.setFault(() => ({ status, body: '<html>blocked</html>' }))
      const live = withHold(scene, (hold) => hold.live(scene.current, soon()))
      expect((await refusal(live)).code).toBe('unavailable/provider')
      const verify = scene.target.verify(scene.current, scene.context, soon())
      expect((await refusal(verify)).code).toBe('unavailable/provider')
    }
  })
})
