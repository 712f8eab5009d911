import { awsEndpoint } from '../aws-region.ts'
import { inLowerCase, signedHeaders } from '../aws-signature.ts'
import { KeyturnError } from '../errors.ts'
import { type ApiAnswer, type CallSettings, providerApi } from '../provider-api.ts'
import { instantIn } from '../types.ts'
import type { IamKey } from './aws-iam-document.ts'
import { CLOCK_CODES, codeOf } from './aws-iam-errors.ts'
import type { Called } from './minted-provider.ts'

export interface IdentitySettings extends CallSettings {
  readonly region: string
  /** Default: STS of the region. */
  readonly stsEndpoint?: string | undefined
}

/** API_GetCallerIdentity: "No permissions are required", not even where a policy denies it: what every key may call. */
const BODY = 'Action=GetCallerIdentity&Version=2011-06-15'

/** A signature is taken for five minutes around AWS's clock (reference_sigv.html); STS takes older ones too. */
const MOST_SKEW_MS = 60_000

/**
 * Codes by which AWS says that these two, id and secret, are no credential (STS CommonErrors): InvalidClientTokenId for an id that
 * is unknown, deleted or inactive; SignatureDoesNotMatch for another secret than the id's, once the clock is out of the question.
 */
const DEAD = ['InvalidClientTokenId', 'SignatureDoesNotMatch']

/** Calls STS with the key itself. Throws `invalid/config`. */
export function identityCall(settings: IdentitySettings): (key: IamKey, signal: AbortSignal) => Promise<Called> {
  const { region, now = Date.now } = settings
  const endpoint = new URL(endpointOf(settings))
  const api = providerApi({ ...settings, peer: 'AWS STS', endpoint: endpoint.origin })
  let aheadMs = 0
  const ask = async (key: IamKey, signal: AbortSignal): Promise<{ answer: ApiAnswer; skewMs: number | undefined }> => {
    const signedAt = now() + aheadMs
    const headers = await signed(endpoint.host, region, key, signedAt)
    const answer = await api({ method: 'POST', path: '/', body: BODY, headers, repeatable: true }, signal)
    const date = instantIn(answer.header('date'))
    return { answer, skewMs: date && date - signedAt }
  }
  return async (key, signal) => {
    const { answer, skewMs } = await ask(key, signal)
    if (skewMs === undefined || Math.abs(skewMs) <= MOST_SKEW_MS || !CLOCK_CODES.includes(codeIn(answer)))
      return calledOf(answer, skewMs, endpoint.host)
    // A signature by a wrong clock proves nothing of the key: it is signed once more, by AWS's own time.
    aheadMs = answer.date - now()
    const again = await ask(key, signal)
    return calledOf(again.answer, again.skewMs, endpoint.host)
  }
}

function calledOf(answer: ApiAnswer, skewMs: number | undefined, endpoint: string): Called {
  if (answer.status === 200 && arnIn(answer.json) !== undefined) return { state: 'alive' }
  const code = codeIn(answer)
  const vendorCode = codeOf(code, answer.status)
  if (vendorCode === 'throttled/provider') throw new KeyturnError(vendorCode, 'AWS STS asked to slow down', code)
  const isClockWrong = skewMs === undefined || Math.abs(skewMs) > MOST_SKEW_MS
  if (answer.status === 403 && DEAD.includes(code) && !(isClockWrong && CLOCK_CODES.includes(code)))
    return { state: 'dead', code, endpoint, at: answer.date }
  // Of an endpoint policy (VPC): who is denied has been known before.
  if (answer.status === 403 && code === 'AccessDenied') return { state: 'alive' }
  return { state: 'cannot-tell', why: `AWS STS answered ${answer.status} ${code || 'without a code of AWS’s'}` }
}

/**
 * STS answers in JSON who accepts no other form: `GetCallerIdentityResponse.GetCallerIdentityResult`, and `Error.Code`
 * (kubernetes-sigs/aws-iam-authenticator, pkg/token/token.go, by which EKS lets people in; the API reference shows XML only).
 */
const arnIn = (json: unknown): string | undefined => {
  const arn = at(json, 'GetCallerIdentityResponse', 'GetCallerIdentityResult', 'Arn')
  return typeof arn === 'string' ? arn : undefined
}

function codeIn({ json }: ApiAnswer): string {
  const code = at(json, 'Error', 'Code')
  return typeof code === 'string' && /^[A-Za-z.]{1,64}$/.test(code) ? code.replace(/Exception$/, '') : ''
}

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce((v, name) => (typeof v === 'object' && v !== null ? (v as Record<string, unknown>)[name] : undefined), value)

async function signed(host: string, region: string, key: IamKey, atMs: number): Promise<Readonly<Record<string, string>>> {
  const date = new Date(atMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, '')
  const credentials = { accessKeyId: key.principal, secretAccessKey: key.secretAccessKey }
  const headers = await signedHeaders({ service: 'sts', region, host, body: BODY, headers: { 'X-Amz-Date': date } }, credentials)
  // Not signed: the form of the answer is no part of what is asked.
  return { ...inLowerCase(headers), accept: 'application/json' }
}

function endpointOf({ region, stsEndpoint }: IdentitySettings): string {
  const ofRegion = awsEndpoint('sts', region)
  if (stsEndpoint !== undefined && !(URL.canParse(stsEndpoint) && /^https?:\/\/[^/@?#]+\/?$/.test(stsEndpoint)))
    throw new KeyturnError('invalid/config', 'the endpoint of AWS STS must be https:// and a host')
  return stsEndpoint ?? ofRegion
}
