import { describe, expect, test } from 'vitest'
import { MARKS } from '../../shared/audit/event.ts'
import { gcpReader, isGcp } from '../../shared/audit/from-gcp.ts'
import { references } from '../../shared/audit/references.ts'
import { type Json, NOTHING, provokes, REFUSED, shelf, withMember } from './reading.ts'

const { names, record, readOne, eventOf } = shelf('gcp', gcpReader)

const PROJECT = 'sample-project'
const secret = (name: string, group = '') => ({
  ...{ key: `gcp:${PROJECT}/${name}`, store: 'gcp', account: PROJECT, name, group: `gcp:${PROJECT}/${group}` }
})
const head = { store: 'gcp', account: PROJECT, outcome: 'done', network: '', ttlSeconds: Number.NaN }
const ALICE = { key: 'gcp:alice@example.com', name: 'alice@example.com', type: 'person', isRoot: false, isCompute: false }
const ofAlice = { ...head, identity: ALICE, address: '203.0.113.9' }
const called = (method: string) => `google.cloud.secretmanager.v1.SecretManagerService.${method}`

/** What each record says. */
const SAYS: Readonly<Record<string, Json>> = {
  'access-secret-version': {
    ...{ ...head, kind: 'read', operation: called('AccessSecretVersion'), secret: secret('db-app'), marks: 0 },
    id: 'projects/sample-project/logs/cloudaudit.googleapis.com%2Fdata_access|2026-03-01T02:14:33.343726445Z|1k2m3n4o5p6q',
    ...{ at: Date.parse('2026-03-01T02:14:33.343Z'), address: '203.0.113.9', issuer: '', policy: '', policyHash: '' },
    network: '//compute.googleapis.com/projects/sample-project/global/networks/default',
    identity: { key: 'gcp:orders@sample-project.iam.gserviceaccount.com', type: 'workload', isRoot: false, isCompute: false }
  },
  'access-secret-version-denied': {
    ...{ ...head, kind: 'read', outcome: 'denied', secret: secret('payroll') },
    identity: { key: 'gcp:redacted', name: 'redacted', type: 'unknown' }
  },
  'access-secret-version-federated': {
    ...{ ...head, kind: 'read', address: '', secret: secret('europe-west1/db-app', 'europe-west1') },
    identity: {
      type: 'workload',
      name: expect.stringMatching(/^principal:.*\/workloadIdentityPools\/ci\/subject\/repo:sample\/app$/)
    }
  },
  'create-secret': { ...ofAlice, kind: 'write', operation: called('CreateSecret'), secret: secret('db-app-pending') },
  'destroy-secret-version': { ...ofAlice, kind: 'delete', secret: secret('db-app'), marks: MARKS.unrecoverable },
  'set-iam-policy-public': {
    ...{ ...ofAlice, kind: 'policy', secret: secret('db-app'), marks: MARKS.madePublic },
    ...{ policy: 'projects/sample-project/secrets/db-app', policyHash: expect.stringMatching(/^[0-9a-f]{64}$/) }
  },
  'set-iam-policy-less-audit': {
    ...{ ...ofAlice, kind: 'audit', operation: 'SetIamPolicy', secret: undefined, marks: MARKS.lessAudit },
    policy: 'projects/sample-project'
  },
  'delete-sink': { ...ofAlice, kind: 'audit', marks: MARKS.lessAudit, policy: 'projects/sample-project/sinks/to-audit' },
  'generate-access-token': {
    ...{ ...head, kind: 'token', ttlSeconds: 43_200, issuer: 'iamcredentials', policy: '' },
    identity: {
      key: 'gcp:alice@example.com>deployer@sample-project.iam.gserviceaccount.com',
      name: 'alice@example.com as deployer@sample-project.iam.gserviceaccount.com',
      type: 'person'
    }
  },
  'create-service-account-key': { ...ofAlice, kind: 'token', ttlSeconds: Number.POSITIVE_INFINITY, issuer: 'iam' }
}

test('every record of the folder is read here', () => {
  expect(names).toEqual(Object.keys(SAYS).sort())
})

test.each(Object.entries(SAYS))('%s says so', (name, said) => {
  const { isTaken, events } = readOne(record(name))
  expect(isTaken).toBe(true)
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject(said)
})

describe('how a call ended', () => {
  const ended = (payload: Json) => {
    const one = record('access-secret-version')
    return eventOf({ ...one, protoPayload: { ...(one.protoPayload as Json), ...payload } })?.outcome
  }

  test('is told by its code', () => {
    expect([undefined, 0, 5, 7, 16, 13, '7'].map((code) => ended({ status: { code } }))).toEqual(
      'done done absent denied unauthenticated failed denied'.split(' ')
    )
  })

  test('is a refusal where a right was not granted, which the log leaves out', () => {
    expect([ended({ authorizationInfo: [{ granted: true }, {}] }), ended({ authorizationInfo: [{ granted: false }] })]).toEqual(
      Array(2).fill('denied')
    )
    expect([ended({ authorizationInfo: [] }), ended({ authorizationInfo: undefined })]).toEqual(Array(2).fill('done'))
  })

  test('is a failed login whatever the code', () => {
    const login = { serviceName: 'sts.googleapis.com', methodName: 'google.identity.sts.v1.SecurityTokenService.ExchangeToken' }
    expect([ended({ ...login, status: { code: 3 } }), ended(login)]).toEqual(['unauthenticated', 'done'])
    const workspace = { serviceName: 'login.googleapis.com', methodName: 'google.login.LoginService.loginFailure' }
    expect(ended(workspace)).toBe('unauthenticated')
  })
})

test('what is no address has none', () => {
  const addresses = ['private', 'gce-internal-ip', '10.0.0.7', '2001:db8::1', 5].map(
    (callerIp) => eventOf(withMember(record('access-secret-version'), 'protoPayload.requestMetadata.callerIp', callerIp))?.address
  )
  expect(addresses).toEqual(['', '', '10.0.0.7', '2001:db8::1', ''])
})

describe('an entry', () => {
  test('belongs to the project of its resource, else to that of its log', () => {
    const account = (path: string, value: unknown, logName?: string) =>
      eventOf({ ...withMember(record('delete-sink'), path, value), ...(logName && { logName }) })?.account
    expect(account('resource', undefined)).toBe(PROJECT)
    expect(account('resource', {}, 'organizations/42/logs/cloudaudit.googleapis.com%2Factivity')).toBe('organizations/42')
    expect(account('resource.labels', [], '')).toBe(PROJECT)
  })

  test('of what is not about secrets is passed by', () => {
    const other = withMember(record('delete-sink'), 'protoPayload.serviceName', 'compute.googleapis.com')
    const request = withMember(
      record('delete-sink'),
      'protoPayload.@type',
      'type.googleapis.com/google.appengine.logging.v1.RequestLog'
    )
    const text = { logName: 'projects/p/logs/stdout', textPayload: 'secretmanager.googleapis.com' }
    expect([other, request, text].map(readOne)).toEqual(Array(3).fill(NOTHING))
  })

  test('for the end of what takes long says nothing that the first did not', () => {
    const during = (operation: Json) => readOne({ ...record('delete-sink'), operation })
    expect(during({ id: '1', last: true })).toEqual(NOTHING)
    expect(
      [during({ id: '1', first: true }), during({ id: '1', first: true, last: true })].map(({ events }) => events.length)
    ).toEqual([1, 1])
  })

  test('that lacks its time, its id, its service or its method is refused, and so is what is none', () => {
    const bad = ['timestamp', 'insertId', 'protoPayload.serviceName', 'protoPayload.methodName', 'protoPayload'].flatMap((path) =>
      [5, [], ''].map((value) => withMember(record('access-secret-version'), path, value))
    )
    expect(bad.map(readOne)).toEqual(Array(15).fill(REFUSED))
    expect([[], null, 'protoPayload', { logName: 'projects/p/logs/l' }].map(readOne)).toEqual(Array(4).fill(REFUSED))
    expect([isGcp(record('delete-sink')), isGcp({ category: 'AuditEvent' })]).toEqual([true, false])
  })
})

test('whatever stands in an entry, reading it throws nothing', () => {
  provokes(gcpReader(references()), names.map(record))
})
