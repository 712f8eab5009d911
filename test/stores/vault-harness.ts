import { randomUUID } from 'node:crypto'
import { encodePatch } from '../../shared/metadata.ts'
import { type VaultKv, vaultKv } from '../../shared/stores/vault-kv.ts'
import { SecretText } from '../../shared/types.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { tokenLogin } from '../../shared/vault/login-token.ts'
import type { Inject, StoreHarness } from '../conformance/store-harness.ts'
import { startVaultKv } from '../doubles/vault-kv.ts'
import { startVaultKvProxy } from '../doubles/vault-kv-proxy.ts'
import type { Call, Fault, VaultKvServer } from '../doubles/vault-kv-wire.ts'
import { findOpenbao, type Openbao, startOpenbao } from '../servers/openbao.ts'

/** An owner, who has every right and knows nothing of keyturn: below the mount, whatever the status. */
export type Ask = (method: string, path: string, body?: unknown) => Promise<{ readonly status: number; readonly body: unknown }>

/** A server with an empty mount, and who may ask it. */
export interface VaultPlace {
  readonly server: VaultKvServer
  readonly mount: string
  readonly owner: Ask
  /** Keyturn's token, with the policy that vault-kv.ts names and no other. */
  readonly token: string
  /** Undefined: the double. */
  readonly openbao?: Openbao | undefined
  close(): Promise<void>
}

export interface VaultHarness extends StoreHarness {
  readonly place: VaultPlace
  readonly store: VaultKv
  /** The store of another process. */
  another(): VaultKv
  /** The calls that the work made, in order. */
  calls(work: () => Promise<unknown>): Promise<readonly string[]>
}

const OWNER = 'the-owners-token'
const KEYTURN = 'keyturns-token'

/** A mount may have slashes in its path. */
export async function placeOnDouble(mount = 'team/kv'): Promise<VaultPlace> {
  const server = await startVaultKv({ mount, keyturnToken: KEYTURN, ownerToken: OWNER })
  const owner: Ask = async (method, path, body) => {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    const headers = { 'x-vault-token': OWNER, 'content-type': type }
    const [verb, query] = method === 'LIST' ? ['GET', '?list=true'] : [method, '']
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(`${server.url}/v1/${mount}/${path}${query}`, { method: verb, headers, ...sent })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  return { server, mount, owner, token: KEYTURN, close: server.close }
}

/** The policy of vault-kv.ts's docstring, word for word. */
export const policyOf = (mount: string): string => `
path "${mount}/data/*" { capabilities = ["read", "update"] }
path "${mount}/metadata/*" { capabilities = ["read", "list", "patch"] }
path "${mount}/data/keyturn/pending/*" { capabilities = ["read", "update"] }
path "${mount}/metadata/keyturn/pending/*" { capabilities = ["create", "update"] }
path "${mount}/config" { capabilities = ["read"] }
path "${mount}/destroy/keyturn/pending/*" { capabilities = ["update"] }
`

/** A mount of its own on a running server, or on one that is started for it. */
export async function placeOnOpenbao(shared?: Openbao): Promise<VaultPlace> {
  const openbao = shared ?? (await startOpenbao())
  const mount = `kv-${randomUUID().slice(0, 8)}`
  await openbao.mountKv(mount)
  await openbao.writePolicy(mount, policyOf(mount))
  const server = await startVaultKvProxy(openbao.plainUrl, mount)
  const token = await tokenFor(openbao, mount)
  return {
    ...{ server, mount, openbao, token },
    owner: (method, path, body) => openbao.request(method as 'GET', `/v1/${mount}/${path}`, body),
    close: async () => {
      await server.close()
      if (!shared) await openbao.close()
    }
  }
}

/** Every server that is there, for `describe.each`; a missing one is said to be left out. */
export const places: readonly (readonly [name: string, start: () => Promise<VaultPlace>])[] = [
  ['a double', () => placeOnDouble()],
  ...(findOpenbao() ? [['OpenBao', () => placeOnOpenbao()] as const] : [])
]

/** A token with these policies, in the server's own words. */
export async function tokenFor(openbao: Openbao, ...policies: readonly string[]): Promise<string> {
  const { body } = await openbao.request('POST', '/v1/auth/token/create', { policies })
  return (body as { auth: { client_token: string } }).auth.client_token
}

/** @param pausesMs before each repeat of a request; none: every request is sent once. */
export function storeAt({ server, mount, token }: VaultPlace, pausesMs: readonly number[] = [5]): VaultKv {
  return vaultKv({ client: vaultClient({ address: server.url, login: tokenLogin(new SecretText(token)), pausesMs }), mount })
}

export async function startVault(start: () => Promise<VaultPlace>, pausesMs?: readonly number[]): Promise<VaultHarness> {
  const place = await start()
  const { server } = place
  return {
    place,
    store: storeAt(place, pausesMs),
    another: () => storeAt(place, pausesMs),
    ...handsOf(place),
    advance: server.advance,
    calls: async (work) => {
      const before = server.calls.length
      await work()
      return server.calls.slice(before).map((c) => c.op)
    },
    faults: faultsOf(place),
    close: place.close
  }
}

/** What an application finds: the fields of a document, or a text in the one field that stands for it. */
const textIn = (data: object): string => {
  const [[name, text] = [], ...more] = Object.entries(data)
  return name === 'keyturn-text' && more.length === 0 ? String(text) : JSON.stringify(data)
}

const fieldsFor = (text: string): object => (text.startsWith('{') ? JSON.parse(text) : { 'keyturn-text': text })

/** Segment by segment, as a URL has it. */
export const encoded = (id: string): string => id.split('/').map(encodeURIComponent).join('/')

function handsOf({ owner }: VaultPlace): Pick<StoreHarness, 'create' | 'overwrite' | 'writeRaw' | 'ordinaryRead'> {
  return {
    create: async (name, text, patch) => {
      const custom = Object.entries(encodePatch(patch).set).map(([key, value]) => [`keyturn:${key}`, value])
      await owner('POST', `data/${encoded(name)}`, { options: { cas: 0 }, data: fieldsFor(text) })
      await owner('POST', `metadata/${encoded(name)}`, { custom_metadata: Object.fromEntries(custom) })
      return name
    },
    overwrite: async (id, text) => void (await owner('POST', `data/${encoded(id)}`, { data: fieldsFor(text) })),
    writeRaw: async (id, key, text) =>
      void (await owner('PATCH', `metadata/${encoded(id)}`, { custom_metadata: { [`keyturn:${key}`]: text } })),
    ordinaryRead: async (id) => {
      const { body } = await owner('GET', `data/${encoded(id)}`)
      return textIn((body as { data: { data: object } }).data.data)
    }
  }
}

function faultsOf({ server, owner }: VaultPlace): StoreHarness['faults'] {
  const end = async () => server.setFault(undefined)
  const always =
    (fault: Fault): Inject =>
    async () => {
      server.setFault(() => fault)
      return end
    }
  const once =
    (hit: (call: Call) => boolean, fault: Fault): Inject =>
    async () => {
      let isDone = false
      server.setFault((call) => {
        if (isDone || !hit(call)) return undefined
        isDone = true
        return fault
      })
      return end
    }
  return {
    denied: always({ status: 403, error: 'permission denied' }),
    'throttled on and on': always({ status: 429, error: 'request path "kv": rate limit quota exceeded' }),
    'no answer': always('before'),
    'throttled a little': once(() => true, { status: 429, error: 'request path "kv": rate limit quota exceeded' }),
    'lost answer': once(({ op }) => /^(POST data|PATCH)/.test(op), 'lost'),
    disabled: async (id) => {
      const { body } = await owner('GET', `data/${encoded(id)}`)
      const { version } = (body as { data: { metadata: { version: number } } }).data.metadata
      await owner('DELETE', `data/${encoded(id)}`)
      return async () => void (await owner('POST', `undelete/${encoded(id)}`, { versions: [version] }))
    }
  }
}
