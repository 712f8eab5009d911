import { createHmac } from 'node:crypto'
import { KeyturnError } from '../errors.ts'
import { type CallSettings, type ProviderApi, providerApi } from '../provider-api.ts'
import type { StorageDocument } from './azure-storage-document.ts'
import type { Called } from './minted-provider.ts'

export interface BlobSettings extends CallSettings {
  /**
   * Of the account’s blobs, with {account} for its name. Default https://{account}.blob.core.windows.net; other clouds have
   * their own (blob.core.usgovcloudapi.net, blob.core.chinacloudapi.cn).
   */
  readonly blobEndpoint?: string | undefined
}

/** The cheapest that every kind of account with blobs answers: learn.microsoft.com/rest/api/storageservices/list-containers2. */
const QUERY = { comp: 'list', maxresults: '1' }
const VERSION = '2023-11-03'
/** “No older than 15 minutes by the time it reaches the service”: …/rest/api/storageservices/authorize-with-shared-key. */
const SKEW_MS = 10 * 60_000

/** A request that is signed with the key. */
export function blobCall(settings: BlobSettings): (key: StorageDocument, signal: AbortSignal) => Promise<Called> {
  const { blobEndpoint = 'https://{account}.blob.core.windows.net', ...rest } = settings
  const { now = Date.now } = settings
  const apis = new Map<string, ProviderApi>()
  return async (of, signal) => {
    const endpoint = blobEndpoint.replaceAll('{account}', of.account)
    const api = apis.get(of.account) ?? providerApi({ ...rest, peer: 'Azure Storage', endpoint })
    apis.set(of.account, api)
    const sentAt = now()
    const headers = { 'x-ms-date': new Date(sentAt).toUTCString(), 'x-ms-version': VERSION }
    const authorization = signature(of, new URL(endpoint).pathname, headers)
    const path = `/?${new URLSearchParams(QUERY).toString()}`
    const { status, header, date } = await api({ method: 'GET', path, headers: { ...headers, authorization } }, signal)
    // Every answer of Storage's has it: a page of a proxy's is no proof.
    if (status === 200 && header('x-ms-request-id') !== undefined) return { state: 'alive' }
    const code = wordIn(header('x-ms-error-code')) ?? String(status)
    if (code !== 'AuthenticationFailed') return untold(code, of)
    // The same code for a date that is too old.
    if (Math.abs(date - sentAt) > SKEW_MS)
      return {
        state: 'cannot-tell',
        why: 'Azure Storage refuses the request, and this machine’s clock differs from its: set the clock'
      }
    return { state: 'dead', code, endpoint: new URL(endpoint).host, at: date }
  }
}

const wordIn = (text: string | undefined): string | undefined =>
  text !== undefined && /^\w{1,100}$/.test(text) ? text : undefined

/** learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes; that shared keys are off is in shared-key-authorization-prevent. */
function untold(code: string, { account }: StorageDocument): Called {
  if (code === 'KeyBasedAuthenticationNotPermitted')
    throw new KeyturnError(
      'denied/provider-policy',
      `${account} takes no key at all: allowSharedKeyAccess is false. Its consumers sign in with Entra ID; this secret can go`,
      code
    )
  const hint = code === 'AuthorizationFailure' ? ': the account’s firewall does not let this host in' : ''
  return { state: 'cannot-tell', why: `Azure Storage answered ${code}${hint}` }
}

/** Shared Key: learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key. Nothing but the signature is sent. */
function signature({ account, key }: StorageDocument, pathname: string, headers: Readonly<Record<string, string>>): string {
  // Content-Encoding, -Language, -Length, -MD5, -Type, Date, If-Modified-Since, -Match, -None-Match, -Unmodified-Since, Range.
  const standard = Array.from({ length: 11 }, () => '')
  const own = Object.entries(headers)
    .sort()
    .map(([name, value]) => `${name}:${value}`)
  const query = Object.entries(QUERY)
    .sort()
    .map(([name, value]) => `${name}:${value}`)
  const resource = [`/${account}${pathname.replace(/\/$/, '')}/`, ...query]
  const text = ['GET', ...standard, ...own, ...resource].join('\n')
  const signed = createHmac('sha256', Buffer.from(key.reveal(), 'base64')).update(text, 'utf8').digest('base64')
  return `SharedKey ${account}:${signed}`
}
