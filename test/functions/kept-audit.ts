import { gunzipSync } from 'node:zlib'
import type { AuditDocument } from '../../shared/audit/outputs/document-schema.ts'
import { type AuditState, decodeState } from '../../shared/audit/state.ts'
import type { Objects } from '../../shared/ports/objects.ts'

export interface KeptAudit {
  state(): Promise<AuditState>
  reports(): Promise<readonly string[]>
  /** The document of each run. */
  documents(): Promise<readonly AuditDocument[]>
}

export const signal = () => AbortSignal.timeout(30_000)

/** What runs have kept. */
export function keptAudit(kept: Objects, state: string): KeptAudit {
  const reports = async () => {
    const names: string[] = []
    for await (const { name } of kept.list('reports/', signal())) names.push(name)
    return names
  }
  return {
    reports,
    state: async () => decodeState((await kept.get(state, 2 ** 20, signal()))?.bytes ?? Buffer.alloc(0)),
    documents: async () => {
      const names = (await reports()).filter((name) => name.endsWith('.json.gz'))
      const found = await Promise.all(names.map((name) => kept.get(name, 2 ** 22, signal())))
      return found.map((one) => JSON.parse(gunzipSync(one?.bytes ?? '').toString('utf8')) as AuditDocument)
    }
  }
}
