import { join } from 'node:path'
import { type Daemon, startDaemon } from './daemon.ts'
import { freePort } from './ports.ts'
import { binary, type PostgresVersion } from './postgres-binaries.ts'
import { until } from './until.ts'

/** As pg_ctl names them: wait for everybody to leave, disconnect everybody, crash in good order. */
export type StopMode = 'smart' | 'fast' | 'immediate'

export type Postmaster = {
  readonly port: number
  readonly pid: number
  end(mode: StopMode | 'kill'): Promise<void>
}

/**
 * Starts the server whose data is in `folder`/data and waits until it answers; its log goes to `folder`/log. A port that
 * somebody else took between the choice and the start shows in the log: then another one is chosen.
 */
export async function launch(place: { folder: string; version: PostgresVersion; port?: number }): Promise<Postmaster> {
  return await until(`PostgreSQL ${place.version} in ${place.folder}`, 30_000, async () => {
    const port = place.port ?? (await freePort())
    const args = ['-D', join(place.folder, 'data'), '-p', String(port)]
    const daemon = startDaemon({ command: binary(place.version, 'postgres'), args, folder: place.folder, quit: 'SIGQUIT' })
    const outcome = await until('its answer', 30_000, () => outcomeOf(daemon))
    if (outcome === 'ready') return { port, pid: daemon.pid, end: (mode) => daemon.end(signals[mode]) }
    if (!maySucceedLater(daemon.said(), place.port))
      throw new Error(`PostgreSQL ${place.version} did not start:\n${daemon.said()}`)
    return undefined
  })
}

const signals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT', kill: 'SIGKILL' } as const

function outcomeOf(daemon: Daemon): 'ready' | 'ended' | undefined {
  if (daemon.hasEnded()) return 'ended'
  return /database system is ready to accept (read-only )?connections/.test(daemon.said()) ? 'ready' : undefined
}

/** The processes of a killed server outlive it for some milliseconds; a port can be taken. */
function maySucceedLater(said: string, port: number | undefined): boolean {
  return said.includes('is still in use') || (port === undefined && said.includes('Address already in use'))
}
