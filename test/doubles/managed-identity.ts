import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { azureToken, HOUR_MS } from './azure-credential.ts'

/** before: the connection is destroyed. Otherwise the error that is answered. */
export type IdentityFault = 'before' | { readonly status: number; readonly message: string }

export interface TokenCall {
  readonly resource: string
  readonly clientId?: string
}

export interface ManagedIdentityOptions {
  /** Who the app is; null: it has no system-assigned identity. `app` by default. */
  readonly systemAssigned?: string | null
  /** By client id: who the app is if it asks for that one. */
  readonly userAssigned?: Readonly<Record<string, string>>
  /** How long a token lives; a day by default. */
  readonly lifetimeMs?: number
  readonly fault?: (call: TokenCall, index: number) => IdentityFault | undefined
}

export interface ManagedIdentityDouble {
  /** What the host sets in the environment of the app. */
  readonly env: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string }
  /** Requests that were refused too; never a header or a token. */
  readonly calls: readonly TokenCall[]
  /** Replaces the fault hook. */
  setFault(fault: ManagedIdentityOptions['fault']): void
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: object
}

const PATH = '/msi/token/'

/**
 * A double of the token endpoint that App Service and Functions give to an app with a managed identity: HTTP on 127.0.0.1,
 * app-service/overview-managed-identity, "REST endpoint reference". Its tokens are those of azure-credential.ts.
 */
export async function startManagedIdentity(options: ManagedIdentityOptions = {}): Promise<ManagedIdentityDouble> {
  const header = randomUUID()
  const calls: TokenCall[] = []
  let fault = options.fault
  const server = createServer((message, response) => {
    const query = new URL(message.url ?? '/', 'http://localhost').searchParams
    const clientId = query.get('client_id')
    const call: TokenCall = { resource: query.get('resource') ?? '', ...(clientId !== null && { clientId }) }
    const index = calls.push(call) - 1
    const failure = fault?.(call, index)
    if (failure === 'before') return void message.socket.destroy()
    send(response, failure ? refused(failure.status, failure.message) : answer(options, header, message, query))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    env: { IDENTITY_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}${PATH}`, IDENTITY_HEADER: header },
    calls,
    setFault: (next) => {
      fault = next
    },
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

/**
 * That a wrong header is a 401 is seen in Azure/azure-sdk-for-js#11595; what is said to it, and to a parameter that is
 * missing, no source gives: the words are ours, the form is that of the refusals which people have quoted.
 */
function answer(options: ManagedIdentityOptions, header: string, message: IncomingMessage, query: URLSearchParams): Answer {
  if (message.method !== 'GET') return refused(405, 'The method is not allowed.')
  if (message.headers['x-identity-header'] !== header) return refused(401, 'The X-IDENTITY-HEADER is missing or wrong.')
  if ((query.get('api-version') ?? '') < '2019-08-01') return refused(400, 'The api-version is missing or not supported.')
  const resource = query.get('resource') ?? ''
  if (resource === '') return refused(400, 'The parameter resource is missing.')
  const clientId = query.get('client_id')
  const { systemAssigned = 'app', userAssigned = {}, lifetimeMs = 24 * HOUR_MS } = options
  const principal = clientId === null ? systemAssigned : userAssigned[clientId]
  if (principal === undefined || principal === null) {
    return refused(400, 'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.')
  }
  const expiresAt = Date.now() + lifetimeMs
  const token = azureToken({ principal, resource, expiresAt })
  const expires_on = String(Math.floor(expiresAt / 1000))
  return {
    status: 200,
    body: { access_token: token, expires_on, resource, token_type: 'Bearer', client_id: clientId ?? principal }
  }
}

/** MicrosoftDocs/azure-docs#43543; in api-version 2019-08-01 its members begin in lower case, as msal-node reads them. */
const refused = (statusCode: number, message: string): Answer => ({
  status: statusCode,
  body: { statusCode, message, correlationId: randomUUID() }
})

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(body))
}
