import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { localIdentity } from '../servers/certificates.ts'

export interface TokenReviews {
  readonly url: string
  /** Tokens of service accounts that live → `namespace/name`. */
  readonly accounts: Map<string, string>
  /** How many tokens were reviewed. */
  reviewed(): number
  close(): Promise<void>
}

/**
 * The one call of a Kubernetes API server that Vault's login kubernetes needs, over TLS by the tests' own authority
 * (kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1).
 */
export async function startTokenReviews(): Promise<TokenReviews> {
  const accounts = new Map<string, string>()
  let reviewed = 0
  const server = createServer(await localIdentity(), async (request, response) => {
    const body = await text(request)
    if (`${request.method} ${request.url}` !== 'POST /apis/authentication.k8s.io/v1/tokenreviews') {
      return void response.writeHead(404).end()
    }
    reviewed += 1
    const { spec } = JSON.parse(body) as { spec: { token: string } }
    const [namespace, name] = accounts.get(spec.token)?.split('/') ?? []
    const user = { username: `system:serviceaccount:${namespace}:${name}`, uid: `uid-of-${name}`, groups: [] }
    const status = name === undefined ? { authenticated: false, error: 'unknown token' } : { authenticated: true, user }
    response.writeHead(201, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec, status }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accounts,
    reviewed: () => reviewed,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}
