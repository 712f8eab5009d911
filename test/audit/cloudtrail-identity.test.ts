import { describe, expect, test } from 'vitest'
import { MARKS } from '../../shared/audit/event.ts'
import { ACCOUNT, eventOf, readRecord, recordOf, session } from './cloudtrail-records.ts'
import type { Json } from './reading.ts'

const { root } = MARKS
const NONE = { isTaken: true, events: [] }

describe('who called', () => {
  const who = (userIdentity: Json) => eventOf({ userIdentity }).identity
  const roleKey = (role: string): string => `aws:arn:aws:iam::${ACCOUNT}:role/${role}`

  test('is the role and not its session, whatever that is called', () => {
    const sessions = ['ci-1', 'ci-2', 'a/b@c'].map((name) => who(session('team/app', name)))
    expect(sessions.map(({ key, type, isCompute }) => [key, type, isCompute])).toEqual(
      Array(3).fill([roleKey('team/app'), 'workload', false])
    )
    expect(sessions[0]?.name).toBe('team/app')
  })

  test('is a person each session, where the role is of IAM Identity Center', () => {
    const role = 'aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef'
    expect(who(session(role, 'ann@example.com'))).toEqual({
      ...{ key: `${roleKey(role)}/ann@example.com`, name: 'ann@example.com', type: 'person', isRoot: false, isCompute: false }
    })
  })

  test('is compute where an instance has the role, and another identity than the role elsewhere or of a function', () => {
    const compute = [
      session('app', 'i-0123456789abcdef0'),
      session('app', 'x', { ec2RoleDelivery: '2.0' }),
      { ...session('app', 'f'), inScopeOf: { issuerType: 'AWS::EC2::Instance', credentialsIssuedTo: 'i-0' } }
    ].map(who)
    expect(compute.map(({ key, isCompute }) => [key, isCompute])).toEqual(Array(3).fill([`${roleKey('app')}#compute`, true]))
    expect(who(session('app', 'i-am-bob')).isCompute).toBe(false)
    const ofFunction = { ...session('app', 'f'), inScopeOf: { issuerType: 'AWS::Lambda::Function' } }
    expect(who(ofFunction)).toMatchObject({ key: roleKey('app'), isCompute: false })
  })

  test.each<readonly [what: string, identity: Json, key: string, type: string]>([
    ['a service', { type: 'AWSService', invokedBy: 'kms.amazonaws.com' }, 'aws:service/kms.amazonaws.com', 'service'],
    [
      'a service that has no type',
      { accountId: ACCOUNT, invokedBy: 'secretsmanager.amazonaws.com' },
      'aws:service/secretsmanager.amazonaws.com',
      'service'
    ],
    [
      'another account',
      { type: 'AWSAccount', principalId: 'AIDAEXAMPLE', accountId: '210987654321' },
      'aws:AIDAEXAMPLE',
      'workload'
    ],
    ['a person of Identity Center', { type: 'IdentityCenterUser', principalId: 'p', accountId: ACCOUNT }, 'aws:p', 'person'],
    ['nobody who is named', { type: 'Unknown', accountId: ACCOUNT }, `aws:${ACCOUNT}`, 'workload']
  ])('may be %s', (_, identity, key, type) => {
    expect(who(identity)).toMatchObject({ key, type, isRoot: false, isCompute: false })
  })
})

describe('logins and tokens', () => {
  const console = { eventSource: 'signin.amazonaws.com', eventName: 'ConsoleLogin', requestParameters: null }
  const sts = {
    eventSource: 'sts.amazonaws.com',
    eventName: 'AssumeRole',
    requestParameters: { roleArn: 'r', durationSeconds: 43_200 }
  }

  test('of the console say in their answer how they ended', () => {
    expect(eventOf({ ...console, responseElements: { ConsoleLogin: 'Success' } })).toMatchObject({
      kind: 'login',
      outcome: 'done',
      issuer: 'signin'
    })
    expect(
      eventOf({ ...console, responseElements: { ConsoleLogin: 'Failure' }, errorMessage: 'Failed authentication' }).outcome
    ).toBe('unauthenticated')
  })

  test('of root are marked', () => {
    const rootUser = { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT }
    const event = eventOf({ ...console, userIdentity: rootUser, responseElements: { ConsoleLogin: 'Success' } })
    expect(event).toMatchObject({
      marks: root,
      identity: { key: `aws:root/${ACCOUNT}`, name: 'root', type: 'person', isRoot: true }
    })
  })

  test('by a role have its life, and fail whatever the code', () => {
    expect(eventOf(sts)).toMatchObject({ kind: 'login', ttlSeconds: 43_200, issuer: 'sts' })
    expect(eventOf({ ...sts, errorCode: 'AccessDenied' })).toMatchObject({ outcome: 'unauthenticated', ttlSeconds: Number.NaN })
    expect(eventOf({ ...sts, eventName: 'GetSessionToken' }).kind).toBe('token')
  })

  test('of a service that takes a role for itself are nobody’s', () => {
    const userIdentity = { type: 'AWSService', invokedBy: 'lambda.amazonaws.com' }
    expect(readRecord(recordOf({ ...sts, userIdentity, sourceIPAddress: 'lambda.amazonaws.com' }))).toEqual(NONE)
  })
})
