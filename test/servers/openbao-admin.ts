import type { Identity } from './certificates.ts'
import { askHttps } from './cloud-https.ts'

/** Who asks: an empty token is nobody's. The identity is a client certificate, shown to the TLS listener. */
export type OpenbaoCaller = { token?: string; namespace?: string; identity?: Identity }

/** `body` is the answer's JSON; undefined for an empty one (204). */
export type OpenbaoAnswer = { status: number; body: unknown }

export type OpenbaoMethod = 'GET' | 'LIST' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type OpenbaoAdmin = {
  /** Any request and its answer, whatever the status; `path` begins with /v1/. By the root token, in this namespace, unless the caller is named. */
  request(method: OpenbaoMethod, path: string, body?: unknown, caller?: string | OpenbaoCaller): Promise<OpenbaoAnswer>
  /** The same, but every status above 299 is an error. */
  expect(method: OpenbaoMethod, path: string, body?: unknown): Promise<void>
  /** KV version 2 at the path; `config` is that of `PATH/config`: max_versions, cas_required, delete_version_after. */
  mountKv(path: string, config?: Readonly<Record<string, unknown>>): Promise<void>
  /** A login method (approle, jwt, cert, kubernetes, userpass …), at the path of its own name unless another is given. */
  enableAuth(type: string, path?: string): Promise<void>
  writePolicy(name: string, hcl: string): Promise<void>
}

/** What tests ask of a server before and beside what they test, by its HTTP API (https://openbao.org/api-docs/). */
export function openbaoAdmin(place: { url: string; caPem: string }, self: { token: string; namespace?: string }): OpenbaoAdmin {
  const request = async (method: OpenbaoMethod, path: string, body?: unknown, caller: string | OpenbaoCaller = {}) => {
    const { token, namespace, identity } = { ...self, ...(typeof caller === 'string' ? { token: caller } : caller) }
    const headers = {
      ...(token && { 'x-vault-token': token }),
      ...(namespace && { 'x-vault-namespace': namespace }),
      ...(body !== undefined && { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' })
    }
    const question = { ...{ method, url: `${place.url}${path}`, headers, caPem: place.caPem }, ...(identity && { identity }) }
    const answer = await askHttps({ ...question, ...(body !== undefined && { body: JSON.stringify(body) }) })
    return { status: answer.status, body: answer.text === '' ? undefined : (JSON.parse(answer.text) as unknown) }
  }
  const expect = async (method: OpenbaoMethod, path: string, body?: unknown) => {
    const { status } = await request(method, path, body)
    // Not the body: it may repeat a value that was sent.
    if (status > 299) throw new Error(`OpenBao answered ${status} to ${method} ${path}`)
  }
  return {
    ...{ request, expect },
    mountKv: async (path, config) => {
      await expect('POST', `/v1/sys/mounts/${path}`, { type: 'kv', options: { version: '2' } })
      if (config) await expect('POST', `/v1/${path}/config`, config)
    },
    enableAuth: (type, path = type) => expect('POST', `/v1/sys/auth/${path}`, { type }),
    writePolicy: (name, policy) => expect('PUT', `/v1/sys/policies/acl/${name}`, { policy })
  }
}
