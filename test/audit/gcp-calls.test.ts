import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { MARKS } from '../../shared/audit/event.ts'
import { gcpReader } from '../../shared/audit/from-gcp.ts'
import { leaveOut } from '../left-out.ts'
import { type Json, NOTHING, REFUSED, shelf, withMember } from './reading.ts'

const { record, readOne, eventOf } = shelf('gcp', gcpReader)

describe('who asked', () => {
  const whoIs = (authenticationInfo: Json) =>
    eventOf(withMember(record('access-secret-version'), 'protoPayload.authenticationInfo', authenticationInfo))?.identity
  const typeOf = (principalEmail: string) => whoIs({ principalEmail })?.type

  test('is Google itself only by names that nobody else can have', () => {
    expect(typeOf('service-123456789012@gcp-sa-secretmanager.iam.gserviceaccount.com')).toBe('service')
    expect(typeOf('123456789012@cloudservices.gserviceaccount.com')).toBe('service')
    expect(typeOf('service-1@sample-project.iam.gserviceaccount.com')).toBe('workload')
  })

  test('is a person by mail address, or in a pool for people', () => {
    expect(typeOf('bob@example.com')).toBe('person')
    const pool = 'principal://iam.googleapis.com/locations/global/workforcePools/staff/subject/bob'
    expect(whoIs({ principalSubject: pool })).toMatchObject({ name: pool, type: 'person' })
    expect(whoIs({ principalSubject: 'user:bob@example.com' })?.key).toBe('gcp:bob@example.com')
  })

  test('runs on compute as a pod, and by the default accounts', () => {
    const pod = { principalSubject: 'serviceAccount:sample-project.svc.id.goog[shop/orders]' }
    expect(whoIs(pod)).toMatchObject({ name: 'sample-project.svc.id.goog[shop/orders]', type: 'workload', isCompute: true })
    expect(whoIs({ principalEmail: '123456789012-compute@developer.gserviceaccount.com' })).toMatchObject({ isCompute: true })
  })

  test('is the account alone where no person stands behind it', () => {
    const principalEmail = 'orders@sample-project.iam.gserviceaccount.com'
    const agent = { firstPartyPrincipal: { principalEmail: 'service-1@container-engine-robot.iam.gserviceaccount.com' } }
    const keys = [[{}], [agent], 'none', undefined].map(
      (serviceAccountDelegationInfo) => whoIs({ principalEmail, serviceAccountDelegationInfo })?.key
    )
    expect(keys).toEqual(Array(4).fill(`gcp:${principalEmail}`))
  })
})

describe('a token', () => {
  const life = (lifetime: unknown, code = 0) =>
    eventOf(
      withMember(
        withMember(record('generate-access-token'), 'protoPayload.request.lifetime', lifetime),
        'protoPayload.status.code',
        code
      )
    )?.ttlSeconds

  test('lives an hour where nothing else was asked for', () => {
    expect([life(undefined), life('3600s'), life('1.5s')]).toEqual([3_600, 3_600, 1.5])
  })

  test('has no life that can be read, or was not given', () => {
    expect([life('for ever'), life({ seconds: 5 }), life('3600s', 7)]).toEqual(Array(3).fill(Number.NaN))
  })
})

describe('a policy', () => {
  const set = (payload: Json) => {
    const one = record('set-iam-policy-less-audit')
    return eventOf({ ...one, protoPayload: { ...(one.protoPayload as Json), serviceData: undefined, ...payload } })
  }
  const bindings = (...members: string[]) => ({ request: { policy: { bindings: [{ role: 'roles/viewer', members }] } } })
  const delta = (policyDelta: Json) => ({ serviceData: { policyDelta } })

  test('is public by what was added where the log says what was, else by what it holds', () => {
    expect(set(bindings('allUsers'))).toMatchObject({ kind: 'policy', marks: MARKS.madePublic })
    expect(set(bindings('user:bob@example.com'))?.marks).toBe(0)
    const removed = delta({ bindingDeltas: [{ action: 'REMOVE', member: 'allUsers' }] })
    expect(set({ ...bindings('allUsers'), ...removed })?.marks).toBe(0)
    const added = { bindingDeltas: [{ action: 'ADD', member: 'allAuthenticatedUsers' }] }
    expect([set(delta(added))?.marks, set({ metadata: { policyDelta: added } })?.marks]).toEqual(Array(2).fill(MARKS.madePublic))
  })

  test('logs less where a log is removed or a member is left out of it', () => {
    const audited = (action: string, exemptedMember?: string) => {
      const event = set(delta({ auditConfigDeltas: [{ action, service: 'allServices', logType: 'DATA_READ', exemptedMember }] }))
      return [event?.kind, event?.marks]
    }
    expect(audited('REMOVE')).toEqual(['audit', MARKS.lessAudit])
    expect(audited('ADD', 'user:bob@example.com')).toEqual(['audit', MARKS.lessAudit])
    expect(audited('ADD')).toEqual(['audit', 0])
    expect(audited('REMOVE', 'user:bob@example.com')).toEqual(['audit', 0])
  })

  test('has another hash when it is another, whatever its etag', () => {
    const [first, second, third] = ['user:a@example.com', 'user:b@example.com', 'user:a@example.com'].map((member, etag) => {
      const { policy } = bindings(member).request
      return set({ request: { policy: { ...policy, etag } } })?.policyHash
    })
    expect([first === third, first === second]).toEqual([true, false])
  })
})

test('a sink that is switched off logs less, and one that is changed may not', () => {
  const updated = (disabled: boolean) => {
    const one = withMember(record('delete-sink'), 'protoPayload.methodName', 'google.logging.v2.ConfigServiceV2.UpdateSink')
    return eventOf(withMember(one, 'protoPayload.request.sink', { disabled }))?.marks
  }
  expect([updated(true), updated(false)]).toEqual([MARKS.lessAudit, 0])
})

const SAMPLES = new URL('../../../shared/data/audit/gcp-audit/', import.meta.url)
if (existsSync(SAMPLES)) describe('entries that nobody here wrote', samples)
else leaveOut('entries of Google Cloud that nobody here wrote', 'no ../shared/data/audit/gcp-audit')

function samples(): void {
  const sample = (name: string): Json => JSON.parse(readFileSync(new URL(`${name}.json`, SAMPLES), 'utf8')) as Json

  test('a read, of which a page shows no time and no id, is refused for that alone', () => {
    const shown = sample('gcp-AccessSecretVersion')
    expect(readOne(shown)).toEqual(REFUSED)
    expect(eventOf({ ...shown, timestamp: '2025-02-02T22:56:34.343726445Z', insertId: 'i' })).toMatchObject({
      ...{ kind: 'read', outcome: 'done', account: 'victim-project', address: '7.7.7.7' },
      ...{ secret: { name: 'stratus-red-team-retrieve-secret-8' }, identity: { name: 'redacted' } }
    })
  })

  test('a role that was given in a project, where nothing that is logged changed', () => {
    expect(eventOf(sample('google.cloud.audit.AuditLog.setIamPolicy'))).toMatchObject({
      ...{ kind: 'policy', outcome: 'done', account: '1234', policy: 'projects/1234', marks: 0 },
      identity: { name: 'test-user@example.com', type: 'person' }
    })
  })

  test('a role that was given on a service account, in another spelling', () => {
    expect(eventOf(sample('google.iam.admin.v1.SetIamPolicy-keyAdmin'))).toMatchObject({
      ...{ kind: 'policy', operation: 'google.iam.admin.v1.SetIAMPolicy', account: 'my-project' },
      policy: 'projects/-/serviceAccounts/123456789'
    })
  })

  test('an account that was made gives nobody anything yet', () => {
    expect(readOne(sample('google.iam.admin.v1.CreateServiceAccountRequest'))).toEqual(NOTHING)
  })
}
