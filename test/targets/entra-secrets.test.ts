import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { markOf } from '../../shared/mark.ts'
import { entraClientSecret } from '../../shared/targets/entra-client-secret.ts'
import { SecretText } from '../../shared/types.ts'
import { create, TOKEN, withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { type GraphHarness, startGraphHarness } from '../doubles/graph-harness.ts'
import { changed, fieldsOf } from '../doubles/key-documents.ts'

const DAY_MS = 24 * 3_600_000
let h: GraphHarness
beforeAll(async () => {
  h = await startGraphHarness()
})
afterEach(() => {
  h.setFault(undefined)
  Object.assign(h.graph.state.controls, { policy: {}, report: 'rows', unlisted: 0, refusesWith: undefined })
})
afterAll(() => h.stop())
const controls = () => h.graph.state.controls
const lifetimeMs = (keyId: string) => h.graph.state.endsAt(keyId) - h.graph.now()

describe('a new client secret', () => {
  it('has the mark as its name, and lives for 180 days', async () => {
    const scene = await h.scene()
    const { principal } = await create(scene)
    expect(h.graph.state.shelf.find(principal)?.name).toBe(markOf(scene.context.secret ?? '', TOKEN))
    expect(Math.abs(lifetimeMs(principal) - 180 * DAY_MS)).toBeLessThan(60_000)
  })

  it('lives as long as the deployment says, or its own document', async () => {
    const deployed = await create(await h.scene({ lifetimeMs: 90 * DAY_MS }))
    const own = await create(await h.scene({ lifetimeMs: 90 * DAY_MS }, { lifetimeDays: 30 }))
    expect([deployed, own].map(({ principal }) => Math.round(lifetimeMs(principal) / DAY_MS))).toEqual([90, 30])
  })

  it('is written where the old one stood, with its end where that was said, and every other byte is as it was', async () => {
    const scene = await h.scene({}, { endDateTime: '2020-01-01T00:00:00Z', rest: { 'a ': [1, 2.5] } })
    const next = await create(scene)
    const [old, made] = [fieldsOf(scene.current.document), fieldsOf(next.document)]
    expect(made.endDateTime).toMatch(/^20\d\d-.*\.\d{7}Z$/)
    const replaced = ['keyId', 'clientSecret', 'endDateTime'].reduce(
      (text, name) => text.replace(JSON.stringify(old[name]), JSON.stringify(made[name])),
      scene.current.document.reveal()
    )
    expect(next.document.reveal()).toBe(replaced)
    expect('endDateTime' in fieldsOf((await create(await h.scene())).document)).toBe(false)
  })

  it('is not made in an application that is not the client’s', async () => {
    const [scene, other] = [await h.scene(), await h.scene()]
    const { appObjectId } = fieldsOf(other.current.document)
    const document = changed(scene.current.document, { appObjectId })
    const mixed = { ...scene, current: scene.target.inspect(document, scene.context) }
    const before = await h.snapshot(other)
    expect(await refusal(create(mixed))).toMatchObject({
      code: 'invalid/document',
      message: expect.stringMatching(/appObjectId/)
    })
    expect(await h.snapshot(other)).toBe(before)
  })

  it('is looked for in the cloud that the deployment names, with a token for it', async () => {
    const asked: string[] = []
    const token = async (resource: string) => {
      asked.push(resource)
      return new SecretText('admin-token')
    }
    await create(await h.scene({ token }))
    await create(await h.scene({ token, graphResource: 'https://graph.microsoft.us' }))
    expect([...new Set(asked)]).toEqual([h.graph.url, 'https://graph.microsoft.us'])
    expect(() => entraClientSecret({ token, graph: 'http://graph.example' })).toThrow(/https/)
  })
})

describe('how many secrets may live', () => {
  it.each([
    ['AzureADMyOrg', undefined],
    ['AzureADMultipleOrgs', undefined],
    ['AzureADandPersonalMicrosoftAccount', 2],
    ['PersonalMicrosoftAccount', 2]
  ])('is said by who may sign in: %s', async (audience, maxLive) => {
    const one = await startGraphHarness(audience)
    const scene = await one.scene()
    expect((await withHold(scene, (hold) => hold.live(scene.current, soon()))).maxLive).toBe(maxLive)
    const stranger = await one.person(scene)
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    const full = { code: 'conflict/full', message: expect.stringContaining(stranger) }
    expect(problems).toMatchObject(maxLive === undefined ? [] : [full])
    await one.stop()
  })
})

describe('Graph’s refusals', () => {
  it('tell a policy against secrets from one against long lives, and what to do', async () => {
    const scene = await h.scene()
    controls().policy = { passwordAddition: false }
    const forbidden = await refusal(create(scene))
    controls().policy = { passwordLifetimeMs: 30 * DAY_MS }
    const long = await refusal(create(scene))
    expect([forbidden.code, long.code]).toEqual(['denied/provider-policy', 'denied/provider-policy'])
    expect(forbidden).toMatchObject({
      vendor: 'CredentialTypeNotAllowedAsPerAppPolicy',
      message: expect.stringMatching(/passwordAddition/)
    })
    expect(long).toMatchObject({
      vendor: 'CredentialInvalidLifetimeAsPerAppPolicy',
      message: expect.stringMatching(/lifetimeDays/)
    })
    const short = await h.scene({}, { lifetimeDays: 29 })
    expect(await h.works(await create(short))).toBe(true)
  })

  it.each([
    [403, 'Authorization_RequestDenied', 'denied/provider', /Application\.ReadWrite\.OwnedBy/],
    [401, 'InvalidAuthenticationToken', 'denied/provider', /Application\.ReadWrite\.OwnedBy/],
    [403, 'Directory_ResourceSizeExceeded', 'conflict/full', /full/],
    [404, 'Request_ResourceNotFound', 'not-found/principal', /appObjectId/],
    [403, 'SomethingNew', 'denied/provider', /Application\.ReadWrite/],
    [400, 'Request_BadRequest', 'unavailable/provider', /Request_BadRequest/]
  ])('%i %s is %s', async (status, code, expected, names) => {
    const scene = await h.scene()
    h.setFault(({ op }) => (op === h.createOp ? { status, body: { error: { code, message: 'quoted' } } } : undefined))
    const e = await refusal(create(scene), scene.current)
    expect(e).toMatchObject({ code: expected, vendor: code, message: expect.stringMatching(names) })
    expect(e.message).not.toContain('quoted')
  })

  it('say that there is no token, without what the token’s source said', async () => {
    const scene = await h.scene({ token: async () => Promise.reject(new Error('quotes a password')) })
    const e = await refusal(create(scene))
    expect(e.code).toBe('denied/provider')
    expect(e.message).not.toContain('quotes')
  })

  it('show no secret, whatever fails and however it is looked at', async () => {
    const scene = await h.scene()
    const { clientSecret = '' } = fieldsOf(scene.current.document)
    for (const fault of ['before', 'lost', { status: 400, body: clientSecret }, { status: 200, body: '<html>' }] as const) {
      h.setFault(() => fault)
      for (const work of [() => create(scene), () => scene.target.verify(scene.current, scene.context, soon())]) {
        const e = await refusal(work)
        expect(`${inspect(e, { depth: 9, showHidden: true })} ${JSON.stringify(e)}`).not.toContain(clientSecret)
      }
    }
    expect(controls().urls.length).toBeGreaterThan(0)
    for (const url of controls().urls) expect(decodeURIComponent(url)).not.toContain(clientSecret)
  })
})

describe('a removal', () => {
  it('that a replica knows nothing of is not taken for done while the secret lives', async () => {
    const scene = await h.scene()
    controls().unlisted = 3
    const next = await create(scene)
    const discard = () => withHold(scene, (hold) => hold.discard(next, soon()))
    expect(await refusal(discard(), next)).toMatchObject({ code: 'unavailable/not-dead-yet', retryable: true })
    await refusal(discard(), next)
    await discard()
    expect([await h.works(next), await h.works(scene.current)]).toEqual([false, true])
  })

  it('of a secret that is listed and yet not found is asked again later', async () => {
    const scene = await h.scene()
    h.setFault(({ op }) =>
      op === 'application_removePassword' ? { status: 400, body: { error: { code: 'Request_BadRequest' } } } : undefined
    )
    const e = await refusal(withHold(scene, (hold) => hold.discard(scene.current, soon())))
    expect(e.code).toBe('unavailable/not-dead-yet')
  })

  it('in an application that is gone says so', async () => {
    const scene = await h.scene()
    const { appObjectId = '' } = fieldsOf(scene.current.document)
    ;(h.graph.state.applications as Map<string, unknown>).delete(appObjectId)
    const e = await refusal(withHold(scene, (hold) => hold.discard(scene.current, soon())))
    expect(e.code).toBe('not-found/principal')
  })
})
