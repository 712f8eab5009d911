import type { TokenCredential } from '@azure/core-auth'
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  decompressResponsePolicyName,
  type HttpClient,
  type PipelineOptions,
  type PipelinePolicy,
  type PipelineRequest,
  type PipelineResponse
} from '@azure/core-rest-pipeline'
import { SecretClient, type SecretClientOptions } from '@azure/keyvault-secrets'
import { KeyturnError } from '../errors.ts'
import { isLoopback } from '../loopback.ts'
import { type Instant, instant, instantIn } from '../types.ts'

/** Pinned, so that a newer SDK asks for nothing that a sovereign cloud does not have yet. */
const SERVICE_VERSION = '7.6'
const STORAGE_VERSION = '2021-12-02'
const RETRIES = { maxRetries: 3, retryDelayInMs: 500, maxRetryDelayInMs: 8_000 }

export type JournalClientOptions = PipelineOptions & { readonly httpClient?: HttpClient }

/** A service's clock, as far as its last answer showed it: the Date header, in whole seconds (RFC 9110, 6.6.1). */
export interface Clock {
  readonly now: () => Instant
  readonly note: (date: string | undefined) => void
}

export function clockOf(now: () => number): Clock {
  let last: Instant | undefined
  return {
    now: () => last ?? instant(now()),
    note: (date) => {
      last = instantIn(date)
    }
  }
}

/**
 * The genuine client. One, for reads and writes: each has to be challenged once (key-vault/general/authentication-requests-
 * and-responses). Its first request must have no body: keyVaultAuthenticationPolicy (keyvault-common 2.1) loses the body of
 * a first request beside which another one is challenged. Every call of this store begins with a read.
 */
export function vaultClient(
  vault: URL,
  credential: TokenCredential,
  options: SecretClientOptions,
  requestTimeoutMs: number,
  clock: Clock
): SecretClient {
  const retryOptions = { ...RETRIES, ...options.retryOptions }
  const policy = careful({ requestTimeoutMs, pauseMs: retryOptions.retryDelayInMs, clock })
  return new SecretClient(vault.origin, credential, {
    serviceVersion: SERVICE_VERSION,
    // A vault names the resource that its tokens are for, and the SDK compares that with the vault's own name. A server on this
    // machine, which can only be a test's, has none; it is trusted by its certificate like any other.
    disableChallengeResourceVerification: isLoopback(vault),
    ...options,
    retryOptions,
    additionalPolicies: [...(options.additionalPolicies ?? []), { policy, position: 'perRetry' }]
  })
}

export type Send = (request: PipelineRequest) => Promise<PipelineResponse>

/** Azure Storage by the same pipeline: its own client is 470 kB, and four calls are needed. */
export function storageClient(
  credential: TokenCredential,
  { httpClient = createDefaultHttpClient(), ...options }: JournalClientOptions,
  requestTimeoutMs: number,
  clock: Clock
): Send {
  const retryOptions = { ...RETRIES, ...options.retryOptions }
  const pipeline = createPipelineFromOptions({ ...options, retryOptions })
  // A blob is read as it lies there, whatever Content-Encoding somebody gave it.
  pipeline.removePolicy({ name: decompressResponsePolicyName })
  // Any account's tokens: rest/api/storageservices/authorize-with-azure-active-directory.
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: 'https://storage.azure.com/.default' }))
  pipeline.addPolicy(careful({ requestTimeoutMs, pauseMs: retryOptions.retryDelayInMs, clock }), { afterPhase: 'Sign' })
  return (request) => {
    request.headers.set('x-ms-version', STORAGE_VERSION)
    return pipeline.sendRequest(httpClient, request)
  }
}

/**
 * Inside the SDK's own retry: a request has its time, also the pages of a list, to which the SDK passes no options; a write
 * that was not answered is not sent again, because it may have been done; one that was throttled was not done
 * (overview-throttling), and is sent again after a pause, also where the service names none, which the SDK asks for.
 */
function careful(pace: { readonly requestTimeoutMs: number; readonly pauseMs: number; readonly clock: Clock }): PipelinePolicy {
  const throttled = new WeakMap<PipelineRequest, number>()
  return {
    name: 'keyturn',
    sendRequest: async (request, next) => {
      request.timeout = pace.requestTimeoutMs
      const isWrite = !['GET', 'HEAD'].includes(request.method)
      const answer = await next(request).catch((e: unknown) => {
        throw isWrite && isSilence(e) ? lost(e.name) : e
      })
      pace.clock.note(answer.headers.get('date'))
      if (isWrite && (answer.status >= 500 || answer.status === 408)) throw lost(String(answer.status))
      if (answer.status === 429 && !answer.headers.has('retry-after')) {
        const before = throttled.get(request) ?? 0
        throttled.set(request, before + 1)
        answer.headers.set('retry-after-ms', pace.pauseMs * 2 ** before)
      }
      return answer
    }
  }
}

const isSilence = (e: unknown): e is Error => e instanceof Error && ['RestError', 'AbortError'].includes(e.name)
const lost = (vendor: string): KeyturnError =>
  new KeyturnError('unavailable/store', 'a write had no answer, or none that tells', vendor)
