import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { textOf } from './faulty-server.ts'
import { type AwsMount, awsLoginOf } from './vault-login-aws.ts'
import { type AzureMount, azureLoginOf } from './vault-login-azure.ts'
import { type GcpMount, gcpLoginOf, signJwt } from './vault-login-gcp.ts'
import { isRefusal, refused } from './vault-refusal.ts'

export interface VaultLoginsOptions {
  readonly aws?: AwsMount
  readonly azure?: AzureMount
  /** Google's IAM Credentials API answers on the same address. */
  readonly gcp?: GcpMount
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

export interface VaultLogins {
  readonly url: string
  /** Bodies of logins, as they came. */
  readonly logins: readonly Readonly<Record<string, unknown>>[]
  /** Tokens that were given out and not revoked. */
  readonly tokens: ReadonlySet<string>
  close(): Promise<void>
}

/**
 * Vault's logins for clouds, which OpenBao does not have, written from Vault's documentation and the plugins' source; each
 * part names its pages. Beside them it knows lookup-self, and revoke-self.
 */
export async function startVaultLogins(options: VaultLoginsOptions): Promise<VaultLogins> {
  const { now = Date.now } = options
  const logins: Readonly<Record<string, unknown>>[] = []
  const tokens = new Set<string>()
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request)
    const google = options.gcp && signJwt(options.gcp, request, body, now())
    if (google) return answer(response, google.status, google.body, now())
    try {
      const result = routed(options, request, body, { logins, tokens }, now())
      answer(response, result === undefined ? 204 : 200, result, now())
    } catch (e) {
      if (!isRefusal(e)) throw e
      answer(response, e.status, { errors: [e.says] }, now())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    logins,
    tokens,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}

type Kept = { readonly logins: Readonly<Record<string, unknown>>[]; readonly tokens: Set<string> }

function routed(
  options: VaultLoginsOptions,
  request: IncomingMessage,
  body: Readonly<Record<string, unknown>>,
  { logins, tokens }: Kept,
  now: number
): object | undefined {
  const { aws, azure, gcp } = options
  const token = String(request.headers['x-vault-token'] ?? '')
  const route = `${request.method} ${request.url}`
  const checks: Readonly<Record<string, (() => void) | undefined>> = {
    'POST /v1/auth/aws/login': aws && (() => awsLoginOf(aws, body, now)),
    'POST /v1/auth/azure/login': azure && (() => azureLoginOf(azure, body, now)),
    'POST /v1/auth/gcp/login': gcp && (() => gcpLoginOf(gcp, body, now))
  }
  const check = checks[route]
  if (check) {
    logins.push(body)
    check()
    const made = `s.${randomUUID()}`
    tokens.add(made)
    return { auth: { client_token: made, accessor: randomUUID(), lease_duration: 3600, renewable: true, token_type: 'service' } }
  }
  if (!tokens.has(token)) throw refused(403, 'permission denied')
  if (route === 'GET /v1/auth/token/lookup-self') return { data: { ttl: 3600 } }
  if (route === 'POST /v1/auth/token/revoke-self') return void tokens.delete(token)
  throw refused(404, `no handler for route "${request.url}". route entry not found.`)
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const text = await textOf(request)
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}

function answer(response: ServerResponse, status: number, body: unknown, now: number): void {
  response.writeHead(status, { 'Content-Type': 'application/json', Date: new Date(now).toUTCString() })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}
