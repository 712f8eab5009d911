import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../shared/audit/event.ts'
import { vaultReader } from '../../shared/audit/from-vault.ts'
import { references } from '../../shared/audit/references.ts'
import type { Json } from './reading.ts'
import { type Call, caller, entriesOf, hmac, linesOf, type ReadLines, readLines, uuid } from './vault-lines.ts'

const DENIED = '1 error occurred:\n\t* permission denied\n\n'
const { token_ttl: _, token_issue_time: __, ...endless } = caller(7)
const HOSTILE = {
  ...{ path: 'secret/data/other', id: uuid(9), remote_address: '198.51.100.1', error: DENIED, remote_port: 5 },
  response: { data: {} },
  'x"},"response":{': { y: hmac(3), remote_port: 1 }
}
const login = {
  operation: 'update',
  mount: 'auth/userpass/',
  engine: 'userpass',
  auth: { policy_results: { allowed: true }, token_type: 'default' }
}
const create = { operation: 'update', path: 'auth/token/create', mount: 'auth/token/', engine: 'token' }

/** Calls of all kinds; those that are alike are many. */
const KINDS: readonly Call[] = [
  ...Array.from(
    { length: 8 },
    (): Call => ({ path: 'secret/data/app', answer: { data: { data: { password: hmac(4) }, metadata: { version: 3 } } } })
  ),
  { path: 'secret/data/app', data: { version: hmac(2) } },
  { path: 'secret/data/app', namespace: 'ns1/', mount: 'ns1/secret/' },
  { path: 'secret/data/app', namespace: 'secret/data/other', mount: 'secret/' },
  { path: 'secret/data/app', error: DENIED },
  { path: 'secret/data/app', auth: caller(0, { policy_results: { allowed: false } }), error: 'permission denied' },
  { path: 'secret/data/app', auth: { token_type: 'default' }, error: DENIED },
  { path: 'secret/data/app', client: '0DHqvq2D77kL2/=', auth: caller(0, { entity_id: '' }) },
  { operation: 'update', path: 'secret/data/app', data: { data: HOSTILE, options: { cas: 3 } } },
  { operation: 'update', path: 'one/app', data: HOSTILE },
  { path: 'one/app', data: {} },
  { operation: 'delete', path: 'one/app' },
  { operation: 'list', path: 'secret/metadata/', answer: { data: { keys: [hmac(1), hmac(2)] } } },
  { operation: 'list', path: 'secret/metadata/', answer: { data: { keys: 2 } } },
  { ...login, path: 'auth/userpass/login/alice', answer: { auth: caller(5) } },
  { ...login, path: 'auth/userpass/login/alice', error: 'invalid credentials' },
  { ...create, answer: { auth: caller(6) } },
  { ...create, answer: { auth: endless } },
  { operation: 'update', path: 'sys/policies/acl/app', mount: 'sys/', engine: 'system', data: { policy: hmac(6) } },
  { path: 'nowhere/é/"quoted"\u2028', mount: '', error: '1 error occurred:\n\t* unsupported path\n\n' }
]

/** Where a line stands: most in their order, a few far from it, so that answers come late or before their requests. */
const place = fc.constantFrom(0, 0, 0, 0, 0, 0, 3, -3, 90, -90)

const log = fc
  .array(
    fc.record({
      kind: fc.constantFrom(...KINDS),
      ...{ salt: fc.constantFrom(0, 0, 20), address: fc.constantFrom('203.0.113.9', '203.0.113.10', '2001:db8::1') },
      ...{ port: fc.constantFrom(1, 44_546, 65_535), nanos: fc.tuple(nanos(), nanos()) },
      ...{
        places: fc.tuple(place, place),
        answers: fc.constantFrom('one', 'one', 'one', 'one', 'one', 'one', 'two devices', 'none')
      }
    }),
    { minLength: 20, maxLength: 60 }
  )
  .map((some) => {
    const entries = some.flatMap(({ kind, places, answers, ...more }, n) => {
      const call = { ...kind, ...more, n, ...(kind.auth ? {} : { auth: caller(more.salt) }) }
      const [request, answer] = entriesOf(call)
      const all =
        answers === 'none'
          ? [request]
          : answers === 'one'
            ? [request, answer]
            : [request, ...entriesOf({ ...call, salt: 40 }), answer]
      return all.map((entry, at) => ({ entry, key: n * 4 + at + 4 * places[(at % 2) as 0 | 1] }))
    })
    return entries.toSorted((a, b) => a.key - b.key).map(({ entry }) => entry)
  })

function nanos() {
  return fc.constantFrom(0, 500_000_000, 120_000_000, 123_456_789, 987_654_300)
}

/** The same JSON, laid out otherwise. */
function otherwise(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, inner]) => [name, otherwise(inner)])
  )
}
const spaced = (entry: Json): string => ` ${JSON.stringify(otherwise(entry), null, 1).replaceAll('\n', ' ')} `

const plainly = ({ taken, events }: ReadLines): unknown => ({
  taken,
  events: events.map(({ likeness, ...event }) => JSON.stringify({ ...event, ttlSeconds: `${event.ttlSeconds}` })).toSorted()
})

describe('a line like one that was read before', () => {
  test('says what reading it in full says, in any order of calls of all kinds', () => {
    let alike = 0
    fc.assert(
      fc.property(log, (entries) => {
        const quick = readLines(entries.map((entry) => JSON.stringify(entry)))
        expect(plainly(quick)).toEqual(plainly(readLines(entries.map(spaced), true)))
        alike += quick.events.filter(({ likeness }) => likeness !== undefined).length
      }),
      { seed: 6, numRuns: 300 }
    )
    expect(alike).toBeGreaterThan(1_000)
  })

  test('is one event a call, whatever the lengths of the times', () => {
    const times = [0, 500_000_000, 123_456_789, 999_999_990]
    const calls = times
      .flatMap((a) => times.map((b) => [a, b] as const))
      .map((pair, n): Call => ({ n, path: 'secret/data/app', nanos: pair }))
    const events = (of: readonly Call[]) => readLines(of.flatMap(linesOf)).events.map(({ id }) => id)
    expect(events([...calls, ...calls.map((call) => ({ ...call, n: 100 + (call.n ?? 0) }))])).toEqual(
      [0, 100].flatMap((first) => times.flatMap((_, a) => times.map((__, b) => uuid(first + a * 4 + b))))
    )
  })
})

describe('a line that is like another but for', () => {
  const call: Call = { path: 'secret/data/app', answer: { data: { data: { password: hmac(4) } } } }
  const [, answer = ''] = linesOf(call)
  const known = [0, 1, 2].map((n) => linesOf({ ...call, n })[1] ?? '')
  const lastOf = (line: string): AuditEvent | undefined => readLines([...known, line]).events[3]

  test.each([
    ['an error behind the answer', answer.replace(/\}$/, `,"error":${JSON.stringify(DENIED)}}`)],
    ['its address', answer.replace('203.0.113.9', '203.0.113.8')],
    ['its path', answer.replace('data/app', 'data/bpp')],
    ['its policies', answer.replace('"policies":["app"', '"policies":["root"')],
    ['its entity', answer.replace('"entity_id":"6b7', '"entity_id":"7b7')],
    ['its operation', answer.replace('"operation":"read"', '"operation":"list"')],
    ['members behind the port', answer.replace('"remote_port":44546', '"remote_port":44546,"path":"secret/data/other"')],
    [
      'a second time',
      answer.replace('"response":{', '"response":{"x":{"time":"2020-01-01T00:00:00Z"}},"time":"2020-01-01T00:00:00Z","y":{')
    ]
  ])('%s is read in full', (_, line) => {
    expect(lastOf(line)).toMatchObject({ id: uuid(1), likeness: undefined })
    expect(lastOf(line)).toEqual(readLines([...known, line], true).events[3])
  })

  test('its end is refused, and so is a request that has lost its own, although it is answered', () => {
    const [request = ''] = linesOf({ ...call, n: 4 })
    const answered = readLines([...known, request.slice(0, -40), answer.replace(uuid(1), uuid(4))])
    expect([answered.taken.slice(3), answered.events.length]).toEqual([[false, true], 4])
    const cuts = [
      answer.slice(0, -1),
      answer.slice(0, -2),
      answer.slice(0, answer.indexOf('"response":{')),
      `${answer}}`,
      `${answer},`
    ]
    expect(cuts.map((line) => readLines([...known, line]).taken[3])).toEqual(cuts.map(() => false))
  })
})

describe('requests that wait for their answers', () => {
  const requestOf = (n: number, bytes: number): Buffer =>
    Buffer.from(linesOf({ n, operation: 'update', path: 'secret/data/app', data: { v: 'x'.repeat(bytes) } })[0] ?? '')

  /** How many were given up before the log was over, and in all. */
  function givenUp(count: number, bytes: number): readonly [before: number, all: number] {
    const reader = vaultReader(references())
    let events = 0
    for (let n = 0; n < count; n++) {
      const line = requestOf(n, bytes)
      reader.read(line, 0, line.length, () => events++)
      reader.release(
        () => events++,
        () => undefined
      )
      line.fill(0)
    }
    const before = events
    reader.flush(() => events++)
    return [before, events]
  }

  test('are no more than so many, and no more than so many bytes, and none is lost', () => {
    expect(givenUp(20_010, 0)).toEqual([10, 20_010])
    expect(givenUp(50, 2 ** 20)).toEqual([18, 50])
  })
})
