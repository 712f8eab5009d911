import { setTimeout } from 'node:timers/promises'
import type { IAMClient, IAMClientConfig } from '@aws-sdk/client-iam'
import { hasCode, KeyturnError } from '../errors.ts'
import { isLoopback } from '../loopback.ts'
import { type Instant, instant, instantIn } from '../types.ts'
import { neverSent } from '../wire.ts'
import { CLOCK_CODES, iamError, vendorOf } from './aws-iam-errors.ts'

export interface IamSettings {
  /** The function's own. IAM is one for all regions of a partition, and the SDK finds its endpoint by this. */
  readonly region: string
  /** For a proxy or a test. */
  readonly iamEndpoint?: string | undefined
  /** Default: the environment's, as the SDK finds them. */
  readonly credentials?: IAMClientConfig['credentials'] | undefined
  /** How long one request may take; a write that takes longer is lost. Default 10 s. */
  readonly requestTimeoutMs?: number | undefined
  /** Before each repeat. Default 300 and 1200 ms, a part of it by chance. */
  readonly pausesMs?: readonly number[] | undefined
  /** The clock where an answer has no Date header. */
  readonly now?: (() => number) | undefined
}

export interface Asking<T> {
  /** The operation's name, which is the permission's too. */
  readonly op: string
  readonly user: string
  /** Whether it may be sent again after a lost answer. */
  readonly isRepeatable: boolean
  readonly send: (client: IAMClient, options: { readonly abortSignal: AbortSignal }) => Promise<T>
}

/** One call of IAM, and the time by IAM's clock. Throws KeyturnError. */
export type Iam = <T extends object>(asking: Asking<T>, signal: AbortSignal) => Promise<{ found: T; at: Instant }>

const PAUSES_MS = [300, 1_200]

/**
 * The SDK's client is made at the first call: its code is big, and a run that finds nothing to do needs none of it. Throws
 * `invalid/config` for an endpoint over which a new key must not come.
 */
export function iam(settings: IamSettings): Iam {
  const { pausesMs = PAUSES_MS, now = Date.now, iamEndpoint } = settings
  if (iamEndpoint !== undefined && !isSafe(iamEndpoint))
    throw new KeyturnError('invalid/config', 'the endpoint of AWS IAM must be https:// and a host')
  const dates = new WeakMap<object, Instant>()
  let client: Promise<IAMClient> | undefined
  return async (asking, signal) => {
    client ??= made(settings, dates)
    const connected = await client
    for (let attempt = 0; ; attempt++) {
      const { answer, error, again } = await once(connected, asking, signal)
      if (answer) return { found: answer, at: dates.get(answer) ?? instant(now()) }
      const pauseMs = pausesMs[attempt]
      if (pauseMs === undefined || !again || signal.aborted) throw error
      await setTimeout(pauseMs * (0.75 + Math.random() / 2), undefined, { signal }).catch(() => {
        throw error
      })
    }
  }
}

/** Without TLS to this machine only, where a proxy or a test is. */
function isSafe(endpoint: string): boolean {
  if (!URL.canParse(endpoint) || !/^https?:\/\/[^/@?#]+\/?$/.test(endpoint)) return false
  const url = new URL(endpoint)
  return url.protocol === 'https:' || isLoopback(url)
}

interface Attempt<T> {
  readonly answer?: T
  readonly error?: KeyturnError
  /** Whether the same may be sent again. */
  readonly again?: boolean
}

async function once<T>(client: IAMClient, { op, user, isRepeatable, send }: Asking<T>, signal: AbortSignal): Promise<Attempt<T>> {
  try {
    return { answer: await send(client, { abortSignal: signal }) }
  } catch (e) {
    const error = iamError(e, op, user)
    return { error, again: wasNotDone(e, error) || (isRepeatable && hasCode(error, 'unavailable/provider')) }
  }
}

/** What never arrived, and what AWS refused before it did anything: too many requests, or a clock that the SDK has set since. */
function wasNotDone(e: unknown, error: KeyturnError): boolean {
  if (hasCode(error, 'throttled/provider') || neverSent(error)) return true
  const { $metadata } = e as { $metadata?: { clockSkewCorrected?: true } }
  // The SDK sets the clock after any error, a lost effect too (AwsSdkSigV4Signer.errorHandler): so the code is asked as well.
  return $metadata?.clockSkewCorrected === true && CLOCK_CODES.includes(vendorOf(e))
}

/** The SDK does not repeat: CreateAccessKey has no token by which a repeat could be told, and would make another key. */
async function made(settings: IamSettings, dates: WeakMap<object, Instant>): Promise<IAMClient> {
  const { IAMClient } = await import('@aws-sdk/client-iam')
  const { region, iamEndpoint, credentials, requestTimeoutMs = 10_000 } = settings
  const client = new IAMClient({
    region,
    ...(iamEndpoint !== undefined && { endpoint: iamEndpoint }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: 1,
    // @smithy/types, NodeHttpHandlerOptions: requestTimeout alone only warns.
    requestHandler: { connectionTimeout: 2_000, requestTimeout: requestTimeoutMs, throwOnRequestTimeout: true }
  })
  // The Date header (RFC 9110, 6.6.1) is handed to a middleware only, and the output to one that is around the SDK's own.
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const date = instantIn((result.response as { headers?: Record<string, string> }).headers?.date)
      if (date !== undefined) dates.set(result.output as object, date)
      return result
    },
    { step: 'deserialize', name: 'keyturnDate', priority: 'high' }
  )
  return client
}
