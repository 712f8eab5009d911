import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { AuditDocument } from '../../shared/audit/outputs/document-schema.ts'
import { type AuditState, decodeState } from '../../shared/audit/state.ts'
import { type SlackHarness, startSlack } from '../doubles/channel-slack.ts'
import { startWebhook, type WebhookHarness } from '../doubles/channel-webhook.ts'
import { type HttpProxy, startHttpProxy } from '../doubles/http-proxy.ts'
import { startMoto } from '../doubles/moto.ts'
import { sharedAuthority } from '../servers/certificates.ts'
import { eventOf } from './lambda-events.ts'
import { type LambdaFunction, type Outcome, type Runtime, startLambda } from './lambda-runtime.ts'

/** As the event files name it. */
export const LOG_KEY =
  'team logs/AWSLogs/123456789012/CloudTrail/us-west-2/2026/07/01/123456789012_CloudTrail_us-west-2_20260701T1205Z_k9Xv2LqT0bYhWc3r.json.gz'
const EXAMPLE_BUCKET = 'audit-logs-example'

/** moto as S3 and Secrets Manager, with a proxy before it, and two channels. */
export interface AuditWorld {
  readonly proxy: HttpProxy
  readonly url: string
  readonly chat: SlackHarness
  readonly hook: WebhookHarness
  /** A bucket of its own, and what its function is told. */
  bucket(settings?: Readonly<Record<string, string>>): Promise<AuditBucket>
  close(): Promise<void>
}

export interface AuditBucket {
  readonly name: string
  put(key: string, bytes: Uint8Array, storageClass?: 'GLACIER'): Promise<void>
  read(key: string): Promise<Buffer>
  keys(): Promise<readonly string[]>
  state(): Promise<AuditState>
  /** The document of each run. */
  documents(): Promise<readonly AuditDocument[]>
  /** An event file with this bucket in place of the example's. */
  event(name: string): Readonly<Record<string, unknown>>
  /** A new process of the function. */
  start(): Promise<LambdaFunction>
  /** In a new process, that is ended then. */
  once(event: unknown): Promise<Outcome>
  /** Everything that its processes have written. */
  output(): string
  stop(): Promise<void>
}

export async function startAuditWorld(settings: {
  readonly folder: string
  readonly runtime: Runtime
  readonly moto: string
}): Promise<AuditWorld> {
  const [moto, chat, hook] = await Promise.all([startMoto(settings.moto), startSlack(), startWebhook()])
  // moto compares and sets in two steps and without a lock, so that of two writers at once both may win.
  const proxy = await startHttpProxy(moto.url, { isOnePutAtATime: true })
  const keys = { region: 'us-east-1', credentials: { accessKeyId: 'AKIAOWNER', secretAccessKey: 'owner' } }
  const owner = new S3Client({ endpoint: moto.url, forcePathStyle: true, ...keys })
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-audit-lambda-'))
  writeFileSync(join(folder, 'ca.pem'), (await sharedAuthority()).caPem)
  const env = {
    ...{
      AWS_ENDPOINT_URL_S3: proxy.url,
      SECRETS_MANAGER_ENDPOINT: proxy.url,
      AWS_SECRET_ACCESS_KEY: 'planted-secret-of-the-role'
    },
    ...{ KEYTURN_NOTIFY: 'slack:TEAM_SLACK webhook:TEAM_HOOK', KEYTURN_PRIVATE_HOSTS: '127.0.0.1' },
    ...{ KEYTURN_CA_FILE: join(folder, 'ca.pem'), TEAM_SLACK: chat.settings.url.reveal() },
    ...{ TEAM_HOOK: hook.settings.url.reveal(), TEAM_HOOK_SECRET: hook.settings.secrets[0]?.reveal() ?? '' }
  }
  return {
    ...{ proxy, url: moto.url, chat, hook },
    bucket: async (more = {}) => {
      const name = `audit-${randomUUID()}`
      await owner.send(new CreateBucketCommand({ Bucket: name }))
      const places = {
        KEYTURN_AUDIT_STATE: `s3://${name}/keyturn/audit.state`,
        KEYTURN_AUDIT_REPORTS: `s3://${name}/reports/`,
        // All of it: state and reports lie among the logs.
        KEYTURN_AUDIT_LOGS: `s3://${name}/`
      }
      const start = () => startLambda({ ...settings, env: { ...env, ...places, ...more } })
      return { ...objectsIn(owner, name), ...processesOf(start) }
    },
    close: async () => {
      owner.destroy()
      rmSync(folder, { recursive: true })
      await Promise.all([proxy.close(), chat.stop(), hook.stop()])
      await moto.close()
    }
  }
}

function objectsIn(owner: S3Client, name: string): Omit<AuditBucket, 'start' | 'once' | 'output' | 'stop'> {
  const read = async (key: string): Promise<Buffer> => {
    const { Body } = await owner.send(new GetObjectCommand({ Bucket: name, Key: key }))
    return Buffer.from((await Body?.transformToByteArray()) ?? [])
  }
  const keys = async () => {
    const { Contents = [] } = await owner.send(new ListObjectsV2Command({ Bucket: name }))
    return Contents.map(({ Key = '' }) => Key)
  }
  return {
    ...{ name, read, keys },
    put: async (Key, Body, StorageClass) =>
      void (await owner.send(new PutObjectCommand({ Bucket: name, Key, Body, ...(StorageClass && { StorageClass }) }))),
    state: async () => decodeState(await read('keyturn/audit.state')),
    documents: async () => {
      const all = (await keys()).filter((key) => key.endsWith('.json.gz') && key.startsWith('reports/'))
      return Promise.all(all.map(async (key) => JSON.parse(gunzipSync(await read(key)).toString('utf8'))))
    },
    event: (file) => JSON.parse(JSON.stringify(eventOf(`audit-function/${file}`)).replaceAll(EXAMPLE_BUCKET, name))
  }
}

function processesOf(start: () => Promise<LambdaFunction>): Pick<AuditBucket, 'start' | 'once' | 'output' | 'stop'> {
  const all: LambdaFunction[] = []
  const another = async (): Promise<LambdaFunction> => {
    const started = await start()
    all.push(started)
    return started
  }
  return {
    start: another,
    once: async (event) => {
      const process = await another()
      const outcome = await process.invoke(event)
      await process.stop()
      return outcome
    },
    output: () => all.map((one) => one.output()).join(''),
    stop: async () => {
      for (const one of all) await one.stop()
    }
  }
}
