import { Readable } from 'node:stream'
import { KeyturnError } from '../errors.ts'
import type { ObjectFacts, Objects, StoredObject } from '../ports/objects.ts'

export interface ListedPage {
  readonly objects: readonly ObjectFacts[]
  /** Where the next page begins, opaque. Undefined: this is the last one. */
  readonly next: string | undefined
}

export interface OpenedObject {
  readonly body: Readable
  readonly tag: string
}

/** What is beyond the end of an object. */
export const nothing = (): OpenedObject => ({ body: Readable.from([]), tag: 'end' })

/** What a place over the network is asked. What each throws is in the port. An empty tag is none. */
export interface RemoteCalls extends Pick<Objects, 'name' | 'describe' | 'put'> {
  page(prefix: string, next: string | undefined, signal: AbortSignal): Promise<ListedPage>
  /**
   * From an offset on; beyond the end there is nothing, which is no error. The signal ends the body too. With a tag: only
   * while the object is in that state, else `unavailable/archive`. Undefined: there is no such object.
   */
  open(name: string, from: number, tag: string | undefined, signal: AbortSignal): Promise<OpenedObject | undefined>
}

export interface RemoteSettings {
  /** How long a connection may say nothing in the middle of an object. Default 30 s. */
  readonly stallMs?: number | undefined
}

/** The half of the port that is the same for every place over the network. */
export function remoteObjects(calls: RemoteCalls, { stallMs = 30_000 }: RemoteSettings): Objects {
  const { name: place } = calls
  const open = async (name: string, from: number, signal: AbortSignal): Promise<OpenedObject | undefined> =>
    tagged(await calls.open(name, from, undefined, signal), `${place}/${name}`)
  return {
    name: place,
    describe: async (name, signal) => tagged(await calls.describe(name, signal), `${place}/${name}`),
    put: async (name, bytes, expected, signal) => {
      const tag = await calls.put(name, bytes, expected, signal)
      return tagged({ tag }, `${place}/${name}`).tag
    },
    async *list(prefix, signal) {
      let next: string | undefined
      do {
        const page = await calls.page(prefix, next, signal)
        yield* page.objects
        next = page.next
      } while (next !== undefined)
    },
    async *read(name, from, signal) {
      const opened = await open(name, from, signal)
      if (!opened) throw new KeyturnError('not-found/object', `${place}/${name} is not there`)
      yield* whole(calls, stallMs, { name, from, opened, signal })
    },
    get: async (name, most, signal) => {
      const opened = await open(name, 0, signal)
      if (!opened) return undefined
      const bytes = await gathered(whole(calls, stallMs, { name, from: 0, opened, signal }), most)
      if (!bytes) throw new KeyturnError('invalid/object', `${place}/${name} is bigger than ${most} bytes`)
      return { bytes, tag: opened.tag } satisfies StoredObject
    }
  }
}

/** Every service names the state; a page of somebody's in between, which wants a login say, does not. */
function tagged<T extends { readonly tag: string } | undefined>(found: T, object: string): T {
  if (found?.tag !== '') return found
  throw new KeyturnError('unavailable/archive', `${object}: an answer that is not the service’s own`)
}

/** Undefined: there are more. */
export async function gathered(parts: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array | undefined> {
  const taken: Uint8Array[] = []
  let bytes = 0
  for await (const part of parts) {
    bytes += part.length
    if (bytes > most) return undefined
    // The next one may be in the same buffer.
    taken.push(Buffer.from(part))
  }
  return Buffer.concat(taken)
}

interface Reading {
  readonly name: string
  readonly from: number
  readonly opened: OpenedObject
  readonly signal: AbortSignal
}

/**
 * Services close connections that are read slowly, so a connection that broke is made again where it broke, as long as the
 * object is still the same and each one brings something.
 */
async function* whole(calls: RemoteCalls, stallMs: number, reading: Reading): AsyncGenerator<Uint8Array> {
  const { name, from, signal } = reading
  let { body, tag } = reading.opened
  let at = from
  for (;;) {
    const before = at
    try {
      for await (const part of arriving(body, stallMs)) {
        at += part.length
        yield part
      }
      return
    } catch (e) {
      if (at === before || signal.aborted) throw broken(`${calls.name}/${name}`, at, e)
    }
    const again = await calls.open(name, at, tag, signal)
    if (!again) throw new KeyturnError('not-found/object', `${calls.name}/${name} was deleted while it was read`)
    ;({ body, tag } = again)
  }
}

function broken(object: string, at: number, e: unknown): KeyturnError {
  const { code, name } = e as { code?: unknown; name?: unknown }
  return new KeyturnError(
    'unavailable/archive',
    `${object}: no answer, or none that goes on, at byte ${at}`,
    String(code ?? name)
  )
}

/** The parts as they come. The time that the reader takes is not counted. */
async function* arriving(body: Readable, stallMs: number): AsyncGenerator<Uint8Array> {
  const parts = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  const stop = (): void => void body.destroy()
  try {
    for (;;) {
      const timer = setTimeout(stop, stallMs)
      const next = await parts.next().finally(() => clearTimeout(timer))
      if (next.done) return
      yield next.value
    }
  } finally {
    stop()
  }
}
