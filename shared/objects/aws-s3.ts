import type { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { GetObjectCommandOutput, S3Client, S3ClientConfig } from '@aws-sdk/client-s3'
import { hasCode, KeyturnError } from '../errors.ts'
import { once } from '../once.ts'
import type { ObjectFacts, Objects } from '../ports/objects.ts'
import { neverSent } from '../wire.ts'
import { type S3Act, s3Error } from './aws-s3-errors.ts'
import { type ListedPage, nothing, type OpenedObject, type RemoteSettings, remoteObjects } from './remote.ts'

export interface S3Settings extends RemoteSettings {
  readonly bucket: string
  /** The bucket's own. Default: the environment's (AWS_REGION). */
  readonly region?: string | undefined
  /** For a VPC endpoint, a server that speaks S3, or a test: the bucket is in the path then. */
  readonly endpoint?: string | undefined
  /** Default: the environment's, as the SDK finds them. */
  readonly credentials?: S3ClientConfig['credentials'] | undefined
  /** How often a read is sent at most. Default 4. */
  readonly maxAttempts?: number | undefined
  /** How long the head of an answer may take, and a write as a whole. Default 30 s. */
  readonly requestTimeoutMs?: number | undefined
  /** Before a write is sent again that S3 did not take. Default 300 and 1200 ms, a part of it by chance. */
  readonly pausesMs?: readonly number[] | undefined
  /** Objects in one page of a list. Default, and at most, 1000. */
  readonly pageSize?: number | undefined
}

/**
 * A bucket of Amazon S3. A write is a compare-and-set by If-Match and If-None-Match (AmazonS3/latest/userguide/
 * conditional-writes.html), and the tag is the ETag: the same bytes may have the same one. Needs s3:ListBucket beside
 * s3:GetObject, because without it S3 answers 403 for an object that is not there (API_GetObject), and s3:PutObject where
 * something is written.
 */
export function s3Bucket(settings: S3Settings): Objects {
  const s3 = bucketOf(settings)
  return remoteObjects(
    {
      name: s3.place,
      page: (prefix, next, signal) => pageOf(s3, prefix, next, signal),
      describe: (name, signal) => describeObject(s3, name, signal),
      open: (name, from, tag, signal) => opened(s3, name, from, tag, signal),
      put: (name, bytes, expected, signal) => written(s3, name, bytes, expected, signal)
    },
    settings
  )
}

interface Bucket {
  readonly bucket: string
  readonly place: string
  readonly pageSize: number
  readonly pausesMs: readonly number[]
  readonly reader: () => Promise<S3Client>
  /** Sends each request once: a repeat after a lost answer would be refused as another's write. */
  readonly writer: () => Promise<S3Client>
}

function bucketOf({ bucket, region, endpoint, credentials, ...rest }: S3Settings): Bucket {
  const { maxAttempts = 4, requestTimeoutMs = 30_000, pausesMs = [300, 1_200], pageSize = 1_000 } = rest
  const client = async (attempts: number, keepAlive: boolean): Promise<S3Client> => {
    const { S3Client } = await import('@aws-sdk/client-s3')
    return new S3Client({
      ...(region !== undefined && { region }),
      ...(endpoint !== undefined && { endpoint, forcePathStyle: true }),
      ...(credentials !== undefined && { credentials }),
      maxAttempts: attempts,
      retryMode: 'standard',
      // The default would compute a checksum of every byte that is read; TLS and gzip have theirs.
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: 3_000,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
        // Writes are minutes apart; a connection that was kept for so long may be dead, and then nobody knows what was done.
        ...(!keepAlive && { httpsAgent: { keepAlive }, httpAgent: { keepAlive } })
      }
    })
  }
  const [reader, writer] = [once(() => client(maxAttempts, true)), once(() => client(1, false))]
  return { bucket, place: `s3://${bucket}`, pageSize, pausesMs, reader, writer }
}

async function ask<T>(act: S3Act, where: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (e) {
    throw s3Error(e, act, where)
  }
}

/** API_ListObjectsV2: "List results will always be returned in lexicographical order", of UTF-8, in general purpose buckets. */
async function pageOf(s3: Bucket, prefix: string, next: string | undefined, signal: AbortSignal): Promise<ListedPage> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3')
  const input = { Bucket: s3.bucket, Prefix: prefix, MaxKeys: s3.pageSize, ContinuationToken: next, EncodingType: 'url' } as const
  const send = async () => (await s3.reader()).send(new ListObjectsV2Command(input), { abortSignal: signal })
  const { Name, Contents = [], NextContinuationToken } = await ask('list', s3.place, send)
  // The SDK reads any page as a list, that of a proxy which wants a login too.
  if (Name === undefined) throw new KeyturnError('unavailable/archive', `${s3.place}: an answer that is no list of a bucket`)
  return {
    objects: Contents.map(({ Key = '', Size, LastModified, ETag }) => factsOf(decoded(Key), Size, LastModified, ETag)),
    next: NextContinuationToken
  }
}

/** API_ListObjectsV2, encoding-type: XML cannot hold every name, so they come as in the query of a URL. */
const decoded = (key: string): string => decodeURIComponent(key.replaceAll('+', ' '))

const factsOf = (name: string, bytes: number | undefined, changed: Date | undefined, tag: string | undefined): ObjectFacts => ({
  name,
  bytes: bytes ?? 0,
  changedAt: changed?.getTime(),
  tag: tag ?? ''
})

async function describeObject(s3: Bucket, name: string, signal: AbortSignal): Promise<ObjectFacts | undefined> {
  const { HeadObjectCommand } = await import('@aws-sdk/client-s3')
  const command = new HeadObjectCommand({ Bucket: s3.bucket, Key: name })
  try {
    const send = async () => (await s3.reader()).send(command, { abortSignal: signal })
    const { ContentLength, LastModified, ETag } = await ask('read', `${s3.place}/${name}`, send)
    return factsOf(name, ContentLength, LastModified, ETag)
  } catch (e) {
    // API_HeadObject: no body. The SDK calls every 404 so; whether S3 said it, and of what, is seen by a list.
    if (!(e instanceof KeyturnError) || e.vendor !== 'NotFound') throw e
    await pageOf({ ...s3, pageSize: 1 }, name, undefined, signal)
    return undefined
  }
}

async function opened(
  s3: Bucket,
  name: string,
  from: number,
  tag: string | undefined,
  signal: AbortSignal
): Promise<OpenedObject | undefined> {
  const { GetObjectCommand } = await import('@aws-sdk/client-s3')
  // Not of a whole object: an empty one has no byte 0, and would be a 416.
  const range = from > 0 ? `bytes=${from}-` : undefined
  const command = new GetObjectCommand({ Bucket: s3.bucket, Key: name, Range: range, IfMatch: tag })
  try {
    const send = async () => (await s3.reader()).send(command, { abortSignal: signal })
    const { Body, ETag = '' }: GetObjectCommandOutput = await ask('read', `${s3.place}/${name}`, send)
    return { body: Body as Readable, tag: ETag }
  } catch (e) {
    if (hasCode(e, 'not-found/object')) return undefined
    if (e instanceof KeyturnError && e.vendor === 'InvalidRange') return nothing()
    if (!hasCode(e, 'conflict/object-changed')) throw e
    throw new KeyturnError('unavailable/archive', `${s3.place}/${name} changed while it was read`, e.vendor)
  }
}

/** A 404 is the bucket's, or with If-Match the object's that was there ("the operation fails with a 404 Not Found error"). */
async function written(
  s3: Bucket,
  name: string,
  bytes: Uint8Array,
  expected: string | undefined,
  signal: AbortSignal
): Promise<string> {
  const { PutObjectCommand } = await import('@aws-sdk/client-s3')
  const condition = expected === undefined ? { IfNoneMatch: '*' } : { IfMatch: expected }
  const command = new PutObjectCommand({ Bucket: s3.bucket, Key: name, Body: bytes, ...condition })
  const send = async () => (await s3.writer()).send(command, { abortSignal: signal })
  for (let attempt = 0; ; attempt++) {
    try {
      const { ETag = '' } = await ask('write', `${s3.place}/${name}`, send)
      return ETag
    } catch (e) {
      if (hasCode(e, 'not-found/object')) throw new KeyturnError('conflict/object-changed', `${s3.place}/${name} was deleted`)
      const pauseMs = s3.pausesMs[attempt]
      if (pauseMs === undefined || !wasNotDone(e) || signal.aborted) throw e
      await setTimeout(pauseMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {
        throw e
      })
    }
  }
}

/** The SDK sets its clock by the answer, so that the same request is right when it is sent again. */
const wasNotDone = (e: unknown): e is KeyturnError =>
  hasCode(e, 'throttled/archive') || (e instanceof KeyturnError && (neverSent(e) || e.vendor === 'RequestTimeTooSkewed'))
