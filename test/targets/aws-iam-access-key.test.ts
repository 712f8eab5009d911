import { describe, expect, it } from 'vitest'
import { create, withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { iamAnswer, iamError, keyList } from '../doubles/iam-answers.ts'
import { changed, fieldsOf } from '../doubles/key-documents.ts'
import { iamOfFile } from './aws-iam-world.ts'

const { h, ops } = await iamOfFile()

describe('a user of IAM who has two keys', () => {
  it('one of them a stranger’s, gets no third: it is refused, and nothing is deleted or disabled', async () => {
    const scene = await h.scene()
    const stranger = await h.person(scene)
    const before = await h.snapshot(scene)
    const called = await ops(async () => {
      const e = await refusal(create(scene), scene.current)
      expect(e).toMatchObject({ code: 'conflict/full', retryable: false, vendor: 'LimitExceeded' })
    })
    expect(called).toEqual(['CreateAccessKey'])
    expect(await h.snapshot(scene)).toBe(before)
    expect(await h.works(scene.current)).toBe(true)
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    expect(problems).toMatchObject([{ code: 'conflict/full', fatal: true, message: expect.stringContaining(stranger) }])
  })

  it('the second one made by an attempt that died before its value was kept, gets no third, and keeps the one that is read', async () => {
    const scene = await h.scene()
    h.setFault(({ op }) => (op === 'CreateAccessKey' ? 'lost' : undefined))
    expect((await refusal(create(scene), scene.current)).code).toBe('unavailable/provider')
    h.setFault(undefined)
    const before = await h.snapshot(scene)
    expect((await refusal(create(scene), scene.current)).code).toBe('conflict/full')
    expect(await h.snapshot(scene)).toBe(before)
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    // Nothing tells whose the other is: no mark, so that it is nobody's to delete.
    expect(keys.map(({ principal, ours, used }) => ({ mine: principal === scene.current.principal, ours, used }))).toEqual([
      { mine: true, ours: false, used: 'cannot-tell' },
      { mine: false, ours: false, used: 'cannot-tell' }
    ])
  })

  it('one of them inactive, gets no third either', async () => {
    const scene = await h.scene()
    const next = await create(scene)
    await withHold(scene, (hold) => hold.disable(next, soon()))
    expect((await refusal(create(scene), scene.current)).code).toBe('conflict/full')
  })

  it('is listed to the last page', async () => {
    const scene = await h.scene()
    const next = await create(scene)
    h.iam.setPageSize(1)
    const called = await ops(async () => {
      const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
      expect(keys.map(({ principal }) => principal)).toEqual([scene.current.principal, next.principal])
    })
    expect(called).toEqual(['ListAccessKeys', 'ListAccessKeys'])
  })
})

describe('what IAM tells of a key', () => {
  it('may be that it expired: it is as good as disabled', async () => {
    const scene = await h.scene()
    const key = h.iam.shelf.find(scene.current.principal)
    if (!key) throw new Error('no key')
    const { status, body } = iamAnswer('ListAccessKeys', ...keyList(key.account, [key], undefined))
    const expired = { status, body: String(body).replace('>Active<', '>Expired<') }
    h.setFault(({ op }) => (op === 'ListAccessKeys' ? expired : undefined))
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(keys).toMatchObject([{ principal: key.id, isDisabled: true }])
  })

  it('is nothing, where it is deleted: IAM denies, and it is no permission that is missing', async () => {
    const scene = await h.scene()
    const next = await create(scene)
    await h.deleteBehind(next)
    const e = await refusal(() => withHold(scene, (hold) => hold.usage(next, soon())), next)
    const { userName } = fieldsOf(next.document)
    const message = `the IAM user ${userName} has no access key ${next.principal}`
    expect(e).toMatchObject({ code: 'not-found/principal', vendor: 'AccessDenied', message })
    const problems = await scene.target.preflight(next, scene.context, soon())
    expect(problems.map(({ code }) => code)).toEqual(['denied/login'])
  })

  it('is when, where and for what it was last used', async () => {
    const scene = await h.scene()
    await h.use(scene.current, 3_600_000)
    expect(await withHold(scene, (hold) => hold.usage(scene.current, soon()))).toMatchObject({
      state: 'last-used',
      service: 's3',
      region: 'eu-west-1'
    })
    const next = await create(scene)
    expect(await withHold(scene, (hold) => hold.usage(next, soon()))).toEqual({
      state: 'last-used',
      lastUsedAt: undefined,
      service: undefined,
      region: undefined
    })
  })

  it('is by IAM’s own clock: its age, and when it was disabled', async () => {
    const scene = await h.scene()
    h.iam.advance(2 * 60_000)
    const { keys } = await withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(Math.abs((keys[0]?.ageMs ?? 0) - 2 * 60_000)).toBeLessThan(5_000)
    const at = await withHold(scene, (hold) => hold.disable(scene.current, soon()))
    expect(Math.abs(at - h.iam.now())).toBeLessThan(5_000)
    h.iam.advance(-2 * 60_000)
  })

  it('is whose it is: a document that names another user is found before a rotation', async () => {
    const [scene, other] = [await h.scene(), await h.scene()]
    const { accessKeyId, secretAccessKey } = fieldsOf(other.current.document)
    const mixed = scene.target.inspect(changed(scene.current.document, { accessKeyId, secretAccessKey }), scene.context)
    const problems = await scene.target.preflight(mixed, scene.context, soon())
    expect(problems).toMatchObject([{ code: 'conflict/key-not-ours', fatal: true }])
  })

  it('is not told to another account, whose user may have the same name: that is found before a rotation', async () => {
    const scene = await h.scene()
    const { id: accessKeyId, value: secretAccessKey } = h.iam.addKey('a-user-of-another-account')
    const foreign = scene.target.inspect(changed(scene.current.document, { accessKeyId, secretAccessKey }), scene.context)
    expect(await scene.target.verify(foreign, scene.context, soon())).toBe('accepted')
    const problems = await scene.target.preflight(foreign, scene.context, soon())
    expect(problems).toMatchObject([
      { code: 'conflict/key-not-ours', fatal: true, message: expect.stringContaining(accessKeyId) }
    ])
  })

  it('is wanted for the old key’s sake: without iam:GetAccessKeyLastUsed there is a warning', async () => {
    const scene = await h.scene()
    h.setFault(({ op }) => (op === 'GetAccessKeyLastUsed' ? iamError(403, 'AccessDenied', 'not authorized') : undefined))
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    expect(problems).toMatchObject([
      { code: 'denied/provider', fatal: false, message: expect.stringContaining('iam:GetAccessKeyLastUsed') }
    ])
  })
})
