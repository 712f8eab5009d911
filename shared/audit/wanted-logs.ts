import type { Objects } from '../ports/objects.ts'
import { type ArchivedLog, archivedLog, type Listing, listingOf, unreadLogs } from './archive.ts'
import { heldLog, type LogSource } from './decode.ts'
import type { AuditState } from './state.ts'

/** What is to be read. */
export type Wanted =
  | { readonly kind: 'new' }
  | { readonly kind: 'objects'; readonly objects: readonly NamedObject[] }
  | { readonly kind: 'event'; readonly event: unknown }

export interface NamedObject {
  readonly place: Objects
  readonly name: string
}

/** Below a place. */
export interface Prefix {
  readonly place: Objects
  readonly prefix: string
}

export interface WantedLogs {
  readonly sources: AsyncIterable<LogSource>
  /** Of those that were given: what the state is told of. */
  readonly given: readonly ArchivedLog[]
  /** What was listed until now, or would be. */
  listings(): readonly Listing[]
  /** Time was up before all was given. */
  isCut(): boolean
}

interface Looking {
  /** Where logs lie; undefined: only what events bring is read. */
  readonly logs: Prefix | undefined
  readonly state: AuditState
  /** Names that are this function's own, by place. */
  readonly isOwn: (object: NamedObject) => boolean
  readonly isLate: () => boolean
  readonly signal: AbortSignal
}

/** Logs that are not read yet, one after the other as they are asked for, as long as there is time. */
export function wantedLogs(wanted: Wanted, looking: Looking): WantedLogs {
  const { logs, isLate } = looking
  const given: ArchivedLog[] = []
  let [isCut, isWhole] = [false, false]
  async function* sources(): AsyncGenerator<LogSource> {
    // What the platform's event holds is the log itself.
    if (wanted.kind === 'event') return yield heldLog('the event', Buffer.from(JSON.stringify(wanted.event)))
    for await (const log of wanted.kind === 'new' ? below(looking) : named(wanted.objects, looking)) {
      // The first one is always begun, else a run that is late once is late for ever.
      if (given.length > 0 && isLate()) {
        isCut = true
        return
      }
      given.push(log)
      yield log
    }
    isWhole = wanted.kind === 'new'
  }
  return {
    sources: sources(),
    given,
    listings: () => (logs ? [{ name: listingOf(logs), isWhole }] : []),
    isCut: () => isCut
  }
}

async function* below({ logs, state, isOwn, signal }: Looking): AsyncGenerator<ArchivedLog> {
  if (!logs) return
  for await (const log of unreadLogs({ ...logs, format: undefined, signal }, state))
    if (!isOwn({ place: logs.place, name: log.object.name })) yield log
}

/** An object that is gone, or was read as it is, is passed over: its event may come again, days later. */
async function* named(objects: readonly NamedObject[], { state, signal }: Looking): AsyncGenerator<ArchivedLog> {
  for (const { place, name } of objects) {
    const object = await place.describe(name, signal)
    const found = object && archivedLog(place, object, undefined, signal, state)
    if (found) yield found
  }
}
