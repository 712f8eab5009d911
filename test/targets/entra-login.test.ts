import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { create, withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { GRAPH_OPS } from '../doubles/graph.ts'
import { type GraphHarness, startGraphHarness } from '../doubles/graph-harness.ts'
import { changed } from '../doubles/key-documents.ts'

const HOUR_MS = 3_600_000
let h: GraphHarness
beforeAll(async () => {
  h = await startGraphHarness()
})
afterEach(() => {
  h.setFault(undefined)
  Object.assign(h.graph.state.controls, { report: 'rows', refusesWith: undefined })
})
afterAll(() => h.stop())
const controls = () => h.graph.state.controls
const tokens = () => h.calls().filter(({ op }) => op === GRAPH_OPS.token).length

describe('a token request', () => {
  it('tells a secret that has expired from one that works, by its code', async () => {
    const scene = await h.scene({}, { lifetimeDays: 1 })
    const next = await create(scene)
    expect(await scene.target.verify(next, {}, soon())).toBe('accepted')
    h.graph.advance(25 * HOUR_MS)
    expect(await scene.target.verify(next, {}, soon())).toBe('rejected')
    const problems = await scene.target.preflight(next, {}, soon())
    expect(problems).toContainEqual(
      expect.objectContaining({ code: 'denied/login', message: expect.stringMatching(/AADSTS7000222/) })
    )
  })

  it('proves a death by AADSTS7000215, at the login endpoint', async () => {
    const scene = await h.scene()
    const proof = await withHold(scene, (hold) => hold.retire(scene.current, { endSessions: false }, soon()))
    expect(proof).toMatchObject({ refusal: 'AADSTS7000215', endpoint: new URL(h.graph.url).host })
  })

  it.each([700016, 7000112, 500011, 501051, 1002012, 50196, 90002])(
    'that is refused with %i tells nothing of the secret',
    async (code) => {
      const scene = await h.scene()
      controls().refusesWith = code
      const e = await refusal(scene.target.verify(scene.current, scene.context, soon()), scene.current)
      expect(e).toMatchObject({ code: 'unavailable/provider', message: expect.stringContaining(`AADSTS${code}`) })
      const unproved = await refusal(withHold(scene, (hold) => hold.retire(scene.current, { endSessions: false }, soon())))
      expect(unproved.code).toBe('unavailable/not-dead-yet')
    }
  )

  it('that Conditional Access blocks comes after the secret was right', async () => {
    const scene = await h.scene()
    controls().refusesWith = 53003
    expect(await scene.target.verify(scene.current, scene.context, soon())).toBe('accepted')
  })

  it('is never dead by its HTTP status, nor by the OAuth error alone', async () => {
    const scene = await h.scene()
    for (const body of [{ error: 'invalid_client' }, { error: 'invalid_client', error_codes: 'x' }, '<html>', undefined]) {
      h.setFault(({ op }) => (op === GRAPH_OPS.token ? { status: 401, body } : undefined))
      const e = await refusal(scene.target.verify(scene.current, scene.context, soon()))
      expect(e.code).toBe('unavailable/provider')
    }
    h.setFault(({ op }) => (op === GRAPH_OPS.token ? { status: 200, body: '<html>a proxy’s page</html>' } : undefined))
    expect((await refusal(scene.target.verify(scene.current, scene.context, soon()))).code).toBe('unavailable/provider')
  })

  it('of a secret of another tenant or client is refused', async () => {
    const [scene, other] = [await h.scene(), await h.scene()]
    const { clientId, tenantId } = JSON.parse(other.current.document.reveal()) as Record<string, string>
    const mixed = { ...scene.current, document: changed(scene.current.document, { clientId, tenantId }) }
    expect(await scene.target.verify(mixed, scene.context, soon())).toBe('rejected')
  })

  it('succeeds three times in a row before the secret is taken, because replicas learn of it one by one', async () => {
    const scene = await h.scene()
    const before = tokens()
    await scene.target.verify(scene.current, scene.context, soon())
    expect(tokens() - before).toBe(3)
    let asked = 0
    h.setFault(({ op }) =>
      op === GRAPH_OPS.token && ++asked === 2 ? { status: 401, body: { error_codes: [7000215] } } : undefined
    )
    expect(await scene.target.verify(scene.current, scene.context, soon())).toBe('rejected')
    const once = await h.scene({ tokensInARow: 1 })
    const then = tokens()
    await once.target.verify(once.current, once.context, soon())
    expect(tokens() - then).toBe(1)
  })
})

describe('the last use of a secret', () => {
  const usage = async () => {
    const scene = await h.scene()
    await h.use(scene.current, 3 * HOUR_MS)
    return withHold(scene, (hold) => hold.usage(scene.current, soon()))
  }

  it('is read from the report, whichever page it is on', async () => {
    for (const report of ['rows', 'pages'] as const) {
      controls().report = report
      expect(await usage()).toMatchObject({ state: 'last-used', lastUsedAt: expect.any(Number) })
    }
  })

  it.each([
    ['not permitted', /AuditLog\.Read\.All/],
    ['unlicensed', /P1 or P2/],
    ['no rows', /does not know the secret/],
    ['odd time', /time/]
  ] as const)('is not known where the report answers: %s', async (report, why) => {
    controls().report = report
    expect(await usage()).toMatchObject({ state: 'cannot-tell', why: expect.stringMatching(why) })
  })

  it('is asked for by preflight, so that nobody learns at the retirement that it cannot be told', async () => {
    const scene = await h.scene()
    expect(await scene.target.preflight(scene.current, scene.context, soon())).toEqual([])
    controls().report = 'unlicensed'
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    expect(problems).toMatchObject([
      { code: 'conflict/unacknowledged', fatal: false, message: expect.stringMatching(/P1 or P2/) }
    ])
  })
})

it('a keyId that the application does not have is named before a rotation', async () => {
  const scene = await h.scene()
  const keyId = '11111111-2222-4333-8444-555555555555'
  const current = scene.target.inspect(changed(scene.current.document, { keyId }), scene.context)
  const problems = await scene.target.preflight(current, scene.context, soon())
  expect(problems).toContainEqual(
    expect.objectContaining({ code: 'not-found/principal', message: expect.stringContaining(keyId), fatal: false })
  )
})
