import { randomBytes } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type IdTokenClaims, type Signer, type Signing, signing } from './google-tokens.ts'

export type { IdTokenClaims, Signer }

export interface GoogleMetadataOptions {
  /** Default `keyturn-test`. */
  readonly projectId?: string
  /** Default 123456789012. */
  readonly projectNumber?: string
  /** The e-mail address of the default service account. Default `keyturn@<project>.iam.gserviceaccount.com`. */
  readonly email?: string
  /** Milliseconds since the epoch. google-auth-library judges ID tokens by the clock of the machine, not by this one. */
  readonly now?: () => number
  /** Called with each access token before it is answered: give it to `GoogleSecretsDouble.accept`. */
  readonly issued?: (token: string, email: string, expiresAt: number) => void
}

export interface GoogleMetadataDouble {
  /** `host:port`, for GCE_METADATA_HOST. */
  readonly host: string
  readonly url: string
  /** `endpoints` for OAuth2Client: where the certificates of the ID tokens are. */
  readonly endpoints: {
    readonly oauth2FederatedSignonPemCertsUrl: string
    readonly oauth2FederatedSignonJwkCertsUrl: string
  }
  /** Every request, with its query. */
  readonly calls: readonly { readonly path: string }[]
  /** An ID token as Cloud Scheduler sends it, with these claims in place of the ordinary ones. */
  idToken(claims?: IdTokenClaims, signer?: Signer): string
  close(): Promise<void>
}

interface Account {
  readonly projectId: string
  readonly projectNumber: string
  readonly email: string
  readonly now: () => number
}

/**
 * A double of the metadata server of Cloud Run (docs.cloud.google.com/run/docs/container-contract#metadata-server) and of
 * Google's signing certificates, on 127.0.0.1.
 */
export async function startGoogleMetadata(options: GoogleMetadataOptions = {}): Promise<GoogleMetadataDouble> {
  const { projectId = 'keyturn-test', projectNumber = '123456789012', now = Date.now } = options
  const account: Account = {
    projectId,
    projectNumber,
    now,
    email: options.email ?? `keyturn@${projectId}.iam.gserviceaccount.com`
  }
  const keys = await signing(now)
  const tokens = accessTokens(account, options.issued ?? (() => {}))
  const calls: { path: string }[] = []
  const server = createServer((request, response) => {
    calls.push({ path: request.url ?? '/' })
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    send(response, certificatesAt(keys, url.pathname) ?? metadata(account, keys, tokens, url, request.headers))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    url: `http://${host}`,
    endpoints: {
      oauth2FederatedSignonPemCertsUrl: `http://${host}/oauth2/v1/certs`,
      oauth2FederatedSignonJwkCertsUrl: `http://${host}/oauth2/v3/certs`
    },
    calls,
    idToken: (claims = {}, signer = 'google') => keys.idToken({ ...ordinary(account), ...claims }, signer),
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    }
  }
}

function certificatesAt(keys: Signing, path: string): Answer | undefined {
  const body = { '/oauth2/v1/certs': keys.pemCertificates, '/oauth2/v3/certs': keys.jwks }[path]
  return body && { status: 200, body, headers: { 'Cache-Control': 'public, max-age=19845' } }
}

/** docs.cloud.google.com/docs/authentication/token-types#id: the claims, and an hour to live. */
const ordinary = ({ projectId, now }: Account): IdTokenClaims => {
  const iat = Math.floor(now() / 1000)
  return {
    aud: 'https://keyturn.example.run.app',
    azp: '107517467455664443765',
    email: `scheduler@${projectId}.iam.gserviceaccount.com`,
    email_verified: true,
    exp: iat + 3600,
    iat,
    iss: 'https://accounts.google.com',
    sub: '107517467455664443765'
  }
}

type Tokens = () => { readonly access_token: string; readonly expires_in: number; readonly token_type: 'Bearer' }

/**
 * docs.cloud.google.com/compute/docs/access/authenticate-workloads: the server "caches access tokens until five minutes
 * before expiration".
 */
function accessTokens({ email, now }: Account, issued: NonNullable<GoogleMetadataOptions['issued']>): Tokens {
  let held = { token: '', expiresAt: 0 }
  return () => {
    if (held.expiresAt - now() < 300_000) {
      held = { token: `ya29.c.${randomBytes(32).toString('base64url')}`, expiresAt: now() + 3_600_000 }
      issued(held.token, email, held.expiresAt)
    }
    const expires_in = Math.floor((held.expiresAt - now()) / 1000)
    return { access_token: held.token, expires_in, token_type: 'Bearer' }
  }
}

interface Answer {
  readonly status: number
  readonly body: string | object
  readonly headers?: Readonly<Record<string, string>>
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'application/text' : 'application/json'
  response.writeHead(status, { 'Content-Type': type, ...headers })
  response.end(text)
}

/**
 * docs.cloud.google.com/compute/docs/metadata/querying-metadata: without `Metadata-Flavor: Google`, or with
 * X-Forwarded-For, a request is refused; every answer has the header too, which clients check.
 */
function metadata(account: Account, keys: Signing, tokens: Tokens, url: URL, sent: IncomingHttpHeaders): Answer {
  const headers = { 'Metadata-Flavor': 'Google', Server: 'Metadata Server for Serverless' }
  const answer = (status: number, body: string | object): Answer => ({ status, body, headers })
  if (sent['metadata-flavor'] !== 'Google') return answer(403, 'Missing Metadata-Flavor:Google header.')
  if (sent['x-forwarded-for'] !== undefined) return answer(403, 'X-Forwarded-For is not allowed.')
  const key = url.pathname.replace(/^\/computeMetadata\/v1/, '').replace(/\/$/, '')
  const own = key.replace(`/instance/service-accounts/${account.email}`, '/instance/service-accounts/default')
  if (own !== '/instance/service-accounts/default/identity') {
    const value = valueAt(account, tokens, own)
    return value === undefined ? answer(404, 'Not found.') : answer(200, value)
  }
  const audience = url.searchParams.get('audience')
  if (!audience) return answer(400, 'non-empty audience parameter required')
  return answer(200, identity(account, keys, audience, url.searchParams.get('format') === 'full'))
}

/** docs.cloud.google.com/compute/docs/instances/verifying-instance-identity: the e-mail address only with format=full. */
function identity(account: Account, keys: Signing, aud: string, full: boolean): string {
  const { email, email_verified, ...claims } = ordinary(account)
  return keys.idToken({ ...claims, aud, ...(full && { email: account.email, email_verified }) }, 'google')
}

function valueAt(account: Account, tokens: Tokens, key: string): string | object | undefined {
  const values: Readonly<Record<string, () => string | object>> = {
    '': () => 'instance/\nproject/\nuniverse/\n',
    '/project/project-id': () => account.projectId,
    '/project/numeric-project-id': () => account.projectNumber,
    '/universe/universe-domain': () => 'googleapis.com',
    '/instance': () => 'id\nregion\nservice-accounts/\nzone\n',
    '/instance/id': () => '00f8a1b2c3',
    '/instance/region': () => `projects/${account.projectNumber}/regions/europe-west1`,
    '/instance/zone': () => `projects/${account.projectNumber}/zones/europe-west1-1`,
    '/instance/service-accounts': () => `default/\n${account.email}/\n`,
    '/instance/service-accounts/default': () => 'aliases\nemail\nidentity\nscopes\ntoken\n',
    '/instance/service-accounts/default/aliases': () => 'default\n',
    '/instance/service-accounts/default/email': () => account.email,
    '/instance/service-accounts/default/scopes': () => 'https://www.googleapis.com/auth/cloud-platform\n',
    '/instance/service-accounts/default/token': tokens
  }
  return values[key]?.()
}
