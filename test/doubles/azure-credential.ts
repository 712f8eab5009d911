import { createHmac, timingSafeEqual } from 'node:crypto'
import type { TokenCredential } from '@azure/core-auth'

/** The directory of all the doubles. */
export const TENANT = '5a0d1c1e-4b5f-4c52-9d6f-0c7a52f5a001'
export const HOUR_MS = 3_600_000

export interface TokenRequest {
  /** Whom the doubles take the bearer for: the `oid` of the token. */
  readonly principal: string
  /** The audience as it was asked for: `https://vault.azure.net`. */
  readonly resource: string
  /** Milliseconds since the epoch by the real clock; in an hour by default. */
  readonly expiresAt?: number
}

/** The claims of a v1.0 access token (entra/identity-platform/access-token-claims-reference) that a resource looks at. */
export interface Claims {
  readonly aud: string
  readonly iss: string
  /** Seconds since the epoch. */
  readonly iat: number
  readonly nbf: number
  readonly exp: number
  readonly appid: string
  readonly oid: string
  readonly tid: string
}

/** Hands out the doubles' tokens without any network, in the place of a credential of @azure/identity. */
export function azureCredential(principal: string, lifetimeMs = HOUR_MS): TokenCredential {
  return {
    getToken: async (scopes) => {
      const [scope = ''] = [scopes].flat()
      const resource = scope.replace(/\/\.default$/, '')
      const token = azureToken({ principal, resource, expiresAt: Date.now() + lifetimeMs })
      return { token, expiresOnTimestamp: (claimsOf(token)?.exp ?? 0) * 1000, tokenType: 'Bearer' }
    }
  }
}

/** A token as Entra makes them, but signed by the doubles. */
export function azureToken({ principal, resource, expiresAt = Date.now() + HOUR_MS }: TokenRequest): string {
  const issued = Math.floor(Date.now() / 1000)
  const claims: Claims = {
    aud: resource,
    iss: `https://sts.windows.net/${TENANT}/`,
    iat: issued,
    nbf: issued,
    exp: Math.floor(expiresAt / 1000),
    appid: principal,
    oid: principal,
    tid: TENANT
  }
  const signed = `${part({ typ: 'JWT', alg: 'HS256' })}.${part(claims)}`
  return `${signed}.${signature(signed)}`
}

/** What a token says, if the doubles signed it; whether it has expired, and for whom it is, is the caller's question. */
export function claimsOf(token: string): Claims | undefined {
  const [head = '', body = '', sign = ''] = token.split('.')
  const expected = Buffer.from(signature(`${head}.${body}`))
  const given = Buffer.from(sign)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
  return JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
}

/** Whom a token names, if it is genuine, for exactly this resource, and not expired by the real clock. */
export function principalOf(token: string, resource: string): string | undefined {
  const claims = claimsOf(token)
  return claims?.aud === resource && claims.exp * 1000 > Date.now() ? claims.oid : undefined
}

const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url')
// The same in every process of a test: a function in a process of its own can be given a token that the double accepts.
const signature = (text: string): string => createHmac('sha256', 'the doubles of Azure').update(text).digest('base64url')
