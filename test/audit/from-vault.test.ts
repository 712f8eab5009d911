import { describe, expect, test } from 'vitest'
import { MARKS } from '../../shared/audit/event.ts'
import type { Json } from './reading.ts'
import { AT, type Call, caller, ENTITY, entriesOf, eventOf, hmac, linesOf, readLines, timeText, uuid } from './vault-lines.ts'

const { root } = MARKS
const BAD_TOKEN: Json = { token_type: 'default' }
const NOBODY: Json = { policy_results: { allowed: true }, token_type: 'default' }
const DENIED = '1 error occurred:\n\t* permission denied\n\n'

test('a call is one event, with all that both of its lines say', () => {
  expect(eventOf({ path: 'secret/data/app/db', answer: { data: { keys: 3 } } })).toEqual({
    ...{ id: uuid(1), at: AT + 124, store: 'vault', account: 'root', kind: 'read', operation: 'read', outcome: 'done' },
    identity: { key: `vault:entity/${ENTITY}`, name: 'userpass-alice', type: 'person', isRoot: false, isCompute: false },
    ...{ address: '203.0.113.9', network: '', marks: 0, ttlSeconds: Number.NaN, issuer: '', policy: '', policyHash: '' },
    secret: {
      key: 'vault:root/secret/app/db',
      store: 'vault',
      account: 'root',
      name: 'secret/app/db',
      group: 'vault:root/secret/'
    }
  })
})

describe('a namespace', () => {
  const read = (more: Partial<Call>) => eventOf({ path: 'secret/data/app', namespace: 'ns1/', mount: 'ns1/secret/', ...more })

  test('is the account, and no part of the name, although the mount is written with it', () => {
    expect(read({})).toMatchObject({ account: 'ns1/', secret: { key: 'vault:ns1//secret/app', group: 'vault:ns1//secret/' } })
    expect(read({ mount: '' }).secret?.name).toBe('secret/app')
    expect(read({ namespace: 'ns1/ns2/', mount: 'ns1/ns2/secret/' }).secret?.key).toBe('vault:ns1/ns2//secret/app')
  })

  test('of another name does not lend its secrets to this one', () => {
    const calls = ['ns1/', 'ns2/', 'ns1/'].map((namespace, n) => ({
      path: 'secret/data/app',
      namespace,
      mount: `${namespace}secret/`,
      n
    }))
    expect(readLines(calls.flatMap(linesOf)).events.map(({ secret }) => secret?.account)).toEqual(['ns1/', 'ns2/', 'ns1/'])
  })
})

describe('who asked', () => {
  const who = (auth: Json, client?: string) =>
    eventOf({ path: 'secret/data/app', auth, ...(client !== undefined && { client }) }).identity
  const { entity_id: _, ...unknown } = caller()

  test('is the entity, else the client, else the accessor, else a name', () => {
    expect(who(caller(), 'client').key).toBe(`vault:entity/${ENTITY}`)
    expect(who(unknown, '0DHqvq2D77kL2/=').key).toBe('vault:client/0DHqvq2D77kL2/=')
    expect(who(unknown).key).toBe(`vault:accessor/${hmac(2)}`)
    expect(who({ display_name: 'token' }).key).toBe('vault:name/token')
  })

  test('is a person or a program by the method of the login', () => {
    const types = ['oidc-ann@example.com', 'ldap-ann', 'kubernetes-app', 'approle', 'token-ann'].map(
      (name, n) => who(caller(0, { display_name: name, entity_id: uuid(n) })).type
    )
    expect(types).toEqual(['person', 'person', 'workload', 'workload', 'unknown'])
  })

  test('is root by its policies, and so is what it does', () => {
    const event = eventOf({ path: 'secret/data/app', auth: caller(0, { policies: ['root'] }) })
    expect([event.identity.isRoot, event.marks]).toEqual([true, root])
  })
})

describe('how a call ended', () => {
  const ended = (more: Partial<Call>) => eventOf({ path: 'secret/data/app', ...more }).outcome

  test('is told by the error, and by whether anybody was known', () => {
    const refused = caller(0, { policy_results: { allowed: false } })
    expect(ended({ auth: refused, error: DENIED })).toBe('denied')
    expect(ended({ auth: refused, error: hmac(9) })).toBe('denied')
    expect(ended({ error: DENIED })).toBe('denied')
    expect(ended({ auth: BAD_TOKEN, error: DENIED })).toBe('unauthenticated')
    expect(ended({ error: '1 error occurred:\n\t* unsupported path\n\n' })).toBe('absent')
    expect(ended({ error: '1 error occurred:\n\t* internal error\n\n' })).toBe('failed')
  })
})

describe('a login', () => {
  const given = { auth: { ...caller(), token_ttl: 2_764_800 } }
  const login = (more: Partial<Call>) =>
    eventOf({
      operation: 'update',
      path: 'auth/userpass/login/alice',
      mount: 'auth/userpass/',
      engine: 'userpass',
      auth: NOBODY,
      ...more
    })

  test('is by whom the answer says, and gives a token of a life', () => {
    expect(login({ answer: given })).toMatchObject({
      ...{ kind: 'login', outcome: 'done', issuer: 'auth/userpass/', ttlSeconds: 2_764_800, secret: undefined },
      identity: { key: `vault:entity/${ENTITY}` }
    })
  })

  test('that failed is told by an error, or in older logs by one in the answer, and tries an account', () => {
    const tried = {
      outcome: 'unauthenticated',
      ttlSeconds: Number.NaN,
      identity: { key: 'vault:tried/auth/userpass/alice', name: 'alice' }
    }
    expect(login({ error: 'invalid credentials' })).toMatchObject(tried)
    expect(login({ answer: { data: { error: hmac(5) } } })).toMatchObject(tried)
  })

  test('is known wherever its method is mounted, and is none where it is a role or a user of that name', () => {
    const kind = (path: string, mount: string) => eventOf({ operation: 'update', path, mount, answer: given }).kind
    const paths = ['auth/corp/users/login/bob', 'auth/oidc/oidc/callback', 'auth/kubernetes/login', 'auth/users/login/bob']
    expect(paths.map((path) => kind(path, `${/^auth\/(corp\/)?[^/]+/.exec(path)?.[0]}/`))).toEqual(Array(4).fill('login'))
    expect(['auth/kubernetes/login', 'auth/users/login/bob'].map((path) => kind(path, ''))).toEqual(['login', 'login'])
    expect(kind('auth/userpass/users/login', 'auth/userpass/')).toBe('policy')
  })

  test('of a name without end costs no more than its length', () => {
    expect(login({ path: `auth/x${'/login'.repeat(100_000)}\n`, mount: '' }).kind).toBe('login')
  })
})

describe('a token that is given out', () => {
  const created = (answer: Json, more: Partial<Call> = {}) =>
    eventOf({ operation: 'update', path: 'auth/token/create', mount: 'auth/token/', answer: { auth: answer }, ...more })
  const { token_ttl: _, token_issue_time: __, ...endless } = caller()

  test('lives as long as the answer says, and for ever where it says nothing', () => {
    expect(created(caller(3))).toMatchObject({ kind: 'token', ttlSeconds: 3_600, issuer: 'auth/token/' })
    expect(created(endless).ttlSeconds).toBe(Number.POSITIVE_INFINITY)
  })

  test('has a life that nobody knows where the log is older than lives are', () => {
    const [request, answer] = entriesOf({
      operation: 'update',
      path: 'auth/token/create',
      auth: endless,
      answer: { auth: endless }
    })
    const lines = [request, answer].map((entry) =>
      JSON.stringify(entry).replaceAll('"mount_running_version":"v2.7.2+builtin.bao",', '')
    )
    expect(readLines(lines).events.map(({ ttlSeconds }) => ttlSeconds)).toEqual([Number.NaN])
  })

  test('of root is marked', () => {
    expect(created({ ...endless, policies: ['root'] }).marks).toBe(root)
  })

  test('never shows its accessor, although the path has it', () => {
    const event = eventOf({
      operation: 'update',
      path: 'auth/token/revoke-accessor/38Zdazn1ICjZdJTcVYoSzmZ4',
      mount: 'auth/token/'
    })
    expect(event.kind).toBe('token')
    expect(JSON.stringify(event)).not.toContain('38Zdazn1')
  })
})

describe('a request that nothing answers', () => {
  const [seal = ''] = linesOf({ operation: 'update', path: 'sys/seal', mount: 'sys/' })
  const [login = ''] = linesOf({ n: 2, operation: 'update', path: 'auth/userpass/login/alice' })

  test('counts when the log is over, and a login does not', () => {
    expect(readLines([seal, login])).toMatchObject({ taken: [true, true], events: [{ kind: 'seal', operation: 'update' }] })
  })

  test('is no event where its time is none', () => {
    expect(readLines([seal.replace(/"time":"[^"]*"/, '"time":"soon"')]).events).toEqual([])
  })
})

test('what only looks like a field in what was sent is not taken for it', () => {
  const data = {
    ...{ path: 'secret/data/other', id: uuid(9), remote_address: '198.51.100.1', error: DENIED, namespace: { path: 'x/' } },
    ...{ version: 'x', request: { path: 'y', id: uuid(8) }, response: { auth: caller() }, remote_port: 5, type: 'request' }
  }
  const call = {
    operation: 'update',
    path: 'secret/data/app',
    data: { data },
    answer: { data: { error: hmac(1), auth: caller(5) } }
  }
  expect(eventOf(call)).toEqual(eventOf({ operation: 'update', path: 'secret/data/app' }))
})

test('the kinds of plugins that write their own lines are requests and answers too', () => {
  const [request = '', answer = ''] = linesOf({ path: 'secret/data/app' }).map((line) =>
    line.replace('"type":"', '"type":"kmip-')
  )
  expect(readLines([request, answer]).events).toHaveLength(1)
})

test('a line that is cut off, or lacks its id, its time or its type, is refused', () => {
  const [request = '', answer = ''] = linesOf({ path: 'secret/data/app' })
  const without = (line: string, member: RegExp) => line.replace(member, '')
  const bad = [
    ...[
      request.slice(0, -1),
      `${request.slice(0, 300)}${answer}`,
      `${answer}${answer}`,
      answer.slice(0, -1),
      answer.slice(0, 900),
      '{}',
      '[]',
      'x'
    ],
    ...[without(answer, /"id":"[^"]*",/), without(answer, /"time":"[^"]*",/), without(answer, /"type":"[^"]*",/)]
  ]
  expect(bad.map((line) => readLines([line]).taken)).toEqual(bad.map(() => [false]))
  expect(bad.flatMap((line) => readLines([line]).events)).toEqual([])
})

test('times are as Go writes them', () => {
  expect([timeText(AT), timeText(AT, 120_000_000), timeText(AT, 5)].map((text) => text.slice(19))).toEqual([
    'Z',
    '.12Z',
    '.000000005Z'
  ])
})
