import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AccessToken } from '@azure/core-auth'
import { leaveOut } from '../left-out.ts'
import { localIdentity, sharedAuthority } from './certificates.ts'
import { type CloudProgram, startProgram } from './cloud-program.ts'

export type AzuriteOptions = {
  /** Asked once, at the start: what its clock shows then, in Unix milliseconds. It goes on from there; by default, the real time. */
  now?: () => number
}

export type Azurite = {
  /** https://127.0.0.1:PORT/devstoreaccount1, without a slash at the end. */
  readonly blobUrl: string
  readonly queueUrl: string
  readonly account: string
  /** The account's shared key, base64: Azurite takes it and bearer tokens alike. */
  readonly key: string
  readonly caPem: string
  /** A TokenCredential of @azure/core-auth whose tokens it takes, by its own clock. */
  readonly credential: { getToken(): Promise<AccessToken> }
  /** Moves its clock forward: leases end and messages become visible as if the time had passed. */
  advance(byMs: number): Promise<void>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a token says; all of it by default as Azurite wants it. */
export type AzuriteClaims = { audience?: string; issuer?: string; nowMs?: number; lifetimeMs?: number }

/** The azurite.js where CI installs it, or that KEYTURN_AZURITE names; where there is none, it says so among what the run left out. */
export function findAzurite(): string | undefined {
  const file = process.env.KEYTURN_AZURITE ?? join(root, '.ci/servers/azurite/node_modules/azurite/dist/src/azurite.js')
  if (existsSync(file)) return file
  leaveOut('Azurite', 'npm azurite is not installed where .ci/run puts it')
  return undefined
}

/**
 * A bearer token that Azurite takes. It looks at the claims and never at the signature (BlobTokenAuthenticator): nbf, exp and
 * iat must be there and hold at its clock, iss begins with an issuer of Entra, aud is Azure Storage or the service's own host.
 */
export function azuriteToken({
  audience = 'https://storage.azure.com',
  issuer = 'https://sts.windows.net/11111111-1111-4111-8111-111111111111/',
  nowMs = Date.now(),
  lifetimeMs = 3600_000
}: AzuriteClaims = {}): string {
  const at = Math.floor(nowMs / 1000)
  const claims = { aud: audience, iss: issuer, iat: at - 60, nbf: at - 60, exp: at + lifetimeMs / 1000 }
  const parts = [JSON.stringify({ alg: 'none', typ: 'JWT' }), JSON.stringify(claims), 'unsigned']
  return parts.map((part) => Buffer.from(part).toString('base64url')).join('.')
}

/** Blobs and queues over HTTPS, on free ports and in a temporary folder. */
export async function startAzurite({ now }: AzuriteOptions = {}): Promise<Azurite> {
  const file = findAzurite()
  if (file === undefined) throw new Error('Azurite is not installed')
  const { cert, key } = await localIdentity()
  const running = await startProgram(programOf(file), (folder) => {
    writeFileSync(join(folder, 'server.crt'), cert)
    writeFileSync(join(folder, 'server.key'), key, { mode: 0o600 })
  })
  const [blobPort, queuePort] = running.ports
  let aheadMs = now ? now() - Date.now() : 0
  const advance = async (byMs: number) => {
    aheadMs += byMs
    await setClock(running.child, aheadMs)
  }
  await advance(0)
  return {
    blobUrl: `https://127.0.0.1:${blobPort}/${account}`,
    queueUrl: `https://127.0.0.1:${queuePort}/${account}`,
    ...{ account, key: accountKey, caPem: (await sharedAuthority()).caPem },
    credential: { getToken: async () => tokenAt(Date.now() + aheadMs) },
    ...{ advance, close: running.close, [Symbol.asyncDispose]: running.close }
  }
}

const root = join(import.meta.dirname, '../..')
/** Azurite's own, printed in its README: https://github.com/Azure/Azurite#default-storage-account */
const account = 'devstoreaccount1'
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

function programOf(file: string): CloudProgram {
  return {
    name: 'azurite',
    command: join(root, 'node_modules/.bin/node'),
    args: ([blob, queue, table]) => [
      ...['--import', join(import.meta.dirname, 'azurite-clock.ts'), file, '--inMemoryPersistence', '--disableTelemetry'],
      ...['--blobPort', `${blob}`, '--queuePort', `${queue}`, '--tablePort', `${table}`],
      ...['--oauth', 'basic', '--cert', 'server.crt', '--key', 'server.key', '--silent']
    ],
    // Tables come last, and there is no way to leave them out.
    ports: 3,
    ready: /Table service is successfully listening/,
    portTaken: /EADDRINUSE/,
    messages: true
  }
}

/** Resolves when azurite-clock.ts has answered: every request from then on sees the new time. */
async function setClock(child: ChildProcess, aheadMs: number): Promise<void> {
  const answered = once(child, 'message', { signal: AbortSignal.timeout(30_000) })
  child.send({ aheadMs })
  await answered
}

/** core-rest-pipeline keeps a token until `expiresOnTimestamp`, by the real clock: after an `advance` it must ask again. */
const tokenAt = (nowMs: number) => ({ token: azuriteToken({ nowMs }), expiresOnTimestamp: Date.now() })
