import { storageQueue } from '../../shared/notifiers/azure-storage-queue.ts'
import { SecretText } from '../../shared/types.ts'
import { type Arrived, type ChannelHarness, sinceLast } from '../conformance/notifier-harness.ts'
import { type Azurite, startAzurite } from '../servers/azurite.ts'
import { localIdentity } from '../servers/certificates.ts'
import { askHttps } from '../servers/cloud-https.ts'
import { azureToken, principalOf } from './azure-credential.ts'
import { startHttpProxy } from './http-proxy.ts'
import { type ProviderAnswer, type ProviderRequest, startProvider } from './provider-double.ts'

/** rest/api/storageservices/put-message, Remarks: 64 KiB, of what is between the tags. */
export const MOST_BYTES = 65_536
const RESOURCE = 'https://storage.azure.com'

/** What Azure Storage answers (status-and-error-codes2): the code is in a header, and in XML. */
const refused = (status: number, code: string): ProviderAnswer & { readonly body: string } => ({
  status,
  headers: { 'content-type': 'application/xml', 'x-ms-error-code': code },
  body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>in words</Message></Error>`
})

const REFUSALS: ChannelHarness['refusals'] = {
  denied: refused(403, 'AuthorizationPermissionMismatch'),
  throttled: refused(429, 'TooManyRequests'),
  rejected: refused(413, 'RequestBodyTooLarge')
}

const COMMON = { most: MOST_BYTES, shows: (line: string) => line, refusals: REFUSALS, needs: /Storage Queue Data Message Sender/ }

/** Put Message (rest/api/storageservices/put-message), for whoever has a token of Azure Storage’s and the role. */
export async function startQueue(): Promise<ChannelHarness> {
  const kept: string[] = []
  const fresh = sinceLast(kept)
  const double = await startProvider({
    routes: [{ op: 'PutMessage', method: 'POST', path: /^\/acme\/([^/]+)\/messages$/, answer: (request) => put(request, kept) }],
    unknown: refused(400, 'InvalidUri')
  })
  const proxy = await startHttpProxy(double.url)
  const secret = azureToken({ principal: 'keyturn', resource: RESOURCE })
  const token = async (resource: string) =>
    new SecretText(resource === RESOURCE ? secret : azureToken({ principal: 'keyturn', resource }))
  return {
    ...COMMON,
    proxy,
    make: (pace) => storageQueue({ url: `${proxy.url}/acme/alerts`, token, ...pace }),
    missing: storageQueue({ url: `${proxy.url}/acme/gone`, token }),
    arrived: async () => fresh().map(arrivedIn),
    secrets: [secret],
    stop: async () => {
      await proxy.close()
      await double.close()
    }
  }
}

function put({ headers, params: [queue], text }: ProviderRequest, kept: string[]): ProviderAnswer {
  const [, token = ''] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? []
  if (!/^20(?:1[7-9]|2\d)-\d\d-\d\d$/.test(String(headers['x-ms-version']))) return refused(400, 'MissingRequiredHeader')
  if (principalOf(token, RESOURCE) !== 'keyturn') return refused(401, 'InvalidAuthenticationInfo')
  if (queue !== 'alerts') return refused(404, 'QueueNotFound')
  const [, message] = /^<QueueMessage><MessageText>([^<>&]*)<\/MessageText><\/QueueMessage>$/.exec(text) ?? []
  if (message === undefined) return refused(400, 'InvalidXmlDocument')
  if (message.length > MOST_BYTES) return refused(413, 'RequestBodyTooLarge')
  kept.push(message)
  return { status: 201, headers: { 'content-type': 'application/xml' }, body: '<QueueMessagesList></QueueMessagesList>' }
}

function arrivedIn(message: string): Arrived {
  const { id, ...rest } = JSON.parse(Buffer.from(message, 'base64').toString()) as { readonly id: string }
  return { id, text: readable(rest), size: message.length }
}

/** A notice’s JSON as a reader may print it: each text on a line of its own. */
export function readable(value: unknown): string {
  if (Array.isArray(value)) return value.map(readable).join('\n')
  if (typeof value === 'object' && value !== null) return Object.values(value).map(readable).join('\n')
  return String(value)
}

/** Azurite’s queues, behind a proxy with the same certificate. */
export async function startAzuriteQueue(): Promise<ChannelHarness> {
  const azurite = await startAzurite()
  const identity = await localIdentity()
  const proxy = await startHttpProxy(azurite.queueUrl, { tls: { ...identity, caPem: azurite.caPem } })
  const { pathname } = new URL(azurite.queueUrl)
  const secret = (await azurite.credential.getToken()).token
  const ask = asker(azurite, secret)
  await ask('PUT', 'alerts')
  const settings = { token: async () => new SecretText(secret), ca: azurite.caPem }
  return {
    ...COMMON,
    proxy,
    make: (pace) => storageQueue({ url: `${proxy.url}${pathname}/alerts`, ...settings, ...pace }),
    missing: storageQueue({ url: `${proxy.url}${pathname}/gone`, ...settings }),
    arrived: async () => {
      const xml = await ask('GET', 'alerts/messages?numofmessages=32&visibilitytimeout=600')
      return [...xml.matchAll(/<MessageText>([^<]*)<\/MessageText>/g)].map(([, message = '']) => arrivedIn(message))
    },
    secrets: [secret],
    stop: async () => {
      await proxy.close()
      await azurite.close()
    }
  }
}

const asker =
  ({ queueUrl, caPem }: Azurite, token: string) =>
  async (method: string, path: string) => {
    const headers = { authorization: `Bearer ${token}`, 'x-ms-version': '2021-12-02' }
    const answer = await askHttps({ method, url: `${queueUrl}/${path}`, headers, caPem })
    if (answer.status >= 300) throw new Error(`Azurite answered ${answer.status} to ${method} ${path}`)
    return answer.text
  }
