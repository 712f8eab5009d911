import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { MARKS } from '../../shared/audit/event.ts'
import { ACCOUNT, arnOf, eventOf, idOf, readRecord, recordOf, USER } from './cloudtrail-records.ts'
import type { Json } from './reading.ts'

const { byFilter, madePublic, unrecoverable, oldVersion, deletionPending, lessAudit, rotationFailed } = MARKS
const NONE = { isTaken: true, events: [] }
const SERVICE: Json = { accountId: ACCOUNT, invokedBy: 'secretsmanager.amazonaws.com' }

test('a read is one event, with all that the record says', () => {
  expect(eventOf({ vpcEndpointId: 'vpce-0a1b' })).toEqual({
    ...{ id: idOf(1), at: Date.UTC(2026, 6, 1, 12), store: 'aws', account: ACCOUNT, kind: 'read', operation: 'GetSecretValue' },
    ...{ outcome: 'done', address: '203.0.113.9', network: 'vpce-0a1b', marks: 0, ttlSeconds: Number.NaN },
    identity: { key: `aws:arn:aws:iam::${ACCOUNT}:user/alice`, name: 'alice', type: 'person', isRoot: false, isCompute: false },
    secret: { key: `aws:${ACCOUNT}/app/db`, store: 'aws', account: ACCOUNT, name: 'app/db', group: `aws:${ACCOUNT}/app` },
    ...{ issuer: '', policy: '', policyHash: '' }
  })
})

describe('the secret’s name', () => {
  const denial = (on: string): string =>
    `User: ${USER.arn} is not authorized to perform: secretsmanager:GetSecretValue on resource: ${on} because no identity-based policy allows the action`
  const service = {
    userIdentity: SERVICE,
    eventType: 'AwsServiceEvent',
    requestParameters: null,
    sourceIPAddress: 'secretsmanager.amazonaws.com'
  }

  test.each<readonly [place: string, record: Json]>([
    ['in what was asked, as an ARN', { requestParameters: { secretId: arnOf('app/db') } }],
    ['in what was asked, as a name', { requestParameters: { secretId: 'app/db' } }],
    ['in what was asked, as an ARN without its end', { requestParameters: { secretId: arnOf('app/db').slice(0, -7) } }],
    [
      'in the answer',
      { eventName: 'CreateSecret', requestParameters: { name: 'x' }, responseElements: { arn: arnOf('app/db') } }
    ],
    [
      'in the answer as it was before 2024',
      { eventName: 'DeleteSecret', requestParameters: {}, responseElements: { aRN: arnOf('app/db') } }
    ],
    [
      'in the event of a rotation',
      { ...service, eventName: 'RotationSucceeded', additionalEventData: { SecretId: arnOf('app/db') } }
    ],
    [
      'in the event of a deletion',
      { ...service, eventName: 'EndSecretVersionDelete', additionalEventData: { ARN: arnOf('app/db'), Name: 'app/db' } }
    ],
    [
      'in what was to be created',
      { eventName: 'CreateSecret', requestParameters: { name: 'app/db' }, errorCode: 'ResourceExistsException' }
    ],
    [
      'in the message of a denial without parameters',
      { requestParameters: null, errorCode: 'AccessDeniedException', errorMessage: denial(arnOf('app/db')) }
    ],
    [
      'in the message of a denial, as a name',
      { requestParameters: null, errorCode: 'AccessDenied', errorMessage: denial('app/db') }
    ]
  ])('is found %s', (_, record) => {
    expect(eventOf(record).secret).toMatchObject({ name: 'app/db', key: `aws:${ACCOUNT}/app/db` })
  })

  test('is what was asked, where the record has it in several places', () => {
    const record = {
      requestParameters: { secretId: 'asked', name: 'x' },
      responseElements: { arn: arnOf('other') },
      additionalEventData: { SecretId: arnOf('third') }
    }
    expect(eventOf(record).secret?.name).toBe('asked')
  })

  test('is of the account whose log it is in; where that is not said, of the one in its ARN, or of the caller', () => {
    const account = (more: Json) => eventOf(more).secret?.account
    const requestParameters = { secretId: arnOf('app/db', '210987654321') }
    expect(account({ requestParameters })).toBe(ACCOUNT)
    expect(account({ requestParameters, recipientAccountId: undefined })).toBe('210987654321')
    expect(account({ requestParameters: { secretId: 'app/db' }, recipientAccountId: undefined })).toBe(ACCOUNT)
  })

  test('keeps an end of its own that is like the one of an ARN', () => {
    expect(eventOf({ requestParameters: { secretId: arnOf('app-config-abcdef') } }).secret?.name).toBe('app-config-abcdef')
    expect(eventOf({ requestParameters: { secretId: 'app-abcdef' } }).secret?.name).toBe('app-abcdef')
  })

  test('is none where no secret is asked for', () => {
    for (const eventName of ['ListSecrets', 'BatchGetSecretValue'])
      expect(eventOf({ eventName, requestParameters: {} }).secret).toBeUndefined()
  })
})

describe('what was asked', () => {
  test.each<readonly [what: string, record: Json, kind: string, marks: number]>([
    [
      'a batch by a list',
      { eventName: 'BatchGetSecretValue', requestParameters: { secretIdList: [arnOf('a'), arnOf('b')] } },
      'list',
      0
    ],
    [
      'a batch by a filter',
      { eventName: 'BatchGetSecretValue', requestParameters: { filters: [{ key: 'name' }] } },
      'list',
      byFilter
    ],
    [
      'a batch by no filter',
      { eventName: 'BatchGetSecretValue', requestParameters: { secretIdList: ['a'], filters: [] } },
      'list',
      0
    ],
    ['a version before', { requestParameters: { secretId: 'a', versionStage: 'AWSPREVIOUS' } }, 'read', oldVersion],
    ['the current version', { requestParameters: { secretId: 'a', versionStage: 'AWSCURRENT' } }, 'read', 0],
    ['a deletion', { eventName: 'DeleteSecret', requestParameters: { secretId: 'a', recoveryWindowInDays: 7 } }, 'delete', 0],
    [
      'a deletion for good',
      { eventName: 'DeleteSecret', requestParameters: { secretId: 'a', forceDeleteWithoutRecovery: true } },
      'delete',
      unrecoverable
    ],
    ['the beginning of a rotation', { eventName: 'RotateSecret' }, 'rotate', 0],
    ['the end of a rotation', { eventName: 'RotationSucceeded' }, 'rotate', 0],
    ['a rotation that is taken off', { eventName: 'CancelRotateSecret' }, 'rotate', rotationFailed],
    [
      'a trail that stops',
      { eventSource: 'cloudtrail.amazonaws.com', eventName: 'StopLogging', requestParameters: { name: 't' } },
      'audit',
      lessAudit
    ],
    [
      'a key that goes',
      { eventSource: 'kms.amazonaws.com', eventName: 'ScheduleKeyDeletion', requestParameters: { keyId: 'k' } },
      'delete',
      unrecoverable
    ]
  ])('is known: %s', (_, record, kind, marks) => {
    expect(eventOf(record)).toMatchObject({ kind, marks })
  })

  test('is not known where it says nothing about secrets', () => {
    const others = [
      { eventName: 'GetRandomPassword' },
      { eventSource: 'ec2.amazonaws.com', eventName: 'RunInstances' },
      { eventSource: 'constructor' }
    ]
    expect(others.map((other) => readRecord(recordOf(other)))).toEqual(others.map(() => NONE))
  })
})

describe('how it ended', () => {
  test.each([
    [undefined, 'done'],
    ['AccessDenied', 'denied'],
    ['AccessDeniedException', 'denied'],
    ['VpceAccessDenied', 'denied'],
    ['ResourceNotFoundException', 'absent'],
    ['ThrottlingException', 'failed']
  ])('with %s is %s', (errorCode, outcome) => {
    expect(eventOf(errorCode === undefined ? {} : { errorCode }).outcome).toBe(outcome)
  })

  test('is a failure where a rotation says so, and is marked', () => {
    const failed = {
      eventName: 'RotationFailed',
      requestParameters: null,
      additionalEventData: { SecretId: arnOf('a') },
      errorMessage: 'Error when executing lambda'
    }
    expect(eventOf(failed)).toMatchObject({ kind: 'rotate', outcome: 'failed', marks: rotationFailed })
  })

  test('of a read of what waits for its deletion is marked', () => {
    const errorMessage = 'You can’t perform this operation on the secret because it was marked for deletion.'
    expect(eventOf({ errorCode: 'InvalidRequestException', errorMessage }).marks).toBe(deletionPending)
    expect(eventOf({ errorCode: 'InvalidRequestException', errorMessage: 'You can’t.' }).marks).toBe(0)
  })
})

describe('a policy', () => {
  const policy = (Principal: unknown) =>
    JSON.stringify({ Statement: [{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Principal, Resource: '*' }] })
  const put = (resourcePolicy: string, more: Json = {}) =>
    eventOf({ eventName: 'PutResourcePolicy', requestParameters: { secretId: arnOf('app/db'), resourcePolicy }, ...more })

  test('is of the secret, and its text is known again by a hash', () => {
    const text = policy({ AWS: `arn:aws:iam::${ACCOUNT}:root` })
    const hash = createHash('sha256').update(text).digest('hex')
    expect(put(text)).toMatchObject({ kind: 'policy', policy: 'app/db', policyHash: hash, marks: 0, secret: { name: 'app/db' } })
  })

  test('that lets everybody in, or another account, is marked; one that was refused is not', () => {
    expect([policy('*'), policy({ AWS: 'arn:aws:iam::210987654321:root' })].map((text) => put(text).marks)).toEqual([
      madePublic,
      madePublic
    ])
    expect(put(policy('*'), { errorCode: 'AccessDenied' }).marks).toBe(0)
    const key = {
      eventSource: 'kms.amazonaws.com',
      eventName: 'PutKeyPolicy',
      requestParameters: { keyId: 'k', policy: policy('*') }
    }
    expect(eventOf(key)).toMatchObject({ kind: 'policy', policy: 'k', marks: madePublic, secret: undefined })
  })
})

describe('a record', () => {
  test('that lacks its id, its name, its source or its time is refused', () => {
    const bad = ['eventID', 'eventName', 'eventSource', 'eventTime'].map((member) => recordOf({ [member]: undefined }))
    expect([...bad, {}, recordOf({ eventTime: 'soon' })].map(readRecord)).toEqual(Array(6).fill({ isTaken: false, events: [] }))
  })

  test('is told by its members and not by what stands in them', () => {
    const inside = {
      eventName: 'GetSecretValue',
      eventSource: 'secretsmanager.amazonaws.com',
      requestParameters: { secretId: 'x' }
    }
    const other = {
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      requestParameters: inside,
      userAgent: JSON.stringify(inside)
    }
    expect(readRecord(recordOf(other))).toEqual(NONE)
    expect(eventOf({ requestParameters: { ...inside, secretId: 'app/db' } }).secret?.name).toBe('app/db')
  })

  test('by way of a service has no address', () => {
    const addresses = ['secretsmanager.amazonaws.com', 'AWS Internal', '2001:db8::1'].map(
      (sourceIPAddress) => eventOf({ sourceIPAddress }).address
    )
    expect(addresses).toEqual(['', '', '2001:db8::1'])
  })
})
