import { hasCode, KeyturnError } from '../errors.ts'
import { putAnnotations } from './gcp-calls.ts'
import type { Known, Seen } from './gcp-memory.ts'
import { type RotationRecord, rewritten } from './gcp-record.ts'
import { ask, type Gcp, missing } from './gcp-sight.ts'

/** What is to be written, and what follows from it; or that nothing is, and why not. */
export type Decision<T> =
  | { readonly done: T }
  | {
      readonly part: Partial<RotationRecord>
      /** Other annotations: set, or (undefined) removed. */
      readonly others?: Readonly<Record<string, string | undefined>>
      /** Left free beside what is written. */
      readonly spareBytes?: number
      readonly follow: (after: Known) => T | Promise<T>
    }

/**
 * How long an attempt is this process's own after a write that proved it. It is a lease and no fence: addVersion compares
 * nothing (service.proto, AddSecretVersionRequest). So no commit is sent with less than the time of one request left,
 * which is asked in the same moment; and what lands late all the same is found by the next look (gcp-repair.ts).
 */
export const LEASE_MS = 60_000

/** Whether a commit may be sent now: the proof is so young that the request ends within the lease. */
export const isFresh = ({ client }: Gcp, known: Known): boolean => known.provedWithin(LEASE_MS - client.requestTimeoutMs)

const MOST_TURNS = 4

/**
 * Decides on what is known and writes it by a PATCH that compares the etag. That it succeeds proves that what was known
 * was not old (docs/reference/consistency has no bound); that it fails, that it was, or that somebody came between: then
 * it is decided once more on what is there now, and given up where the service goes on showing what was refused.
 */
export async function change<T>(
  gcp: Gcp,
  first: Known,
  decide: (known: Known) => Decision<T> | Promise<Decision<T>>,
  signal: AbortSignal
): Promise<T> {
  let known = first
  for (let turn = 1; ; turn++) {
    const { seen } = known
    const decision = await decide(known)
    if ('done' in decision) return decision.done
    const after = await patch(gcp, seen, decision, signal).catch((e: unknown) => {
      if (!hasCode(e, 'conflict/metadata-changed') || turn === MOST_TURNS) throw e
      return undefined
    })
    if (after) return decision.follow(after)
    known = await again(gcp, seen, signal)
  }
}

export async function patch(
  gcp: Gcp,
  seen: Seen,
  { part, others, spareBytes }: Pick<Extract<Decision<never>, { part: unknown }>, 'part' | 'others' | 'spareBytes'>,
  signal: AbortSignal
): Promise<Known> {
  const proof = performance.now()
  const annotations = rewritten(seen.annotations, part, others, spareBytes)
  return gcp.memory.saw(seen.resource, await putAnnotations(gcp.client, seen, annotations, signal), proof)
}

async function again(gcp: Gcp, { resource, etag }: Seen, signal: AbortSignal): Promise<Known> {
  const known = await ask(gcp, resource, signal)
  if (!known) throw missing(resource)
  if (known.seen.etag !== etag) return known
  throw new KeyturnError(
    'unavailable/store',
    `Secret Manager still shows an older state of ${resource}; nothing was done, run again`
  )
}
