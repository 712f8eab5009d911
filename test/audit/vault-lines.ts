import type { AuditEvent } from '../../shared/audit/event.ts'
import { vaultReader } from '../../shared/audit/from-vault.ts'
import { references } from '../../shared/audit/references.ts'
import type { Json } from './reading.ts'

/** Entries of an audit device as OpenBao 2.7 writes them: members in the order of its internal/audit/format.go. */

export const hmac = (n: number): string => `hmac-sha256:${n.toString(16).padStart(64, '0')}`

export const uuid = (n: number): string => `6b7c2f10-51a0-4c1e-9d2a-${n.toString(16).padStart(12, '0')}`

/** As Go writes it: without zeros at the end. */
export function timeText(at: number, nanos = 0): string {
  const fraction = String((at % 1_000) * 1_000_000 + nanos).padStart(9, '0')
  const short = fraction.replace(/0+$/, '')
  return `${new Date(at).toISOString().slice(0, 19)}${short === '' ? '' : `.${short}`}Z`
}

export const AT = Date.UTC(2026, 6, 1, 12)

export interface Call {
  readonly n?: number
  readonly at?: number
  /** Between the request and its answer. */
  readonly nanos?: readonly [request: number, answer: number]
  readonly operation?: string
  readonly path: string
  readonly mount?: string
  readonly engine?: string
  readonly namespace?: string
  /** In place of what is known of the caller. */
  readonly auth?: Json
  readonly client?: string
  readonly data?: Json
  readonly address?: string
  readonly port?: number
  /** Members of the answer besides its mount. */
  readonly answer?: Json
  readonly error?: string
  /** Of the device: another one has other HMACs. */
  readonly salt?: number
}

export const ENTITY = uuid(0xe1)

export const caller = (salt = 0, members: Json = {}): Json => ({
  client_token: hmac(1 + salt),
  accessor: hmac(2 + salt),
  display_name: 'userpass-alice',
  policies: ['app', 'default'],
  token_policies: ['app', 'default'],
  policy_results: { allowed: true, granting_policies: [{ name: 'app', namespace_id: 'root', type: 'acl' }] },
  metadata: { username: 'alice' },
  entity_id: ENTITY,
  token_type: 'service',
  token_ttl: 3_600,
  token_issue_time: '2026-07-01T08:00:00Z',
  ...members
})

const EMPTY: Json = {}

const mountIn = (path: string): string => /^auth\/[^/]+\/|^[^/]+\//.exec(path)?.[0] ?? ''

/** Both entries of a call. */
export function entriesOf(call: Call): readonly [request: Json, answer: Json] {
  const { n = 1, at = AT, nanos = [123_456_789, 124_456_789], salt = 0, auth = caller(salt), error } = call
  const { operation = 'read', path, mount = mountIn(path), engine = 'kv', data, answer = EMPTY } = call
  const mounted = mount === '' ? {} : { mount_point: mount, mount_type: engine, mount_accessor: `${engine}_5f1c9d2e` }
  const request = {
    ...{ id: uuid(n), ...(call.client !== undefined && { client_id: call.client }), operation, ...mounted },
    ...{ mount_running_version: 'v2.7.2+builtin.bao', mount_class: 'secret', client_token: hmac(1 + salt) },
    ...{ client_token_accessor: hmac(2 + salt) },
    namespace: call.namespace === undefined ? { id: 'root' } : { id: 'kO97ha', path: call.namespace },
    ...{ path, ...(data && { data }), remote_address: call.address ?? '203.0.113.9', remote_port: call.port ?? 44_546 }
  }
  const failed = error === undefined ? {} : { error }
  return [
    { time: timeText(at, nanos[0]), type: 'request', auth, request, ...failed },
    { time: timeText(at, nanos[1]), type: 'response', auth, request, response: { ...answer, ...mounted }, ...failed }
  ]
}

export const linesOf = (call: Call): readonly string[] => entriesOf(call).map((entry) => JSON.stringify(entry))

export interface ReadLines {
  /** Of each line: whether it was taken, at once and at last. */
  readonly taken: readonly boolean[]
  readonly events: readonly AuditEvent[]
}

/** What a new reader makes of lines that lie one behind the other; as `slow` bytes they are read in full, one by one. */
export function readLines(lines: readonly string[], slow = false): ReadLines {
  const reader = vaultReader(references())
  const events: AuditEvent[] = []
  const emit = (event: AuditEvent) => void events.push(event)
  const all = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  const bytes = slow ? new Uint8Array(all) : all
  const begins: number[] = []
  let from = 0
  const taken = lines.map((line) => {
    begins.push(from)
    const to = from + Buffer.byteLength(line)
    const isTaken = reader.read(bytes, from, to, emit)
    from = to + 1
    return isTaken
  })
  reader.release(emit, (at) => void taken.splice(begins.indexOf(at), 1, false))
  bytes.fill(0)
  reader.flush(emit)
  return { taken, events }
}

/** The one event of a call. */
export function eventOf(call: Call): AuditEvent {
  const { taken, events } = readLines(linesOf(call))
  const [event, ...more] = events
  if (!event || more.length > 0 || taken.includes(false)) throw new Error(`${events.length} events of ${taken}`)
  return event
}
