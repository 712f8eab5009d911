import { pipeline, Readable } from 'node:stream'
import { constants, createGunzip, type Gunzip } from 'node:zlib'
import { KeyturnError } from '../errors.ts'

/** How much may come out of one log. */
export interface Bounds {
  /** Bytes after decompression. */
  readonly mostBytes: number
  /** Times what went in, beyond the first 256 MB. Deflate packs at most 1,032 to 1; logs of this kind 8 to 30. */
  readonly mostRatio: number
}

export const BOUNDS: Bounds = { mostBytes: 64 * 2 ** 30, mostRatio: 200 }

const FREE_BYTES = 256 * 2 ** 20

/** What came out before it failed stays valid: the error comes after it. */
export async function* bounded(
  chunks: AsyncIterable<Uint8Array>,
  isPacked: boolean,
  { mostBytes, mostRatio }: Bounds
): AsyncGenerator<Uint8Array> {
  let [packed, total] = [0, 0]
  const counted = async function* () {
    for await (const chunk of chunks) {
      packed += chunk.length
      // Streams read ahead, and a chunk is valid until the next one is asked for.
      yield isPacked ? Buffer.from(chunk) : chunk
    }
  }
  for await (const chunk of isPacked ? unpacked(counted()) : counted()) {
    total += chunk.length
    const isBomb = isPacked && total > FREE_BYTES && total > packed * mostRatio
    if (total > mostBytes || isBomb)
      throw new KeyturnError(
        'invalid/log',
        `it is more than ${isBomb ? `${mostRatio} times` : `${mostBytes} bytes`} when unpacked`
      )
    yield chunk
  }
}

/**
 * Several gzip members one after the other are one log: CloudWatch and logrotate write such. A stream that fails throws away
 * what nobody took of it yet, so its end is not told to it before all that came out is taken.
 */
async function* unpacked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 })
  let awake = (): void => undefined
  const fed = async function* () {
    yield* chunks
    await flushed(gunzip)
    while (gunzip.readableLength > 0 && !gunzip.destroyed)
      await new Promise<void>((resolve) => {
        awake = resolve
      })
  }
  const closed = new Promise<void>((resolve) => pipeline(Readable.from(fed()), gunzip, () => resolve()))
  try {
    for await (const chunk of gunzip) {
      yield chunk
      awake()
    }
  } catch (e) {
    throw gzipError(e)
  } finally {
    gunzip.destroy()
    awake()
    await closed
  }
}

const flushed = (gunzip: Gunzip): Promise<void> =>
  new Promise((resolve) => {
    gunzip.once('close', resolve)
    gunzip.flush(constants.Z_SYNC_FLUSH, resolve)
  })

/** Z_BUF_ERROR: the end is missing; Z_DATA_ERROR: it is damaged; what is not of zlib is of what the bytes are read from. */
function gzipError(e: unknown): unknown {
  const code = e instanceof Error && 'code' in e ? String(e.code) : 'unknown'
  if (e instanceof KeyturnError || !code.startsWith('Z_')) return e
  return new KeyturnError('invalid/log', code === 'Z_BUF_ERROR' ? 'the gzip file is cut off' : 'the gzip file is damaged', code)
}

export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b
