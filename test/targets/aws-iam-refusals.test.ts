import { describe, expect, it } from 'vitest'
import { create, withHold } from '../conformance/keys.ts'
import { refusal, soon } from '../conformance/target-harness.ts'
import { iamError } from '../doubles/iam-answers.ts'
import { changed, fieldsOf } from '../doubles/key-documents.ts'
import { iamOfFile } from './aws-iam-world.ts'

const { h, ops } = await iamOfFile()

describe('a refusal of IAM', () => {
  /** The errors of the five operations, IAM's CommonErrors, and what a later version of either may add. */
  const REFUSALS = [
    [404, 'NoSuchEntity', 'not-found/principal'],
    [409, 'LimitExceeded', 'conflict/full'],
    [409, 'EntityTemporarilyUnmodifiable', 'unavailable/provider'],
    [409, 'ConcurrentModification', 'unavailable/provider'],
    [500, 'ServiceFailure', 'unavailable/provider'],
    [500, 'InternalFailure', 'unavailable/provider'],
    [503, 'ServiceUnavailable', 'unavailable/provider'],
    [400, 'RequestExpired', 'unavailable/provider'],
    [400, 'RequestAbortedException', 'unavailable/provider'],
    [408, 'RequestTimeoutException', 'unavailable/provider'],
    [400, 'RequestLimitExceeded', 'throttled/provider'],
    [503, 'RequestLimitExceeded', 'throttled/provider'],
    [400, 'Throttling', 'throttled/provider'],
    [400, 'ThrottlingException', 'throttled/provider'],
    [403, 'AccessDenied', 'denied/provider'],
    [400, 'AccessDeniedException', 'denied/provider'],
    [401, 'NotAuthorized', 'denied/provider'],
    [403, 'OptInRequired', 'denied/provider'],
    [403, 'ExpiredToken', 'denied/provider'],
    [403, 'InvalidClientTokenId', 'denied/provider'],
    [403, 'UnrecognizedClientException', 'denied/provider'],
    [403, 'MissingAuthenticationToken', 'denied/provider'],
    [400, 'IncompleteSignature', 'denied/provider'],
    [400, 'InvalidInput', 'invalid/request'],
    [400, 'ValidationError', 'invalid/request'],
    [400, 'InvalidAction', 'invalid/request'],
    [404, 'UnknownOperationException', 'invalid/request'],
    [404, 'MalformedQueryString', 'invalid/request'],
    [400, 'MalformedHttpRequestException', 'invalid/request'],
    [413, 'RequestEntityTooLargeException', 'invalid/request'],
    [400, 'MissingParameter', 'invalid/request'],
    [400, 'MissingAction', 'invalid/request'],
    [400, 'InvalidParameterValue', 'invalid/request'],
    [400, 'InvalidParameterCombination', 'invalid/request'],
    [400, 'InvalidQueryParameter', 'invalid/request'],
    [403, 'SomethingNew', 'denied/provider'],
    [502, 'SomethingNew', 'unavailable/provider']
  ] as const

  it.each(REFUSALS)('%i %s is %s', async (status, vendor, code) => {
    const scene = await h.scene()
    h.setFault(({ op }) => (op === 'CreateAccessKey' ? iamError(status, vendor, 'said by AWS') : undefined))
    const called = await ops(async () => {
      const e = await refusal(create(scene), scene.current)
      expect(e).toMatchObject({ code, vendor: vendor.replace(/Exception$/, '') })
      expect(e.message).not.toContain('said by AWS')
    })
    // A second one would be a second key: only too many requests are certain to have done nothing.
    expect(called).toHaveLength(code === 'throttled/provider' ? 2 : 1)
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
