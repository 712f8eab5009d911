import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { type S3Settings, s3Bucket } from '../../shared/objects/aws-s3.ts'
import { type Network, type ObjectsHarness, PAGE, type VendorRefusals } from '../conformance/objects-harness.ts'
import { startHttpProxy } from '../doubles/http-proxy.ts'
import { startMoto } from '../doubles/moto.ts'

const BUCKET = 'logs'
const KEYS = { region: 'us-east-1', credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' } }

/** ErrorResponses.html, REST Error Responses. */
export const s3Refusal = (status: number, code: string, headers: Readonly<Record<string, string>> = {}) => ({
  status,
  headers: { 'content-type': 'application/xml', ...headers },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>in words</Message></Error>`
})

const REFUSALS: VendorRefusals = { denied: s3Refusal(403, 'AccessDenied'), throttled: s3Refusal(503, 'SlowDown') }

/** A client without patience for pauses. */
export const bucketAt = (endpoint: string, more: Partial<S3Settings> = {}) =>
  s3Bucket({ bucket: BUCKET, endpoint, ...KEYS, maxAttempts: 2, pageSize: PAGE, stallMs: 300, pausesMs: [1, 1], ...more })

export interface MotoObjects extends ObjectsHarness {
  readonly network: Network
  /** In a storage class. */
  writeAs(name: string, storageClass: 'GLACIER'): Promise<void>
}

export async function startMotoObjects(file: string): Promise<MotoObjects> {
  const moto = await startMoto(file)
  // moto compares and sets in two steps and without a lock, so that of two writers at once both may win.
  const proxy = await startHttpProxy(moto.url, { isOnePutAtATime: true })
  const owner = new S3Client({ endpoint: moto.url, forcePathStyle: true, ...KEYS })
  await owner.send(new CreateBucketCommand({ Bucket: BUCKET }))
  return {
    open: () => bucketAt(proxy.url),
    nowhere: bucketAt(proxy.url, { bucket: 'nowhere' }),
    write: async (name, bytes, encoding) => {
      const more = { ...(encoding && { ContentEncoding: encoding }) }
      await owner.send(new PutObjectCommand({ Bucket: BUCKET, Key: name, Body: bytes, ...more }))
    },
    writeAs: async (name, StorageClass) =>
      void (await owner.send(new PutObjectCommand({ Bucket: BUCKET, Key: name, Body: 'x', StorageClass }))),
    remove: async (name) => void (await owner.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: name }))),
    network: {
      proxy,
      refusals: REFUSALS,
      throttledOnce: undefined,
      hasty: (requestTimeoutMs) => bucketAt(proxy.url, { requestTimeoutMs, stallMs: 60_000, maxAttempts: 1 })
    },
    close: async () => {
      owner.destroy()
      await proxy.close()
      await moto.close()
    }
  }
}
