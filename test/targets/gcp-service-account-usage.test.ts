import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { withHold } from '../conformance/keys.ts'
import type { KeyScene } from '../conformance/keys-harness.ts'
import { soon } from '../conformance/target-harness.ts'
import { denied } from '../doubles/google-iam-errors.ts'
import { type IamHarness, iamHarness } from '../doubles/google-iam-harness.ts'

const DAY_MS = 24 * 3_600_000

describe('gcp-service-account-key', () => {
  let h: IamHarness
  beforeAll(async () => {
    h = await iamHarness()
  })
  afterEach(() => {
    h.double.setFault(undefined)
    h.double.expireAfter(undefined)
    h.double.observeUntil((now) => now)
  })
  afterAll(() => h.double.close())

  describe('the last use', () => {
    const usage = (scene: KeyScene) => withHold(scene, (hold) => hold.usage(scene.current, soon()))

    it('cannot be told of a key that is disabled, which the report leaves out', async () => {
      const scene = await h.scene()
      await withHold(scene, (hold) => hold.disable(scene.current, soon()))
      expect(await usage(scene)).toMatchObject({ state: 'cannot-tell', why: expect.stringMatching(/disabled/) })
    })

    it('cannot be told by a report that ends earlier than the declared lag', async () => {
      const scene = await h.scene()
      h.double.observeUntil((now) => now - 5 * DAY_MS)
      expect(await usage(scene)).toMatchObject({ state: 'cannot-tell', why: expect.stringMatching(/none since/) })
      h.double.observeUntil((now) => now - 1 * DAY_MS)
      expect(await usage(scene)).toMatchObject({ state: 'last-used', lastUsedAt: undefined })
    })

    it('is a day, and within the declared lag of the truth', async () => {
      const scene = await h.scene()
      await h.use(scene.current, 40 * DAY_MS)
      const used = await usage(scene)
      if (used.state !== 'last-used') throw new Error(used.state)
      const off = h.double.now() - 40 * DAY_MS - (used.lastUsedAt ?? 0)
      expect(off).toBeGreaterThanOrEqual(0)
      expect(off).toBeLessThan(scene.target.facts.telemetryLagMs)
    })

    it('that nobody may ask for is told before a rotation, with the role that is missing', async () => {
      const scene = await h.scene()
      h.double.setFault(({ op }) => (op === 'QueryActivity' ? denied('policyanalyzer.x.query') : undefined))
      const problems = await scene.target.preflight(scene.current, scene.context, soon())
      expect(problems).toEqual([expect.objectContaining({ code: 'conflict/unacknowledged', fatal: false })])
      expect(problems[0]?.message).toContain('roles/policyanalyzer.activityAnalysisViewer')
    })
  })

  it('tells before a rotation that a policy lets keys end by themselves', async () => {
    h.double.expireAfter(720)
    const scene = await h.scene()
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    expect(problems).toEqual([expect.objectContaining({ code: 'denied/provider-policy', fatal: false })])
    expect(problems[0]?.message).toMatch(/iam\.serviceAccountKeyExpiryHours/)
  })
})
