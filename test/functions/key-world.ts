import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { MetadataPatch } from '../../shared/metadata.ts'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { type SlackHarness, startSlack } from '../doubles/channel-slack.ts'
import { type HookHarness, startHook } from '../doubles/consumer-http.ts'
import { ACME, type Example, startExample } from '../doubles/http-example.ts'

export type Document = Readonly<Record<string, unknown>>

/** One kind of keys, and the double of who makes them. */
export interface KeyProviderDouble {
  readonly kind: string
  /** Somebody new with one key, made by hand: the document of a secret. */
  open(): Document
  principalOf(document: Document): string
  /** By the double's own books: no call, so nobody has used it. */
  works(document: Document): boolean
  /** What must not be seen anywhere. */
  secretsIn(document: Document): readonly string[]
  /** What it was asked so far, by operation. */
  calls(): readonly string[]
  /** By its clock. */
  advance(ms: number): void
  /** What a sweep does to an old key, one step at a time. */
  readonly ends: readonly ('disable' | 'retire')[]
  /** How the provider refuses a key that is gone. */
  readonly refusal: string
}

/** What a function answers, whatever the host: its report, or the code of its failure. */
export type Said =
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert.
  { readonly results: readonly any[]; readonly code?: undefined } | { readonly code: string; readonly results?: undefined }

/** A host of rotate-api-key as it ships, with its cloud's store, and rotate-database beside it on the same store. */
export interface KeyHost {
  readonly common: Common
  ask(request: Document): Promise<Said>
  /** The same of the other function. */
  askDatabases(request: Document): Promise<Said>
  put(name: string, document: Document, metadata: MetadataPatch): Promise<void>
  /** A secret of a database. Gives its name and what an application reads. */
  database(): Promise<string>
  /** The ordinary read of an application. */
  read(name: string): Promise<Document>
  /** What the store keeps beside the value, as text. */
  record(name: string): Promise<string>
  versions(name: string): number
  /** By the store's clock. */
  advance(ms: number): void
  /** Everything that the processes have written. */
  output(): Promise<string>
}

/** What every host needs for keys of a described provider, for a hook that hears of promotions, and where people are paged. */
export interface Common {
  readonly acme: Example
  readonly hook: HookHarness
  readonly chat: SlackHarness
  readonly env: Readonly<Record<string, string>>
  readonly adminDocument: Document
  close(): Promise<void>
}

const ACME_ADMIN_TOKEN = 'admin-token-of-the-functions-of-keys'

export async function startCommon(): Promise<Common> {
  const [acme, hook, chat] = await Promise.all([startExample(), startHook(), startSlack()])
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-keys-'))
  writeFileSync(join(folder, 'ca.pem'), String(hook.settings.ca))
  return {
    ...{ acme, hook, chat },
    adminDocument: acmeAdmin(acme, ACME_ADMIN_TOKEN),
    env: {
      ...acmeEnv(acme, join(folder, 'providers.json'), [ACME]),
      KEYTURN_CA_FILE: join(folder, 'ca.pem'),
      KEYTURN_PRIVATE_HOSTS: 'api.acme.example 127.0.0.1',
      KEYTURN_RESTART_HOSTS: hook.host,
      KEYTURN_NOTIFY: 'slack:TEAM_SLACK',
      TEAM_SLACK: chat.settings.url.reveal()
    },
    close: async () => {
      await Promise.all([acme.double.close(), hook.stop(), chat.stop()])
      rmSync(folder, { recursive: true })
    }
  }
}

/** What a process needs that works with these descriptions; they are written into `file`. */
export function acmeEnv({ double }: Example, file: string, descriptions: readonly HttpDescription[]) {
  writeFileSync(file, JSON.stringify(descriptions))
  return {
    KEYTURN_PROVIDERS_FILE: file,
    KEYTURN_PROVIDER_ENDPOINTS: `api.acme.example=${double.url}`,
    KEYTURN_PRIVATE_HOSTS: 'api.acme.example'
  }
}

/** An admin of the provider, and the document of their login. */
export function acmeAdmin({ admins }: Example, token: string): Document {
  admins.add(token)
  return { type: 'note', token, organization: 'org-1' }
}

type AcmeKey = Readonly<Record<'provider' | 'project' | 'keyId' | 'apiKey' | 'adminsecret', string>>

/** A key made by hand, and the document of its secret. */
export function acmeKey({ shelf }: Example, { provider, project, keyId, apiKey, adminsecret }: AcmeKey): Document {
  shelf.add({ id: keyId, account: project, value: apiKey, name: 'by hand' })
  return { type: 'http-api-key', provider, keyId, apiKey, config: { project }, adminsecret }
}

let opened = 0

/** Keys of the provider that is only described; `adminsecret`: where its admin's login lies in the store. */
export function acmeKeys(example: Example, adminsecret: string): KeyProviderDouble {
  const { double, shelf } = example
  return {
    kind: 'http-api-key',
    ends: ['disable', 'retire'],
    refusal: 'invalid_key',
    open: () => {
      const [project, keyId, apiKey] = [`p${++opened}`, `first-${opened}`, `acme-value-of-the-first-key-${opened}`]
      return { ...acmeKey(example, { provider: 'acme', project, keyId, apiKey, adminsecret }), note: 'kept' }
    },
    principalOf: ({ keyId }) => String(keyId),
    works: ({ keyId, apiKey }) => {
      const key = shelf.find(String(keyId))
      return key?.value === apiKey && !key?.isDeleted && !key?.isDisabled
    },
    secretsIn: ({ apiKey }) => [String(apiKey), ACME_ADMIN_TOKEN],
    calls: () => double.calls.map(({ op }) => op),
    advance: (ms) => double.advance(ms)
  }
}

export interface Gate {
  readonly url: string
  close(): Promise<void>
}

/**
 * In front of a double that knows one administrator: a token that the host's identity was given for this address is the
 * administrator's behind it, and every other one is none.
 */
export async function startGate(behind: string, authorization: string, isGiven: (token: string, url: string) => boolean) {
  const own = { url: '' }
  const server = createServer((asked, answer) => {
    const token = /^Bearer (.+)$/.exec(asked.headers.authorization ?? '')?.[1]
    const traded = token === undefined ? undefined : isGiven(token, own.url) ? authorization : 'Bearer of-nobody'
    void pass(behind, asked, answer, traded).catch(() => answer.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  own.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return { url: own.url, close } satisfies Gate
}

async function pass(behind: string, asked: IncomingMessage, answer: ServerResponse, authorization: string | undefined) {
  const body = await text(asked)
  const headers = { ...asked.headers, ...(authorization !== undefined && { authorization }) }
  const sent = request(`${behind}${asked.url}`, { method: asked.method ?? 'GET', headers, agent: false })
  sent.end(body)
  const [given] = (await once(sent, 'response')) as [IncomingMessage]
  answer.writeHead(given.statusCode ?? 500, given.headers).end(await text(given))
}
