import { hasCode, KeyturnError } from '../errors.ts'
import type { Objects } from '../ports/objects.ts'
import { type AuditState, decodeState, emptyState, encodeState } from './state.ts'

/** Where a state is kept, and as what it was found there. */
export interface KeptState {
  readonly state: AuditState
  /** Undefined: there was none. */
  readonly tag: string | undefined
}

const MOST_BYTES = 256 * 2 ** 20

/** Throws `invalid/state`: then nothing is written over it. */
export async function loadState(objects: Objects, name: string, signal: AbortSignal): Promise<KeptState> {
  const found = await objects.get(name, MOST_BYTES, signal)
  return found ? { state: decodeState(found.bytes), tag: found.tag } : { state: emptyState(), tag: undefined }
}

/** Throws `conflict/object-changed` where somebody else wrote it meanwhile. */
export const saveState = (objects: Objects, name: string, { state, tag }: KeptState, signal: AbortSignal): Promise<string> =>
  objects.put(name, encodeState(state), tag, signal)

const ATTEMPTS = 4

/**
 * Loads the state, does the work on it and keeps it; all again, from what is there then, when somebody else wrote it
 * meanwhile: what both read is so counted once. Work that is repeated must begin anew with the state that it is given.
 */
export async function withState<T>(
  objects: Objects,
  name: string,
  signal: AbortSignal,
  work: (state: AuditState) => Promise<T>
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const kept = await loadState(objects, name, signal)
    const result = await work(kept.state)
    try {
      await saveState(objects, name, kept, signal)
      return result
    } catch (e) {
      if (!hasCode(e, 'conflict/object-changed')) throw e
      if (attempt === ATTEMPTS)
        throw new KeyturnError('conflict/object-changed', `${objects.name}: ${name} was written by others each time`)
    }
  }
}
