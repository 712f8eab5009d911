/**
 * The state that a write left behind, as X-Vault-Index names it, for the requests after it: nodes that only read may be
 * behind (developer.hashicorp.com/vault/docs/enterprise/consistency; openbao.org/docs/concepts/consistency, where reading
 * standbys are the default).
 */
export interface Consistency {
  /** What the next request has to require. */
  required(): string | undefined
  /** Takes the index that a write was answered with. */
  wrote(index: string | undefined): void
}

/** A cluster that is further behind will not catch up: it was restored, or another one took over. The next look is then as good as any. */
const REQUIRED_MS = 300_000

export function consistency(): Consistency {
  let last: { readonly index: string; readonly atMs: number } | undefined
  const required = (): string | undefined =>
    last !== undefined && performance.now() - last.atMs < REQUIRED_MS ? last.index : undefined
  return {
    required,
    wrote: (index) => {
      if (index !== undefined) last = { index: later(required(), index), atMs: performance.now() }
    }
  }
}

/** Answers of writes that run at once may come in any order. Where the two cannot be compared, the one that came last. */
function later(before: string | undefined, index: string): string {
  const [old, next] = [stateOf(before ?? ''), stateOf(index)]
  if (before === undefined || !old || !next || old.cluster !== next.cluster) return index
  return old.counts.every((count, n) => count >= (next.counts[n] ?? 0n)) ? before : index
}

interface State {
  readonly cluster: string
  readonly counts: readonly bigint[]
}

/** Vault: `v1:<cluster>:<local>:<replicated>:<hmac>` (api/client.go, ParseReplicationState). OpenBao: JSON (api/index.go). In base64 both. */
function stateOf(index: string): State | undefined {
  const text = Buffer.from(index, 'base64').toString('utf8')
  const [, cluster, local = '', replicated = ''] = /^v1:([^:]*):(\d+):(\d+):/.exec(text) ?? []
  if (cluster !== undefined) return { cluster, counts: [BigInt(local), BigInt(replicated)] }
  try {
    const { cluster, namespace = '', value } = JSON.parse(text) as Record<string, unknown>
    return typeof value === 'string' && /^\d+$/.test(value)
      ? { cluster: `${cluster} ${namespace}`, counts: [BigInt(value)] }
      : undefined
  } catch {
    return undefined
  }
}
