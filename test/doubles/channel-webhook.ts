import { randomBytes } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { type WebhookSettings, webhook } from '../../shared/notifiers/webhook.ts'
import { SecretText } from '../../shared/types.ts'
import { type Arrived, type ChannelHarness, sinceLast } from '../conformance/notifier-harness.ts'
import { localIdentity, sharedAuthority } from '../servers/certificates.ts'
import { readable } from './channel-queue.ts'
import { startHttpProxy } from './http-proxy.ts'
import { type ProviderAnswer, type ProviderRequest, startProvider } from './provider-double.ts'

/** spec/standard-webhooks.md, “Payload size”: “usually smaller than 20kb”. */
const MOST_BYTES = 20_000

export interface WebhookHarness extends ChannelHarness {
  readonly settings: WebhookSettings
  /** Which secret the receiver knows from now on. */
  knows(secret: string): void
  /** The request that was taken last. */
  last(): ProviderRequest | undefined
}

export const newSecret = (bytes = 32): string => `whsec_${randomBytes(bytes).toString('base64')}`

/**
 * A receiver that checks with the specification’s own library (npm standardwebhooks), and answers as “Delivery success and
 * failure” says: 410 where it is not interested, 401 for a signature that it does not know.
 */
export async function startWebhook(): Promise<WebhookHarness> {
  const secret = newSecret()
  const kept: ProviderRequest[] = []
  const fresh = sinceLast(kept)
  let known = secret
  const answer = (request: ProviderRequest): ProviderAnswer => {
    if (!isGenuine(request, known)) return { status: 401, body: { error: 'in words' } }
    kept.push(request)
    return { status: 204 }
  }
  const double = await startProvider({
    routes: [{ op: 'notice', method: 'POST', path: /^\/hooks\/planted-path$/, answer }],
    unknown: { status: 410, body: { error: 'in words' } },
    tls: await localIdentity()
  })
  const { caPem } = await sharedAuthority()
  const proxy = await startHttpProxy(double.url, { tls: { ...(await localIdentity()), caPem } })
  const { host } = new URL(proxy.url)
  const urlOf = (path: string) => new SecretText(`https://${host}/hooks/${path}?sig=planted-query`)
  const settings = { place: 'TEAM_HOOK', secrets: [new SecretText(secret)], allowPrivate: true, ca: caPem }
  const own = { ...settings, url: urlOf('planted-path') }
  return {
    settings: own,
    make: (pace) => webhook({ ...own, ...pace }),
    missing: webhook({ ...settings, url: urlOf('planted-other') }),
    arrived: async () => fresh().map(arrivedIn),
    last: () => kept.at(-1),
    knows: (other) => {
      known = other
    },
    ...{ most: MOST_BYTES, trusts200: true, shows: (line) => line, proxy, needs: /knows the secret/ },
    refusals: {
      denied: { status: 403, body: 'in words' },
      throttled: { status: 429, body: 'in words' },
      rejected: { status: 422, body: 'in words' }
    },
    // The host too: a receiver’s address is its own business.
    secrets: [secret, secret.slice(6), host, 'planted-path', 'planted-other', 'planted-query'],
    stop: async () => {
      await proxy.close()
      await double.close()
    }
  }
}

function isGenuine({ headers, text }: ProviderRequest, secret: string): boolean {
  try {
    new Webhook(secret).verify(text, headers as Record<string, string>)
    return headers['content-type'] === 'application/json'
  } catch {
    return false
  }
}

function arrivedIn({ headers, json, text }: ProviderRequest): Arrived {
  return { id: String(headers['webhook-id']), text: readable(json.data), size: Buffer.byteLength(text) }
}
