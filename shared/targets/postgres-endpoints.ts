import { setTimeout } from 'node:timers/promises'
import type { DatabaseDocument, Endpoint } from '../document.ts'
import { hasCode, KeyturnError } from '../errors.ts'
import type { Halves } from './postgres-halves.ts'
import { type Opening, openReader } from './postgres-open.ts'
import { logIn, type Session } from './postgres-session.ts'

/** PgBouncer says 28P01 to a wrong password and 08P01 ("protocol violation") to nearly everything else, unknown logins included. */
const POOLER_STATES = ['28P01', '28000', '08P01']

/** The server took this login a moment ago, so a refusal is the pooler's own. */
export async function logInAtPooler(
  opening: Opening,
  document: DatabaseDocument,
  { host, port }: Endpoint,
  signal: AbortSignal
): Promise<Session> {
  try {
    return await logIn({ ...document, host, port }, opening, signal)
  } catch (e) {
    if (e instanceof KeyturnError && POOLER_STATES.includes(e.vendor ?? ''))
      throw new KeyturnError(
        'denied/pooler',
        `the pooler ${host}:${port} refuses ${document.username}, which the server accepts`,
        e.vendor
      )
    throw e
  }
}

/**
 * A replica that lags refuses the new password as if it were wrong. Where there is an admin, its session looks until the
 * comment that was committed with the password is there, so that nobody fails a login. Not by log positions: Aurora's readers share
 * storage and have none. Where there is no admin, only the login itself can tell: three tries at most.
 */
export async function logInAtReader(
  opening: Opening,
  document: DatabaseDocument,
  halves: Halves,
  endpoint: Endpoint,
  comment: string | null,
  signal: AbortSignal
): Promise<Session> {
  const login = { ...document, host: endpoint.host, port: endpoint.port }
  if (halves.admin !== undefined) {
    await waitForComment(opening, document, halves, { endpoint, role: document.username, comment }, signal)
    return logIn(login, opening, signal)
  }
  for (const share of [1 / 8, 1 / 2]) {
    try {
      return await logIn(login, opening, signal)
    } catch (e) {
      if (!hasCode(e, 'denied/login')) throw e
      await pause(opening.replicaBoundMs * share, signal)
    }
  }
  return await logIn(login, opening, signal).catch((e) => {
    throw hasCode(e, 'denied/login') ? lag(opening, endpoint) : e
  })
}

const lag = ({ replicaBoundMs }: Opening, { host, port }: Endpoint): KeyturnError =>
  new KeyturnError('unavailable/replica-lag', `the reader ${host}:${port} had not caught up after ${replicaBoundMs} ms`)

/** What the writer says of a role; it changes in one transaction with the role's password. */
export interface Seen {
  readonly endpoint: Endpoint
  readonly role: string
  readonly comment: string | null
}

/** Waits until a reader shows the same. `place` says where the secret's own login is, for want of an admin. */
export async function waitForComment(
  opening: Opening,
  place: DatabaseDocument,
  halves: Halves,
  { endpoint, role, comment }: Seen,
  signal: AbortSignal
): Promise<void> {
  const reader = await openReader(opening, place, halves, endpoint, signal)
  const end = performance.now() + opening.replicaBoundMs
  try {
    for (;;) {
      const sql = `SELECT shobj_description(oid, 'pg_authid') AS comment FROM pg_roles WHERE rolname = $1`
      const [row] = await reader.query<{ comment: string | null }>(`looking at the reader ${reader.where}`, sql, [role], signal)
      if (row && row.comment === comment) return
      if (performance.now() >= end) throw lag(opening, endpoint)
      await pause(LOOK_EVERY_MS, signal)
    }
  } finally {
    await reader.close()
  }
}

const LOOK_EVERY_MS = 50

export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => {
    throw new KeyturnError('unavailable/deadline', 'a wait was cut short')
  })
}
