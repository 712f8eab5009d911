import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { own, serverFolder, writeOwn } from './folders.ts'
import { appendSettings, type PostgresServer, serve } from './postgres.ts'
import { run, superuser } from './postgres-binaries.ts'
import { until } from './until.ts'

export type StandbyOptions = {
  /** recovery_min_apply_delay, e.g. `5s`: commits become visible so much later. */
  applyDelay?: string
  settings?: Readonly<Record<string, string>>
}

/** A server that follows another one and serves reads; its certificate, its roles and its settings are the primary's. */
export type Standby = PostgresServer & {
  /** Resolves when nothing further becomes visible: what the primary commits from now on arrives, but is not applied. */
  pauseReplay(): Promise<void>
  resumeReplay(): Promise<void>
  /** Resolves when everything that the primary has committed until now is visible here. */
  catchUp(): Promise<void>
}

/** Copies a running primary and streams from it over its unix socket. Stop the standby before its primary. */
export async function startStandby(primary: PostgresServer, options: StandbyOptions = {}): Promise<Standby> {
  const folder = serverFolder(`standby-${primary.version}`)
  try {
    await copyRunning(primary, join(folder, 'data'))
    configure(join(folder, 'data'), folder, primary, options)
    const server = await serve(folder, primary.version, primary.tls)
    await until('the standby to stream', 30_000, async () => {
      const [receiver] = await server.query("select from pg_stat_wal_receiver where status = 'streaming'")
      return receiver
    })
    return { ...server, ...replayOf(server, primary) }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

function replayOf(server: PostgresServer, primary: PostgresServer): Pick<Standby, 'pauseReplay' | 'resumeReplay' | 'catchUp'> {
  return {
    pauseReplay: async () => {
      await server.query('select pg_wal_replay_pause()')
      await until('replay to pause', 30_000, async () => {
        const [row] = await server.query("select where pg_get_wal_replay_pause_state() = 'paused'")
        return row
      })
    },
    resumeReplay: async () => void (await server.query('select pg_wal_replay_resume()')),
    catchUp: async () => {
      const [position] = await primary.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')
      await until('the standby to catch up', 30_000, async () => {
        const [row] = await server.query('select where pg_last_wal_replay_lsn() >= $1::pg_lsn', [position?.lsn])
        return row
      })
    }
  }
}

/** No package brings pg_basebackup along for all versions: the same by hand, WAL from the stream. */
async function copyRunning({ folder, port, dataFolder }: PostgresServer, data: string): Promise<void> {
  const session = new Client({ host: folder, port, user: superuser.user, database: 'postgres' })
  await session.connect()
  try {
    await session.query("select pg_backup_start('standby', fast => true)")
    newFolder(data)
    const left = new Set(['pg_wal', 'pg_replslot', 'postmaster.pid', 'postmaster.opts'])
    const entries = readdirSync(dataFolder).filter((name) => !left.has(name))
    await run('cp', ['-a', ...entries.map((name) => join(dataFolder, name)), data])
    newFolder(join(data, 'pg_wal'))
    newFolder(join(data, 'pg_replslot'))
    const { rows } = await session.query<{ labelfile: string }>('select labelfile from pg_backup_stop(wait_for_archive => false)')
    writeOwn(join(data, 'backup_label'), rows[0]?.labelfile ?? '')
  } finally {
    await session.end()
  }
}

function configure(data: string, folder: string, primary: PostgresServer, options: StandbyOptions): void {
  writeOwn(join(data, 'standby.signal'), '')
  appendSettings(data, {
    unix_socket_directories: folder,
    primary_conninfo: `host=${primary.folder} port=${primary.port} user=${superuser.user}`,
    recovery_min_apply_delay: options.applyDelay ?? '0',
    ...options.settings
  })
}

function newFolder(path: string): void {
  mkdirSync(path, { mode: 0o700 })
  own(path)
}
