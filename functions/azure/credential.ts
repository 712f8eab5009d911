import { setTimeout } from 'node:timers/promises'
import type { AccessToken, TokenCredential } from '@azure/core-auth'
import { createDefaultHttpClient, createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline'
import * as v from 'valibot'
import { type Code, KeyturnError } from '../../shared/errors.ts'
import { jsonIn } from '../../shared/json-in.ts'
import type { SecretText } from '../../shared/types.ts'
import { unlessAborted } from '../../shared/unless-aborted.ts'

export interface ManagedIdentitySettings {
  /** IDENTITY_ENDPOINT: the token endpoint that the host runs for this app. */
  readonly endpoint: string
  /** IDENTITY_HEADER: what proves to it that the app asks. */
  readonly header: SecretText
  /** Of a user-assigned identity; the system-assigned one without it. */
  readonly clientId: string | undefined
  /** Before the second and the third try: the endpoint starts with the host, and may not listen when the first event comes. */
  readonly pausesMs?: readonly number[]
}

/**
 * The app's managed identity, by the protocol of App Service and Functions (app-service/overview-managed-identity, "REST
 * endpoint reference"). A token is kept until five minutes before its end. Throws `invalid/config` where the app has no such
 * identity, `denied/store`, `throttled/store`, `unavailable/store`.
 *
 * Not ManagedIdentityCredential: in a file of its own it is 438 kB of MSAL around one GET. The bundle would be 1,110 kB and not
 * 674, and the first event of every process would wait 31 ms longer, until it is loaded.
 */
export function managedIdentity(settings: ManagedIdentitySettings): TokenCredential {
  const tokens = new Map<string, AccessToken>()
  const asking = new Map<string, Promise<AccessToken>>()
  const renew = async (resource: string): Promise<AccessToken> => {
    try {
      const token = await ask(settings, resource)
      tokens.set(resource, token)
      return token
    } finally {
      asking.delete(resource)
    }
  }
  return {
    async getToken(scopes, options) {
      // The SDKs name a scope of the resource; the endpoint takes the resource.
      const resource = [scopes]
        .flat()
        .join(' ')
        .replace(/\/\.default$/, '')
      const kept = tokens.get(resource)
      if (kept && livesFor(kept, RENEW_BEFORE_MS)) return kept
      // Whoever asks meanwhile waits for the same answer: it has a time limit of its own, not that of one caller's signal.
      const answer = asking.get(resource) ?? renew(resource)
      asking.set(resource, answer)
      try {
        return await unlessAborted(answer, options?.abortSignal, timeIsOver)
      } catch (e) {
        if (kept && livesFor(kept, 0)) return kept
        throw e
      }
    }
  }
}

const timeIsOver = (): KeyturnError => new KeyturnError('unavailable/deadline', 'no token in the time that was left')

const RENEW_BEFORE_MS = 300_000
const livesFor = ({ expiresOnTimestamp }: AccessToken, ms: number): boolean => Date.now() + ms < expiresOnTimestamp

const PAUSES_MS = [200, 800]

async function ask(settings: ManagedIdentitySettings, resource: string): Promise<AccessToken> {
  for (const pauseMs of settings.pausesMs ?? PAUSES_MS) {
    try {
      return await askOnce(settings, resource)
    } catch (e) {
      if (!(e instanceof KeyturnError) || !e.retryable) throw e
      await setTimeout(pauseMs)
    }
  }
  return askOnce(settings, resource)
}

const REQUEST_TIMEOUT_MS = 5_000

async function askOnce({ endpoint, header, clientId }: ManagedIdentitySettings, resource: string): Promise<AccessToken> {
  const url = new URL(endpoint)
  url.searchParams.set('api-version', '2019-08-01')
  url.searchParams.set('resource', resource)
  if (clientId !== undefined) url.searchParams.set('client_id', clientId)
  const request = createPipelineRequest({
    url: url.href,
    headers: createHttpHeaders({ 'X-IDENTITY-HEADER': header.reveal() }),
    timeout: REQUEST_TIMEOUT_MS,
    // The host's own address on this machine, without TLS.
    allowInsecureConnection: true,
    disableKeepAlive: true
  })
  const { status, bodyAsText } = await createDefaultHttpClient()
    .sendRequest(request)
    .catch((e: unknown) => {
      throw new KeyturnError('unavailable/store', 'the managed identity’s endpoint did not answer', codeIn(e))
    })
  if (status !== 200) throw refusal(status)
  return tokenIn(bodyAsText ?? '')
}

const codeIn = (e: unknown): string | undefined =>
  e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : undefined

/** By HTTP's own meaning; of 400 the page shows what it says to an identity that the app does not have. */
const CODES: Readonly<Record<number, readonly [Code, string]>> = {
  400: ['invalid/config', 'the function app does not have the managed identity: assign it, or correct AZURE_CLIENT_ID'],
  401: ['denied/store', 'the managed identity’s endpoint refused this process: restart the function app'],
  403: ['denied/store', 'the managed identity’s endpoint refused this process: restart the function app'],
  429: ['throttled/store', 'the managed identity’s endpoint asked to slow down']
}

function refusal(status: number): KeyturnError {
  const [code, message] = CODES[status] ?? ['unavailable/store', 'the managed identity’s endpoint failed']
  return new KeyturnError(code, message, String(status))
}

/** expires_on: seconds since 1970, as a text. */
const Answer = v.object({
  access_token: v.pipe(v.string(), v.nonEmpty()),
  expires_on: v.pipe(v.union([v.string(), v.number()]), v.transform(Number), v.integer(), v.minValue(1))
})

function tokenIn(text: string): AccessToken {
  const parsed = v.safeParse(Answer, jsonIn(text))
  if (!parsed.success) throw new KeyturnError('unavailable/store', 'the managed identity’s endpoint answered no token')
  return { token: parsed.output.access_token, expiresOnTimestamp: parsed.output.expires_on * 1000, tokenType: 'Bearer' }
}
