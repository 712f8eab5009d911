import { setTimeout } from 'node:timers/promises'
import { Client } from 'pg'
import type { Cloud, Login, Owned } from '../functions/lambda-cloud.ts'
import { type Subject, startWarm } from './processes.ts'
import { onOurDouble } from './store.ts'

export interface LoadFigures {
  readonly store: string
  readonly rotationsUnderLoad: number
  readonly clients: number
  readonly clientLogins: number
  readonly clientErrors: number
  readonly firstClientError: string | null
}

/** The store's clock runs so much faster than ours: its 24 hours, after which unused versions may go, are 14 seconds. */
const SPEED = 6_000
/** By our clock; the secret's metadata say it by the store's. */
const GRACE_MS = 300
/** A client that keeps a value for longer than the grace is cut by definition; this one keeps it for a third of it. */
const CACHE_MS = 100

/** Rotates on and on under clients that read the secret as an application does, log in and query without a pause. */
export async function underLoad(subjectFor: (cloud: Cloud) => Subject, rotations: number, clients: number): Promise<LoadFigures> {
  const stage = await onOurDouble(SPEED)
  const secret = await stage.cloud.secret({ metadata: { graceMs: GRACE_MS * SPEED } })
  const load = { on: true, logins: 0, errors: [] as string[] }
  const busy = Array.from({ length: clients }, () => client(stage.cloud, secret, load))
  const process = await startWarm(subjectFor(stage.cloud))
  try {
    for (let done = 0; done < rotations; done++) await onceAllowed(() => stage.rotate(secret, (event) => process.send(event)))
  } finally {
    load.on = false
    await Promise.all(busy)
    await process.stop()
    await stage.close()
  }
  const { logins, errors } = load
  const figures = { store: stage.store, rotationsUnderLoad: rotations, clients }
  return { ...figures, clientLogins: logins, clientErrors: errors.length, firstClientError: errors[0] ?? null }
}

/** Where the grace is not over, waits and has it rotated again, as a schedule would. */
async function onceAllowed(rotate: () => Promise<void>): Promise<void> {
  try {
    await rotate()
  } catch (e) {
    if ((e as Error).name !== 'conflict/inside-grace') throw e
    await setTimeout(GRACE_MS / 4)
    await onceAllowed(rotate)
  }
}

async function client(cloud: Cloud, secret: Owned, load: { on: boolean; logins: number; errors: string[] }): Promise<void> {
  let cached: { login: Login; readAt: number } | undefined
  while (load.on) {
    try {
      if (!cached || performance.now() - cached.readAt > CACHE_MS) {
        // From before the answer: what is kept is as old as the moment it was read at.
        const readAt = performance.now()
        cached = { login: await cloud.read(secret), readAt }
      }
      await query(cloud, cached.login)
      load.logins++
    } catch (e) {
      load.errors.push(e instanceof Error ? `${e.name}: ${e.message}` : String(e))
    }
  }
}

async function query({ server }: Cloud, { username: user, password }: Login): Promise<void> {
  const db = new Client({ host: server.host, port: server.port, database: 'postgres', user, password, ssl: { ca: server.caPem } })
  db.on('error', () => {})
  await db.connect()
  try {
    await db.query('SELECT current_user')
    await db.query('SELECT 1')
  } finally {
    await db.end()
  }
}
