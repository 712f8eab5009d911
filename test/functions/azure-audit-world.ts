import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Objects } from '../../shared/ports/objects.ts'
import { type SlackHarness, startSlack } from '../doubles/channel-slack.ts'
import { type KeyVaultDouble, startKeyVault } from '../doubles/key-vault.ts'
import { type ManagedIdentityDouble, startManagedIdentity } from '../doubles/managed-identity.ts'
import { containerAt } from '../objects/azure-blob-harness.ts'
import { type Azurite, startAzurite } from '../servers/azurite.ts'
import { askHttps } from '../servers/cloud-https.ts'
import { auditStage } from './audit-stage.ts'
import { eventOf } from './azure-events.ts'
import { type FunctionApp, startFunctionApp } from './azure-host.ts'
import { type KeptAudit, keptAudit, signal } from './kept-audit.ts'
import { builtFunction } from './lambda-runtime.ts'

/** Azurite, a vault, and a channel to people. */
export interface AuditWorld {
  readonly azurite: Azurite
  readonly vault: KeyVaultDouble
  readonly identity: ManagedIdentityDouble
  readonly chat: SlackHarness
  /** Containers of its own, and what their function app is told. */
  scene(env?: Readonly<Record<string, string>>): Promise<AuditScene>
  close(): Promise<void>
}

export interface AuditScene extends KeptAudit {
  readonly logsUrl: string
  /** Where the state and the reports are. */
  readonly kept: Objects
  /** As Azure Monitor does: makes an append blob, or adds to it. */
  append(name: string, ...records: readonly object[]): Promise<void>
  /** BlobCreated, by an event file, of a blob of these logs. */
  created(name: string, event?: string): Readonly<Record<string, unknown>>
  /** A new process. */
  start(env?: Readonly<Record<string, string>>): Promise<FunctionApp>
  /** Everything that its processes have written and logged. */
  output(): string
  close(): Promise<void>
}

export const STATE = 'audit.state'
export { signal }

export async function startAuditWorld(folder: string): Promise<AuditWorld> {
  const [azurite, vault, identity, chat] = await Promise.all([
    startAzurite(),
    startKeyVault(),
    startManagedIdentity(),
    startSlack()
  ])
  const files = mkdtempSync(join(tmpdir(), 'keyturn-audit-azure-'))
  writeFileSync(join(files, 'ca.pem'), azurite.caPem)
  const env = {
    // Of every server here; on Azure the authorities are Node's own.
    NODE_EXTRA_CA_CERTS: join(files, 'ca.pem'),
    ...{ KEYTURN_CA_FILE: join(files, 'ca.pem'), KEYTURN_PRIVATE_HOSTS: '127.0.0.1' },
    ...{ KEYTURN_NOTIFY: 'slack:TEAM_SLACK', TEAM_SLACK: chat.settings.url.reveal() },
    ...{ KEYTURN_AUDIT_DECOYS: 'db-decoy', ...identity.env }
  }
  return {
    ...{ azurite, vault, identity, chat },
    scene: (more = {}) => makeScene(azurite, folder, { ...env, ...more }),
    close: async () => {
      await Promise.all([azurite.close(), vault.close(), identity.close(), chat.stop()])
      rmSync(files, { recursive: true, force: true })
    }
  }
}

/** For the tests of a file. */
export const stage = () =>
  auditStage<AuditScene, AuditWorld>({
    build: () => builtFunction('azure/summarize-audit'),
    open: startAuditWorld,
    secrets: ({ identity }) => [identity.env.IDENTITY_HEADER]
  })

async function makeScene(azurite: Azurite, folder: string, own: Readonly<Record<string, string>>): Promise<AuditScene> {
  const id = randomUUID()
  const [logsUrl, keptUrl] = [`${azurite.blobUrl}/logs-${id}`, `${azurite.blobUrl}/keyturn-${id}`]
  for (const url of [logsUrl, keptUrl]) await put(azurite, `${url}?restype=container`)
  const env = {
    KEYTURN_AUDIT_STATE: `${keptUrl}/${STATE}`,
    KEYTURN_AUDIT_LOGS: `${logsUrl}/`,
    KEYTURN_AUDIT_REPORTS: `${keptUrl}/reports/`,
    ...own
  }
  const kept = containerAt(keptUrl, azurite, { stallMs: 30_000 })
  const logs = containerAt(logsUrl, azurite)
  const apps: FunctionApp[] = []
  return {
    ...{ logsUrl, kept, ...keptAudit(kept, STATE) },
    append: async (name, ...records) => {
      const url = `${logsUrl}/${name}`
      if (!(await logs.describe(name, signal()))) await put(azurite, url, { 'x-ms-blob-type': 'AppendBlob' })
      await put(azurite, `${url}?comp=appendblock`, {}, records.map((record) => `${JSON.stringify(record)}\n`).join(''))
    },
    created: (name, event = 'audit-function/blob-created') => {
      const { data, ...envelope } = eventOf(event)
      return { ...envelope, id: randomUUID(), data: { ...(data as object), url: `${logsUrl}/${name}` } }
    },
    start: async (more = {}) => {
      const app = await startFunctionApp(folder, { ...env, ...more })
      apps.push(app)
      return app
    },
    output: () => apps.map((app) => app.output()).join('\n'),
    close: async () => {
      for (const app of apps) await app.stop()
    }
  }
}

async function put(azurite: Azurite, url: string, headers: Readonly<Record<string, string>> = {}, body = ''): Promise<void> {
  const authorization = `Bearer ${(await azurite.credential.getToken()).token}`
  const all = { authorization, 'x-ms-version': '2025-01-05', ...headers }
  const { status } = await askHttps({ method: 'PUT', url, headers: all, body, caPem: azurite.caPem })
  if (status !== 201) throw new Error(`PUT ${url} was answered ${status}`)
}

let made = 0

/** A record of Key Vault's log, an hour old: somebody reads a secret. */
export function readOf(secret: string): Readonly<Record<string, unknown>> {
  const text = JSON.stringify(eventOf('audit/secret-get')).replaceAll('/secrets/db-app/', `/secrets/${secret}/`)
  return {
    ...(JSON.parse(text) as object),
    time: new Date(Date.now() - 3_600_000 + ++made).toISOString(),
    correlationId: randomUUID()
  }
}

/** What the app said of its last run. */
export const lastRun = ({ lines }: Pick<FunctionApp, 'lines'>): Readonly<Record<string, unknown>> | undefined =>
  linesOf({ lines }).findLast(({ event }) => event === 'summarized')

export const linesOf = ({ lines }: Pick<FunctionApp, 'lines'>): readonly Readonly<Record<string, unknown>>[] =>
  lines.map(({ message }) => JSON.parse(message) as Readonly<Record<string, unknown>>)
