import { createHmac } from 'node:crypto'
import type { KeyShelf } from './key-shelf.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'
import type { StorageState } from './storage-management-state.ts'

/**
 * The blob endpoint of an account, as far as a request that a key signs: learn.microsoft.com/rest/api/storageservices/
 * authorize-with-shared-key. Azurite, which is Microsoft’s own, takes the same signature (azure-storage-call.test.ts).
 */
export function listContainers({ shelf, controls }: StorageState, request: ProviderRequest): ProviderAnswer {
  const { params, headers, url, now } = request
  const account = params[0] ?? ''
  controls.seen.push(url.href, headers.authorization ?? '')
  if (!headers['x-ms-version']) return refusal(400, 'MissingRequiredHeader')
  if (!controls.letsIn) return refusal(403, 'AuthorizationFailure')
  const [, named, signature] = /^SharedKey ([^:]+):(.+)$/.exec(headers.authorization ?? '') ?? []
  if (named !== account || signature === undefined) return refusal(401, 'NoAuthenticationInformation')
  if (!controls.takesKeys) return refusal(403, 'KeyBasedAuthenticationNotPermitted')
  // “No older than 15 minutes by the time it reaches the service.”
  const isOld = Math.abs(now - Date.parse(String(headers['x-ms-date']))) > 15 * 60_000
  const text = textToSign(request, account)
  const value = isOld ? undefined : valuesOf(shelf, account).find((one) => signed(text, one) === signature)
  const { standing } = shelf.call(value ?? '')
  if (standing !== 'alive') return refusal(403, 'AuthenticationFailed')
  if (url.searchParams.get('comp') !== 'list') return refusal(400, 'InvalidQueryParameterValue')
  return xml(200, '<EnumerationResults><Containers /><NextMarker /></EnumerationResults>')
}

/** Every value that a key of the account has or had. */
function valuesOf(shelf: KeyShelf, account: string): readonly string[] {
  const all = JSON.parse(shelf.snapshot(account)) as readonly { readonly value: string }[]
  return all.map(({ value }) => value)
}

const signed = (text: string, key: string): string =>
  createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest('base64')

/** Written from the page alone, by the request as it came in. */
function textToSign({ headers, url }: ProviderRequest, account: string): string {
  const standard = [
    ...['content-encoding', 'content-language', 'content-length', 'content-md5', 'content-type', 'date'],
    ...['if-modified-since', 'if-match', 'if-none-match', 'if-unmodified-since', 'range']
  ].map((name) => String(headers[name] ?? ''))
  const own = Object.keys(headers)
    .filter((name) => name.startsWith('x-ms-'))
    .sort()
    .map((name) => `${name}:${String(headers[name])}\n`)
  const query = [...url.searchParams.keys()].sort().map((name) => `\n${name}:${url.searchParams.getAll(name).sort().join(',')}`)
  return `GET\n${standard.join('\n')}\n${own.join('')}/${account}${url.pathname}${query.join('')}`
}

/** learn.microsoft.com/rest/api/storageservices/status-and-error-codes2: the code is in the header, and in the body’s XML. */
const refusal = (status: number, code: string): ProviderAnswer =>
  xml(status, `<Error><Code>${code}</Code><Message>Server failed.</Message></Error>`, { 'x-ms-error-code': code })

const xml = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): ProviderAnswer => ({
  status,
  body: `\uFEFF<?xml version="1.0" encoding="utf-8"?>${body}`,
  headers: { 'Content-Type': 'application/xml', 'x-ms-request-id': '9bd88eec-0001-0001-76dd-a410e0000000', ...headers }
})
