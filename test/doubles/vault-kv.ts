import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import {
  deleteMetadata,
  listMetadata,
  patchMetadata,
  readConfig,
  readMetadata,
  writeConfig,
  writeMetadata
} from './vault-kv-metadata.ts'
import { type Answer, type Input, type Mount, newMount, refused } from './vault-kv-state.ts'
import { changeVersions, deleteLatest, readData, writeData } from './vault-kv-values.ts'
import { faultLine, type Question, questionOf, type VaultKvServer } from './vault-kv-wire.ts'

export interface VaultKvDoubleOptions {
  readonly mount: string
  /** Calls with this token are recorded, and meet the fault hook. */
  readonly keyturnToken: string
  readonly ownerToken: string
}

/**
 * A double of KV version 2 on 127.0.0.1, after developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 ("api-docs" in its
 * files) and, where that is silent, the engine's source (hashicorp/vault-plugin-secrets-kv).
 */
export async function startVaultKv(options: VaultKvDoubleOptions): Promise<VaultKvServer> {
  let ahead = 0
  const now = (): number => Date.now() + ahead
  const mount = newMount(now)
  const line = faultLine()
  const server = createServer(async (request, response) => {
    const asked = questionOf(request, options.mount)
    const body = await text(request)
    const token = request.headers['x-vault-token']
    const fault = token === options.keyturnToken ? await line.fateOf(asked.call) : undefined
    if (fault === 'before') return void response.destroy()
    const isKnown = token === options.keyturnToken || token === options.ownerToken
    const error = isKnown ? typeof fault === 'object' && refused(fault.status, fault.error) : DENIED
    send(response, error || reply(mount, asked, body), now(), fault === 'lost')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...line.controls,
    advance: (ms) => {
      ahead += ms
    },
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}

const DENIED: Answer = refused(403, 'permission denied')

function reply(mount: Mount, { call: { path }, method, kind, version, type }: Question, body: string): Answer {
  const input = (body === '' ? {} : JSON.parse(body)) as Input
  const operations: Readonly<Record<string, () => Answer>> = {
    'GET config': () => readConfig(mount),
    'POST config': () => writeConfig(mount, input),
    'GET data': () => readData(mount, path, version),
    'POST data': () => writeData(mount, path, input),
    'DELETE data': () => deleteLatest(mount, path),
    'POST delete': () => changeVersions(mount, path, input, 'delete'),
    'POST undelete': () => changeVersions(mount, path, input, 'undelete'),
    'POST destroy': () => changeVersions(mount, path, input, 'destroy'),
    'GET metadata': () => readMetadata(mount, path),
    'LIST metadata': () => listMetadata(mount, path),
    'POST metadata': () => writeMetadata(mount, path, input),
    'PATCH metadata': () => patchMetadata(mount, path, input, type),
    'DELETE metadata': () => deleteMetadata(mount, path)
  }
  const operation = operations[`${method} ${kind}`]
  if (operation) return operation()
  return kind === undefined ? refused(404, 'no handler for route. route entry not found.') : refused(405, 'unsupported operation')
}

function send(response: ServerResponse, { status, body }: Answer, at: number, isLost: boolean): void {
  if (isLost) return void response.destroy()
  response.writeHead(status, { Date: new Date(at).toUTCString(), ...(body && { 'Content-Type': 'application/json' }) })
  response.end(body && JSON.stringify(body))
}
