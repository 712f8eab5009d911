import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import type { AuditDocument } from '../../shared/audit/outputs/document-schema.ts'
import type { AuditHost } from '../../shared/audit/run-audit.ts'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { type AuditState, decodeState } from '../../shared/audit/state.ts'
import { folder } from '../../shared/objects/file.ts'
import type { Objects } from '../../shared/ports/objects.ts'
import { idOf, recordOf, session } from './cloudtrail-records.ts'
import type { Json } from './reading.ts'

export const NOW = Date.UTC(2026, 6, 1, 13)

let made = 0

/** A program's read of a secret, at noon of the day. */
export const readOf = (secret: string, more: Json = {}): Json =>
  recordOf({ userIdentity: session('app/orders', 'orders'), requestParameters: { secretId: secret }, ...more }, ++made)

/** One program reads so many secrets at one time. */
export const spree = (count: number, who = 'orders', more: Json = {}): readonly Json[] =>
  Array.from({ length: count }, (_, n) => readOf(`${who}/${n}`, { userIdentity: session(`app/${who}`, who), ...more }))

/** Each deletes a secret of its own for ever: a finding each. */
export const deletions = (count: number): readonly Json[] =>
  Array.from({ length: count }, (_, n) =>
    readOf(`gone/${n}`, {
      eventName: 'DeleteSecret',
      readOnly: false,
      requestParameters: { secretId: `gone/${n}`, forceDeleteWithoutRecovery: true }
    })
  )

export const trail = (records: readonly Json[]): Buffer => gzipSync(JSON.stringify({ Records: records }))

export { idOf }

export interface AuditScene {
  readonly place: Objects
  /** Logs below `logs/`, the state `kept/audit.state`, reports below `reports/`, all in one folder. */
  host(more?: Partial<AuditHost>): AuditHost
  write(name: string, content: string | Uint8Array, daysAgo?: number): void
  read(name: string): Buffer
  /** Of reports, in the order of their names. */
  names(): readonly string[]
  /** The document of each run, in the order in which they were written. */
  documents(): readonly AuditDocument[]
  state(): AuditState
  /** What was logged: the event, and its fields. */
  readonly logged: readonly (readonly [event: string, fields: Json])[]
}

export function auditScene(): AuditScene {
  const root = mkdtempSync(join(tmpdir(), 'keyturn-run-audit-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const place = folder({ folder: root })
  const logged: (readonly [string, Json])[] = []
  const keep = (event: string, fields: object): void => void logged.push([event, fields as Json])
  const read = (name: string): Buffer => readFileSync(join(root, name))
  const names = (): readonly string[] => globSync('reports/**/*.*', { cwd: root }).sort()
  let clock = NOW
  const own: AuditHost = {
    settings: AUDIT_DEFAULTS,
    state: { place, name: 'kept/audit.state' },
    logs: { place, prefix: 'logs/' },
    reports: { place, prefix: 'reports/', framework: undefined },
    notify: undefined,
    notifyFrom: 'high',
    list: undefined,
    log: { info: keep, warn: keep, error: keep },
    // Each run a second later: its reports are so in the order of the runs.
    now: () => (clock += 1_000)
  }
  return {
    place,
    host: (more = {}) => ({ ...own, ...more }),
    write: (name, content, daysAgo = 0) => {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), content)
      const at = (NOW - daysAgo * 86_400_000) / 1_000
      utimesSync(join(root, name), at, at)
    },
    ...{ read, names, logged },
    documents: () =>
      names()
        .filter((name) => name.endsWith('.json.gz'))
        .map((name) => JSON.parse(gunzipSync(read(name)).toString('utf8'))),
    state: () => decodeState(existsSync(join(root, 'kept/audit.state')) ? read('kept/audit.state') : Buffer.alloc(0))
  }
}
