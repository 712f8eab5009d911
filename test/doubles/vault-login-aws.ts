import { createHash, createHmac } from 'node:crypto'
import { refused } from './vault-refusal.ts'

/** The mount auth/aws, as config/client and its roles of the type iam describe it. */
export interface AwsMount {
  /** sts_endpoint and sts_region (developer.hashicorp.com/vault/api-docs/auth/aws, "Configure client"). */
  readonly stsEndpoint: string
  readonly stsRegion: string
  /** iam_server_id_header_value. */
  readonly serverId?: string
  /** Role → bound_iam_principal_arn. */
  readonly roles: Readonly<Record<string, string>>
  /** What AWS knows: access key id → its key, its session and whose it is. */
  readonly keys: Readonly<Record<string, AwsKey>>
}

export interface AwsKey {
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly arn: string
}

/** A signed request, header names in lower case. */
export interface SignedRequest {
  readonly method: string
  readonly url: URL
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Vault's login of the type iam: decodes the signed request, checks the headers and sends it on to STS
 * (hashicorp/vault, builtin/credential/aws/path_login.go, pathLoginUpdateIam). Throws the refusal.
 */
export function awsLoginOf(mount: AwsMount, body: Readonly<Record<string, unknown>>, now: number): void {
  if (body.iam_http_request_method !== 'POST')
    throw refused(400, "invalid iam_http_request_method; currently only 'POST' is supported")
  const url = urlOf(text(body, 'iam_request_url'))
  const request = {
    method: 'POST',
    url,
    body: text(body, 'iam_request_body'),
    headers: headersOf(text(body, 'iam_request_headers'))
  }
  const strange = Object.keys(request.headers).find((name) => name.startsWith('x-amz-') && !ALLOWED.includes(name))
  if (strange !== undefined) throw refused(400, `invalid request header: ${strange}`)
  if (mount.serverId !== undefined) checkServerId(request.headers, mount.serverId)
  if (url.search !== '') throw refused(400, 'unexpected query in iam_request_url')
  checkBody(request.body)
  const arn = callerIdentity(mount, request, now)
  const role = mount.roles[String(body.role)]
  if (role === undefined) throw refused(400, `entry for role ${body.role} not found`)
  if (role !== arn) throw refused(400, `IAM Principal ${arn} does not belong to the role ${body.role}`)
}

/** The same file, validateLoginIamRequestBody: nothing but GetCallerIdentity is sent on. */
function checkBody(body: string): void {
  const asked = [...new URLSearchParams(body)]
  const expected = asked.every(([name, value]) => name === 'Version' || (name === 'Action' && value === 'GetCallerIdentity'))
  if (!expected || asked.filter(([name]) => name === 'Action').length > 1) throw refused(400, 'iam_request_body: not valid')
}

/** backend.go, defaultAllowedSTSRequestHeaders; only names that begin with X-Amz- are looked at. */
const ALLOWED = [
  'x-amz-algorithm',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
  'x-amz-user-agent'
]

function checkServerId(headers: SignedRequest['headers'], expected: string): void {
  const given = headers['x-vault-aws-iam-server-id']
  if (given === undefined) throw refused(400, 'error validating X-Vault-AWS-IAM-Server-ID header: missing header')
  if (given !== expected) throw refused(400, 'error validating X-Vault-AWS-IAM-Server-ID header: expected another')
  if (!authorizationOf(headers)?.signedHeaders.includes('x-vault-aws-iam-server-id'))
    throw refused(400, "error validating X-Vault-AWS-IAM-Server-ID header: vault header wasn't signed")
}

/** sts:GetCallerIdentity: whose signature it is. Its 403 is a 400 of Vault's. */
function callerIdentity(mount: AwsMount, request: SignedRequest, now: number): string {
  const denied = (why: string) => refused(400, `error making upstream request: received error code 403 from STS: ${why}`)
  const authorization = authorizationOf(request.headers)
  const key = mount.keys[authorization?.accessKeyId ?? '']
  if (!authorization || !key) throw denied('InvalidClientTokenId')
  // Vault sends it to sts_endpoint, with the host that was signed.
  if (request.url.host !== new URL(mount.stsEndpoint).host) throw denied('SignatureDoesNotMatch')
  if (authorization.region !== mount.stsRegion || authorization.service !== 'sts')
    throw denied('SignatureDoesNotMatch: Credential should be scoped to a valid region')
  if (request.headers['x-amz-security-token'] !== key.sessionToken) throw denied('InvalidClientTokenId')
  if (Math.abs(now - timeOf(request.headers['x-amz-date'] ?? '')) > 15 * 60_000) throw denied('RequestExpired')
  if (signatureOf(request, authorization, key.secretAccessKey) !== authorization.signature) throw denied('SignatureDoesNotMatch')
  return key.arn
}

interface Authorization {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/

export function authorizationOf(headers: SignedRequest['headers']): Authorization | undefined {
  const [found, accessKeyId = '', date = '', region = '', service = '', names = '', signature = ''] =
    AUTHORIZATION.exec(headers.authorization ?? '') ?? []
  if (found === undefined) return undefined
  return { accessKeyId, date, region, service, signedHeaders: names.split(';'), signature }
}

/**
 * docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, steps 1 to 4. Undefined where a header
 * that has to be signed is not: the host, and every X-Amz- header that was sent.
 */
export function signatureOf(request: SignedRequest, authorization: Authorization, secretAccessKey: string): string | undefined {
  const { date, region, service, signedHeaders } = authorization
  const own: Readonly<Record<string, string>> = {
    ...request.headers,
    host: request.url.host,
    'content-length': String(Buffer.byteLength(request.body))
  }
  const required = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))]
  if (!required.every((name) => signedHeaders.includes(name))) return undefined
  const query = [...request.url.searchParams].map((pair) => pair.map(percentEncoded).join('=')).sort()
  const canonical = [
    request.method,
    request.url.pathname,
    query.join('&'),
    ...signedHeaders.map((name) => `${name}:${(own[name] ?? '').trim().replaceAll(/ +/g, ' ')}`),
    '',
    signedHeaders.join(';'),
    hash(request.body)
  ].join('\n')
  const scope = `${date}/${region}/${service}/aws4_request`
  const stringToSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'] ?? '', scope, hash(canonical)].join('\n')
  const signingKey = [date, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  return hmac(signingKey, stringToSign).toString('hex')
}

const hash = (value: string): string => createHash('sha256').update(value).digest('hex')
const hmac = (key: string | Buffer, value: string): Buffer => createHmac('sha256', key).update(value).digest()
const percentEncoded = (value: string): string =>
  encodeURIComponent(value).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

const timeOf = (stamp: string): number =>
  Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))

function text(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  if (typeof value !== 'string' || value === '') throw refused(400, `missing ${name}`)
  return Buffer.from(value, 'base64').toString('utf8')
}

function urlOf(value: string): URL {
  if (!URL.canParse(value)) throw refused(400, 'error parsing iam_request_url')
  return new URL(value)
}

/** A value or a list of them a header, in JSON ("iam_request_headers"). */
function headersOf(value: string): SignedRequest['headers'] {
  const given = Object.entries(JSON.parse(value) as Record<string, string | string[]>)
  return Object.fromEntries(given.map(([name, values]) => [name.toLowerCase(), [values].flat().join(',')]))
}
