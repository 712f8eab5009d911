import { expect, test } from 'vitest'
import { type AuditEvent, MARKS } from '../../shared/audit/event.ts'
import { type Call, eventOf, hmac } from './vault-lines.ts'

const { unrecoverable, oldVersion, lessAudit, root } = MARKS

type Said = readonly [kind: AuditEvent['kind'], secret: string | undefined, marks?: number]

/** An operation and a path, what they are and of which secret; and the engine, the mount and data of the request. */
const SECRETS: readonly (readonly [call: string, said: Said, more?: Partial<Call>])[] = [
  ['read secret/data/app', ['read', 'secret/app']],
  ['read secret/data/app', ['read', 'secret/app', oldVersion], { data: { version: hmac(2) } }],
  ['create secret/data/app', ['write', 'secret/app']],
  ['update secret/data/app', ['write', 'secret/app']],
  ['patch secret/data/app', ['write', 'secret/app']],
  ['delete secret/data/app', ['delete', 'secret/app']],
  ['update secret/delete/app', ['delete', 'secret/app']],
  ['update secret/undelete/app', ['write', 'secret/app']],
  ['update secret/destroy/app', ['delete', 'secret/app', unrecoverable]],
  ['list secret/metadata/', ['list', 'secret/']],
  ['read secret/metadata/app', ['describe', 'secret/app']],
  ['delete secret/metadata/app', ['delete', 'secret/app', unrecoverable]],
  ['read one/app', ['read', 'one/app']],
  ['read one/config/db', ['read', 'one/config/db']],
  ['create one/roles/certs', ['write', 'one/roles/certs']],
  ['delete one/app', ['delete', 'one/app', unrecoverable]],
  ['list one/config/', ['list', 'one/config/']],
  ['read team/kv/data/app', ['read', 'team/kv/app', oldVersion], { mount: 'team/kv/', data: { version: hmac(2) } }],
  ['update team/kv/destroy/app', ['delete', 'team/kv/app', unrecoverable], { mount: 'team/kv/' }],
  ['read db/creds/app', ['read', 'db/creds/app'], { engine: 'database' }],
  ['read db/config/app', ['other', 'db/config/app'], { engine: 'database' }],
  ['update db/config/app', ['policy', undefined], { engine: 'database' }],
  ['update db/rotate-root/app', ['rotate', 'db/rotate-root/app'], { engine: 'database' }],
  ['update pki/issue/web', ['read', 'pki/issue/web'], { engine: 'pki' }],
  ['update transit/encrypt/key', ['other', 'transit/encrypt/key'], { engine: 'transit' }]
]

test.each(SECRETS.map(([call, said, more]) => ({ call, said, more })))(
  '$call is known for what it is',
  ({ call, said, more }) => {
    const [kind, secret, marks = 0] = said
    const [operation = '', path = ''] = call.split(' ')
    const event = eventOf({ operation, path, ...more })
    expect([event.kind, event.secret?.name, event.marks]).toEqual([kind, secret, marks])
    expect(event.policy).toBe(kind === 'policy' ? path : '')
  }
)

const SYSTEM: readonly (readonly [call: string, kind: AuditEvent['kind'], marks?: number])[] = [
  ['update sys/policies/acl/app', 'policy'],
  ['delete sys/policy/app', 'policy'],
  ['read sys/policies/acl/app', 'other'],
  ['update sys/auth/oidc', 'policy'],
  ['update auth/approle/role/app', 'policy'],
  ['update auth/approle/role/login', 'policy'],
  ['update auth/approle/role/app/secret-id', 'token'],
  ['update auth/approle/role/app/secret-id-accessor/lookup', 'token'],
  ['update auth/corp/users/users/bob', 'policy'],
  ['update identity/group/name/admins', 'policy'],
  ['update identity/lookup/entity', 'other'],
  ['update sys/audit/file', 'audit'],
  ['delete sys/audit/file', 'audit', lessAudit],
  ['update sys/audit-hash/file', 'other'],
  ['update sys/generate-root/attempt', 'seal', root],
  ['update sys/rekey/init', 'seal'],
  ['delete sys/mounts/secret', 'delete', unrecoverable],
  ['update sys/mounts/secret/tune', 'policy'],
  ['revoke auth/token/revoke-self', 'token'],
  ['update auth/token/lookup-self', 'other'],
  ['read cubbyhole/response', 'other'],
  ['help secret/data/app', 'other']
]

test.each(SYSTEM.map(([call, kind, marks = 0]) => ({ call, kind, marks })))(
  '$call is known for what it is, whether the log has its mount or not',
  ({ call, kind, marks }) => {
    const [operation = '', path = ''] = call.split(' ')
    const mounts = ['', /^auth\/corp\/users\/|^auth\/[^/]+\/|^[^/]+\//.exec(path)?.[0] ?? '']
    const events = mounts.map((mount) => eventOf({ operation, path, mount, engine: 'x' }))
    expect(events.map((event) => [event.kind, event.marks])).toEqual([
      [kind, marks],
      [kind, marks]
    ])
  }
)

test('a policy is known by its path, and its text by the HMAC that stands for it', () => {
  const written = eventOf({ operation: 'update', path: 'sys/policies/acl/app', data: { policy: hmac(7) } })
  expect(written).toMatchObject({ policy: 'sys/policies/acl/app', policyHash: hmac(7), secret: undefined })
  expect(eventOf({ operation: 'delete', path: 'sys/policies/acl/app' }).policyHash).toBe('')
})
