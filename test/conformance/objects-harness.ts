import { randomUUID } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import type { ObjectFacts, Objects } from '../../shared/ports/objects.ts'
import type { HttpProxy, ProxyFault } from '../doubles/http-proxy.ts'

/** How many objects a page of every place's lists has here. */
export const PAGE = 3

/** What a service says for itself when it refuses, of a call to it. */
export interface VendorRefusals {
  readonly denied: ProxyFault
  readonly throttled: ProxyFault
}

/** A place, and the hands that reach behind it. */
export interface ObjectsHarness {
  /** One more client of the place. */
  open(): Objects
  /** Of a place of the same kind that is not there. */
  readonly nowhere: Objects
  /** Past keyturn; `gzip` is what the object's Content-Encoding says. */
  write(name: string, bytes: Uint8Array, encoding?: 'gzip'): Promise<void>
  remove(name: string): Promise<void>
  /** Between keyturn and the service. A place without a network says why it has none. */
  readonly network: Network | string
  close(): Promise<void>
}

export interface Network {
  readonly proxy: HttpProxy
  readonly refusals: VendorRefusals
  /** What a write says that was throttled once. Undefined: nothing, it was sent again. */
  readonly throttledOnce: 'throttled/archive' | undefined
  /** A client that waits no longer than so for an answer, but for a minute in the middle of one, and sends everything once. */
  hasty(requestTimeoutMs: number): Objects
}

/** What every test of the suite works with. */
export interface ObjectsBench {
  readonly harness: ObjectsHarness
  readonly objects: Objects
}

/** A folder of its own for a test, with the slash. */
export const fresh = (): string => `t-${randomUUID()}/`

export const signal = (): AbortSignal => AbortSignal.timeout(30_000)
export const bytesOf = (text: string): Uint8Array => Buffer.from(text)

export async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const part of parts) found.push(part)
  return found
}

export const namesOf = async (objects: Objects, prefix: string): Promise<string[]> =>
  (await all<ObjectFacts>(objects.list(prefix, signal()))).map(({ name }) => name)

/** A part is valid until the next one is asked for. */
export async function bytesFrom(objects: Objects, name: string, from: number): Promise<Buffer> {
  const copies: Buffer[] = []
  for await (const part of objects.read(name, from, signal())) copies.push(Buffer.from(part))
  return Buffer.concat(copies)
}

export const textFrom = async (objects: Objects, name: string, from: number): Promise<string> =>
  (await bytesFrom(objects, name, from)).toString('utf8')

/** The code of what it throws; undefined when it does not. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e
  )
  if (error === undefined) return undefined
  expect(error).toBeInstanceOf(KeyturnError)
  return (error as KeyturnError).code
}

/** Every call of the port, on an object. */
export const CALLS: readonly (readonly [string, (objects: Objects, name: string) => Promise<unknown>])[] = [
  ['list', (objects, name) => all(objects.list(name, signal()))],
  ['describe', (objects, name) => objects.describe(name, signal())],
  ['read', (objects, name) => all(objects.read(name, 0, signal()))],
  ['get', (objects, name) => objects.get(name, 1_000, signal())],
  ['put', (objects, name) => objects.put(name, bytesOf('new'), undefined, signal())]
]

/** What is alive of the bytes outside of the heap. The second collection waits for what the first one gave back. */
export function liveBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().arrayBuffers
}
