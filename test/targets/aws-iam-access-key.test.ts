import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { create, withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { iamError } from '../doubles/iam-answers.ts'
import { changed, fieldsOf, type IamHarness, startIamHarness } from '../doubles/iam-harness.ts'

let h: IamHarness
beforeAll(async () => {
  h = await startIamHarness()
})
afterEach(() => {
  h.setFault(undefined)
  h.iam.setPageSize(100)
})
afterAll(() => h.stop())

const ops = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
  const before = h.calls().length
  await work()
  return h
    .calls()
    .slice(before)
    .map(({ op }) => op)
}

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

  it('is wanted for the old key’s sake: without iam:GetAccessKeyLastUsed there is a warning', async () => {
    const scene = await h.scene()
    h.setFault(({ op }) => (op === 'GetAccessKeyLastUsed' ? iamError(403, 'AccessDenied', 'not authorized') : undefined))
    const problems = await scene.target.preflight(scene.current, scene.context, soon())
    expect(problems).toMatchObject([
      { code: 'denied/provider', fatal: false, message: expect.stringContaining('iam:GetAccessKeyLastUsed') }
    ])
  })
})

describe('a refusal of IAM', () => {
  const REFUSALS = [
    [404, 'NoSuchEntity', 'not-found/principal'],
    [409, 'LimitExceeded', 'conflict/full'],
    [409, 'EntityTemporarilyUnmodifiable', 'unavailable/provider'],
    [500, 'ServiceFailure', 'unavailable/provider'],
    [503, 'ServiceUnavailable', 'unavailable/provider'],
    [503, 'RequestLimitExceeded', 'throttled/provider'],
    [400, 'ThrottlingException', 'throttled/provider'],
    [403, 'AccessDenied', 'denied/provider'],
    [403, 'ExpiredToken', 'denied/provider'],
    [400, 'ValidationError', 'invalid/request'],
    [403, 'SomethingNew', 'denied/provider']
  ] as const

  it.each(REFUSALS)('%i %s is %3$s', async (status, vendor, code) => {
    const scene = await h.scene()
    h.setFault(({ op }) => (op === 'CreateAccessKey' ? iamError(status, vendor, 'said by AWS') : undefined))
    const e = await refusal(create(scene), scene.current)
    expect(e).toMatchObject({ code, vendor: vendor.replace(/Exception$/, '') })
    expect(e.message).not.toContain('said by AWS')
  })

  it('names the permission and the user', async () => {
    const scene = await h.scene()
    h.setFault(() => h.denied)
    const user = fieldsOf(scene.current.document).userName
    const message = `AWS denied iam:CreateAccessKey on the IAM user ${user}`
    expect((await refusal(create(scene), scene.current)).message).toBe(message)
  })

  it('of a creation for another reason than too many requests is not repeated; of a list it is', async () => {
    const scene = await h.scene()
    let left = 1
    h.setFault(() => (left-- > 0 ? iamError(500, 'ServiceFailure', 'unknown') : undefined))
    expect(await ops(() => refusal(create(scene), scene.current))).toEqual(['CreateAccessKey'])
    left = 1
    const list = () => withHold(scene, (hold) => hold.live(scene.current, soon()))
    expect(await ops(list)).toEqual(['ListAccessKeys', 'ListAccessKeys'])
  })

  it('to delete a key that is not there is what was wanted, while the user is there', async () => {
    const scene = await h.scene()
    const next = await create(scene)
    await h.deleteBehind(next)
    const discard = () => withHold(scene, (hold) => hold.discard(next, soon()))
    expect(await ops(discard)).toEqual(['DeleteAccessKey', 'ListAccessKeys'])
  })

  it('to delete a key of a user who is not there tells nothing of the key', async () => {
    const scene = await h.scene()
    const document = changed(scene.current.document, { userName: 'renamed' })
    const renamed = { ...scene, current: scene.target.inspect(document, scene.context) }
    const e = await refusal(() => withHold(renamed, (hold) => hold.discard(renamed.current, soon())), scene.current)
    expect(e.code).toBe('not-found/principal')
    expect(await h.works(scene.current)).toBe(true)
  })

  it('to delete a key that IAM lists all the same is asked again later', async () => {
    const scene = await h.scene()
    const gone = iamError(404, 'NoSuchEntity', 'cannot be found')
    h.setFault(({ op }) => (op === 'DeleteAccessKey' ? gone : undefined))
    const e = await refusal(() => withHold(scene, (hold) => hold.discard(scene.current, soon())), scene.current)
    expect(e).toMatchObject({ code: 'unavailable/provider', retryable: true })
  })

  it('to disable a key that is gone says so', async () => {
    const scene = await h.scene()
    const next = await create(scene)
    await h.deleteBehind(next)
    const e = await refusal(() => withHold(scene, (hold) => hold.disable(next, soon())), next)
    expect(e.code).toBe('not-found/principal')
  })
})
