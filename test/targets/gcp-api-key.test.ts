import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { gcpApiKey } from '../../shared/targets/gcp-api-key.ts'
import { SecretText } from '../../shared/types.ts'
import { create, keysSuite, TOKEN, withHold } from '../conformance/keys.ts'
import type { KeyScene } from '../conformance/keys-harness.ts'
import { PLANTED, refusal, soon } from '../conformance/target-harness.ts'
import type { Reach } from '../doubles/google-api-keys.ts'
import { type ApiKeysHarness, apiKeysHarness, parsed, RESTRICTED } from '../doubles/google-api-keys-harness.ts'
import { denied, errorInfo, googleError } from '../doubles/google-iam-errors.ts'

keysSuite('gcp-api-key', apiKeysHarness)

describe('gcp-api-key', () => {
  let h: ApiKeysHarness
  beforeAll(async () => {
    h = await apiKeysHarness()
  })
  afterEach(() => {
    h.double.setFault(undefined)
    h.double.operationsTake(1)
    h.double.makeWith(undefined)
    h.double.pagesOf(300)
  })
  afterAll(() => h.double.close())

  const callsOf = (op: string): number => h.double.calls.filter((call) => call.op === op).length
  const idsOf = ({ current }: KeyScene): readonly string[] =>
    h.double.shelf.of(parsed(current.document).projectId).map(({ id }) => id)
  const verify = ({ target, current, context }: KeyScene) => target.verify(current, context, soon())

  describe('a new key', () => {
    it.each<[string, Reach]>([
      ['no restriction', {}],
      ['APIs', RESTRICTED],
      [
        'referrers',
        { restrictions: { browserKeyRestrictions: { allowedReferrers: ['https://b.example/*', 'https://a.example/*'] } } }
      ],
      ['a service account', { serviceAccountEmail: 'robot@my-project.iam.gserviceaccount.com', annotations: { team: 'maps' } }]
    ])('may do what the one before may, and no more: %s', async (_, reach) => {
      const scene = h.sceneWith(reach)
      const next = await create(scene)
      expect(h.double.reachOf(next.principal)).toEqual(reach)
    })

    it('whose restrictions are not those that were asked for is deleted, and not given to anybody', async () => {
      const scene = await h.scene()
      h.double.makeWith({})
      expect((await refusal(create(scene))).code).toBe('invalid/answer')
      expect(idsOf(scene)).toEqual([scene.current.principal])
    })

    it('has the restrictions of its predecessor in another order, and it is the same', async () => {
      const scene = h.sceneWith({ restrictions: { apiTargets: [{ service: 'a', methods: [] }, { service: 'b' }] } })
      h.double.makeWith({ restrictions: { apiTargets: [{ service: 'b' }, { service: 'a' }] }, annotations: {} })
      expect((await create(scene)).principal).toMatch(/^keyturn-/)
    })

    it('is restricted like a predecessor that a person has deleted, as long as Google remembers it', async () => {
      const scene = await h.scene()
      const { projectId } = parsed(scene.current.document)
      await withHold(scene, (hold) => hold.retire(scene.current, { endSessions: false }, soon()))
      const next = await create(scene)
      expect(h.double.reachOf(next.principal)).toEqual(RESTRICTED)
      expect(h.double.shelf.of(projectId).map(({ id }) => id)).toEqual([next.principal])
    })

    it('is not made where nothing tells what it may do', async () => {
      const scene = await h.scene()
      const text = scene.current.document.reveal().replace(scene.current.principal, 'a-key-that-never-was')
      const current = scene.target.inspect(new SecretText(text), scene.context)
      expect((await refusal(create({ ...scene, current }))).code).toBe('not-found/principal')
      expect(idsOf(scene)).toEqual([scene.current.principal])
    })
  })

  describe('a creation whose answer is lost', () => {
    it('makes one key, which the same attempt finds by its name', async () => {
      const scene = await h.scene()
      let left = 1
      h.double.setFault(({ op }) => (op === 'CreateKey' && left-- > 0 ? 'lost' : undefined))
      expect((await refusal(create(scene))).code).toBe('unavailable/provider')
      const made = callsOf('CreateKey')
      const next = await create(scene)
      expect(callsOf('CreateKey')).toBe(made)
      expect(idsOf(scene)).toEqual([scene.current.principal, next.principal])
      expect(await h.works(next)).toBe(true)
    })

    it('makes one key even where the list does not show it yet', async () => {
      const scene = await h.scene()
      const first = await create(scene)
      const { principal } = scene.current
      const keys = [{ name: `projects/1/locations/global/keys/${principal}`, ...RESTRICTED }]
      h.double.answerNext('ListKeys', { status: 200, body: { keys } })
      const second = await create(scene)
      expect(second).toEqual(first)
      expect(idsOf(scene)).toEqual([scene.current.principal, first.principal])
    })

    it('and whose key was deleted since is over: its token is spent', async () => {
      const scene = await h.scene()
      const next = await create(scene)
      await withHold(scene, (hold) => hold.discard(next, soon()))
      expect((await refusal(create(scene))).code).toBe('conflict/token-spent')
      expect((await create(scene, `${TOKEN}-2`)).principal).not.toBe(next.principal)
    })
  })

  describe('an operation', () => {
    it('that is done at once is not asked for', async () => {
      h.double.operationsTake(0)
      const scene = await h.scene()
      const before = callsOf('GetOperation')
      await create(scene)
      expect(callsOf('GetOperation')).toBe(before)
    })

    it('that is not done in time is carried on by the next run, with the same key', async () => {
      h.double.operationsTake(1_000)
      const scene = await h.scene()
      expect((await refusal(create(scene))).code).toBe('unavailable/provider')
      const next = await create(scene)
      expect(idsOf(scene)).toEqual([scene.current.principal, next.principal])
    })

    it.each([
      [7, 'denied/provider'],
      [8, 'throttled/provider'],
      [9, 'denied/provider-policy'],
      [13, 'unavailable/provider']
    ])('that fails with %d fails as the call would have', async (code, expected) => {
      const scene = await h.scene()
      const error = { code, message: PLANTED, details: [] }
      h.double.answerNext('CreateKey', { status: 200, body: { name: 'operations/x', done: true, error } })
      expect((await refusal(create(scene))).code).toBe(expected)
    })

    it.each([[{}], [{ name: '../v1/secrets' }], [{ name: 'operations/x?y=z' }]])(
      'without a name is not asked for: %j',
      async (body) => {
        const scene = await h.scene()
        h.double.answerNext('CreateKey', { status: 200, body })
        expect((await refusal(create(scene))).code).toBe('invalid/answer')
      }
    )
  })

  describe('a call with the key', () => {
    it.each<[string, object]>([
      ['API_KEY_SERVICE_BLOCKED', { apiTargets: [{ service: 'maps-backend.googleapis.com' }] }],
      ['API_KEY_HTTP_REFERRER_BLOCKED', { browserKeyRestrictions: { allowedReferrers: ['https://a.example/*'] } }],
      ['API_KEY_IP_ADDRESS_BLOCKED', { serverKeyRestrictions: { allowedIps: ['192.0.2.1'] } }],
      ['API_KEY_ANDROID_APP_BLOCKED', { androidKeyRestrictions: { allowedApplications: [{ packageName: 'a.b' }] } }],
      ['API_KEY_IOS_APP_BLOCKED', { iosKeyRestrictions: { allowedBundleIds: ['a.b'] } }]
    ])('that its restrictions forbid shows a key that is alive: %s', async (_, restrictions) => {
      expect(await verify(h.sceneWith({ restrictions }))).toBe('accepted')
    })

    it.each([['SERVICE_DISABLED'], ['BILLING_DISABLED']])(
      'to an API that its project has not shows one too: %s',
      async (reason) => {
        const refused = googleError('PERMISSION_DENIED', 'no', [errorInfo(reason, { consumer: 'projects/1' })])
        h.double.setFault(() => refused)
        expect(await verify(await h.scene())).toBe('accepted')
      }
    )

    it.each<[string, object]>([
      ['no reason', googleError('INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.')],
      ['another reason', googleError('PERMISSION_DENIED', 'no', [errorInfo('CONSUMER_SUSPENDED', {})])],
      ['no JSON', { status: 403, body: '<html>blocked</html>' }],
      ['a success of somebody else’s', { status: 200, body: '<html>login</html>' }]
    ])('that is answered with %s tells nothing', async (_, answer) => {
      h.double.setFault(() => answer as { status: number })
      expect((await refusal(verify(await h.scene()))).code).toBe('unavailable/provider')
    })

    it('has the key in a header, and no address has it', async () => {
      const scene = await h.scene()
      await withHold(scene, async (hold) => hold.live(await create(scene), soon()))
      expect(await verify(scene)).toBe('accepted')
      for (const { path } of h.double.calls) expect(path).not.toContain('AIzaSy')
    })

    it.each([
      ['https://translation.example.com/'],
      ['http://translation.googleapis.com/'],
      ['https://googleapis.com.example/'],
      ['x']
    ])('goes to Google alone: %s', (verifyUrl) => {
      expect(() => gcpApiKey({ authorize: async () => new Headers(), verifyUrl })).toThrow(/verifyUrl|https/)
    })
  })

  it('reads every page of the list', async () => {
    h.double.pagesOf(2)
    const scene = await h.scene()
    for (let n = 0; n < 6; n++) await h.person(scene)
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys).toHaveLength(7)
    expect(new Set(keys.map(({ principal }) => principal))).toEqual(new Set(idsOf(scene)))
  })

  it('makes no key beside three hundred', async () => {
    const scene = await h.scene()
    for (let n = 1; n < 300; n++) await h.person(scene)
    const before = callsOf('CreateKey')
    expect((await refusal(create(scene))).code).toBe('conflict/full')
    expect(callsOf('CreateKey')).toBe(before)
  })

  it('finds a document that names one key and has the string of another, before one of them is deleted', async () => {
    const scene = await h.scene()
    const other = h.double.addKey(parsed(scene.current.document).projectId)
    const text = JSON.stringify({ ...parsed(scene.current.document), apiKey: other.value })
    const current = scene.target.inspect(new SecretText(text), scene.context)
    const problems = await scene.target.preflight(current, scene.context, soon())
    expect(problems).toEqual([expect.objectContaining({ code: 'invalid/document', fatal: true })])
  })

  it('does not take a deletion that is denied for one that was done', async () => {
    const scene = await h.scene()
    const next = await create(scene)
    h.double.setFault(({ op }) => (op === 'DeleteKey' ? denied('apikeys.keys.delete') : undefined))
    const e = await refusal(withHold(scene, (hold) => hold.discard(next, soon())))
    expect(e).toMatchObject({ code: 'denied/provider', message: expect.stringMatching(/apikeys\.keys\.delete/) })
    expect(await h.works(next)).toBe(true)
  })
})
