import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Objects } from '../../shared/ports/objects.ts'
import { type SlackHarness, startSlack } from '../doubles/channel-slack.ts'
import { type GoogleMetadataDouble, startGoogleMetadata } from '../doubles/google-metadata.ts'
import { type GoogleSecretsDouble, startGoogleSecrets } from '../doubles/google-secrets.ts'
import { type GoogleStorage, startGoogleStorage } from '../doubles/google-storage.ts'
import { storageAt } from '../objects/gcp-storage-harness.ts'
import { sharedAuthority } from '../servers/certificates.ts'
import { auditStage } from './audit-stage.ts'
import { AUDIENCE, NUMBER, PROJECT, SCHEDULER } from './gcp-cloud.ts'
import { gcpEventOf, type Json, type Message } from './gcp-events.ts'
import { builtGcpFunction, type Framework, startFramework, type Target } from './gcp-framework.ts'
import { type Line, linesIn } from './gcp-world.ts'
import { type KeptAudit, keptAudit, signal } from './kept-audit.ts'

export const ACCOUNT = `keyturn@${PROJECT}.iam.gserviceaccount.com`
/** As the event files name it. */
export const LOG = 'cloudaudit.googleapis.com/data_access/2026/03/01/02:00:00_02:59:59_S0.json'
export const STATE = 'keyturn/audit.state'
export { signal }

/** The doubles of Cloud Storage, Secret Manager and the metadata server, and a channel to people. */
export interface AuditWorld {
  readonly secrets: GoogleSecretsDouble
  readonly metadata: GoogleMetadataDouble
  readonly chat: SlackHarness
  /** Buckets of its own. */
  scene(): Promise<AuditScene>
  close(): Promise<void>
}

export interface AuditScene extends KeptAudit {
  /** `logs` and `keyturn` there are this function's. */
  readonly storage: GoogleStorage
  /** Where the state and the reports are. */
  readonly kept: Objects
  /** As a sink does: an object with an entry a line. */
  write(name: string, ...entries: readonly object[]): void
  start(target: Target, env?: Readonly<Record<string, string | undefined>>): Promise<Framework>
  output(): Promise<string>
  close(): Promise<void>
}

/** `roles/secretmanager.viewer`, as far as it matters here. */
const VIEWER = ['secretmanager.secrets.get', 'secretmanager.secrets.list', 'secretmanager.versions.get']

export async function startAuditWorld(folder: string): Promise<AuditWorld> {
  const chat = await startSlack()
  const files = mkdtempSync(join(tmpdir(), 'keyturn-audit-gcp-'))
  writeFileSync(join(files, 'ca.pem'), (await sharedAuthority()).caPem)
  const secrets = await startGoogleSecrets({
    principals: [
      { name: 'owner@example.com', tokens: ['owner-token'], may: { '*': ['roles/owner'] } },
      { name: ACCOUNT, may: { '*': VIEWER } }
    ],
    projects: [{ id: PROJECT, number: NUMBER }]
  })
  const metadata = await startGoogleMetadata({
    ...{ projectId: PROJECT, projectNumber: NUMBER, email: ACCOUNT },
    issued: (token, email) => secrets.accept(token, email)
  })
  const env = {
    ...{ GCE_METADATA_HOST: metadata.host, TEST_CERTIFICATES: metadata.endpoints.oauth2FederatedSignonPemCertsUrl },
    ...{ SECRET_MANAGER_ENDPOINT: secrets.url, KEYTURN_AUDIENCE: AUDIENCE, KEYTURN_CALLERS: SCHEDULER },
    ...{ KEYTURN_NOTIFY: 'slack:TEAM_SLACK', TEAM_SLACK: chat.settings.url.reveal() },
    ...{ KEYTURN_CA_FILE: join(files, 'ca.pem'), KEYTURN_PRIVATE_HOSTS: '127.0.0.1' },
    KEYTURN_AUDIT_DECOYS: 'db-decoy'
  }
  return {
    ...{ secrets, metadata, chat },
    scene: () => makeScene(folder, env),
    close: async () => {
      await Promise.all([secrets.close(), metadata.close(), chat.stop()])
      rmSync(files, { recursive: true, force: true })
    }
  }
}

/** For the tests of a file. */
export const stage = () =>
  auditStage<AuditScene, AuditWorld>({
    build: () => builtGcpFunction('summarize-audit'),
    open: startAuditWorld,
    secrets: () => ['ya29.']
  })

async function makeScene(folder: string, own: Readonly<Record<string, string>>): Promise<AuditScene> {
  const storage = await startGoogleStorage('logs', 'keyturn')
  const env = {
    CLOUD_STORAGE_ENDPOINT: storage.url,
    KEYTURN_AUDIT_STATE: `gs://keyturn/${STATE}`,
    KEYTURN_AUDIT_LOGS: 'gs://logs/cloudaudit.googleapis.com/',
    KEYTURN_AUDIT_REPORTS: 'gs://keyturn/reports/',
    ...own
  }
  const kept = storageAt(storage.url, { bucket: 'keyturn', stallMs: 30_000 })
  const processes: Framework[] = []
  return {
    ...{ storage, kept, ...keptAudit(kept, STATE) },
    write: (name, ...entries) => storage.write(name, Buffer.from(entries.map((one) => `${JSON.stringify(one)}\n`).join(''))),
    start: async (target, more = {}) => {
      const process = await startFramework({ folder, target, env: { ...env, ...more } })
      processes.push(process)
      return process
    },
    output: async () => (await Promise.all(processes.map((process) => process.output()))).join(''),
    close: async () => {
      await Promise.all(processes.map((process) => process.stop()))
      await storage.close()
    }
  }
}

let made = 0

/** An entry of Cloud Audit Logs, an hour old: somebody reads a secret. */
export function readOf(secret: string): Json {
  const text = JSON.stringify(gcpEventOf('audit/access-secret-version')).replaceAll('/secrets/db-app/', `/secrets/${secret}/`)
  const timestamp = new Date(Date.now() - 3_600_000 + ++made).toISOString()
  return { ...(JSON.parse(text) as Json), timestamp, insertId: randomUUID() }
}

/** An event file around another entry; undefined: a message without data. */
export function carrying(name: string, entry: Json | string | undefined): Json {
  const event = gcpEventOf(name) as { readonly data?: Json; readonly message?: Message }
  const data = entry && Buffer.from(typeof entry === 'string' ? entry : JSON.stringify(entry)).toString('base64')
  const { data: _, ...message } = (event.data?.message ?? event.message) as Message
  const own = { ...message, ...(data !== undefined && { data }) }
  return event.data ? { ...event, data: { ...event.data, message: own } } : { ...event, message: own }
}

/** A line of the log, in the process's own output. */
export const linesOf = async (process: Framework): Promise<readonly Line[]> => linesIn(await process.output())
