import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import type { Consumer, Consumers, News } from '../../shared/ports/consumers.ts'
import {
  type FaultHook,
  type ProviderAnswer,
  type ProviderDouble,
  type ProviderDoubleOptions,
  type ProviderRequest,
  startProvider
} from './provider-double.ts'

export const NEWS: News = { secret: 'orders-db', version: '7f3a9c' }
/** What authorizes: it must be in the header that it belongs in, and nowhere else. */
export const TOKEN = 'planted-token-5b21e0'
export const soon = (): AbortSignal => AbortSignal.timeout(30_000)

export type SeenDouble = ProviderDouble & { readonly seen: readonly ProviderRequest[] }

/** A double that keeps what it was asked. */
export async function startSeen({ routes, ...rest }: ProviderDoubleOptions): Promise<SeenDouble> {
  const seen: ProviderRequest[] = []
  const kept = routes.map(({ answer, ...route }) => ({
    ...route,
    answer: (request: ProviderRequest) => {
      seen.push(request)
      return answer(request)
    }
  }))
  return { ...(await startProvider({ routes: kept, ...rest })), seen }
}

/** One kind of consumers, at a double of its platform. */
export interface ConsumerHarness {
  readonly restart: Consumers['restart']
  readonly consumer: Consumer
  /** Well-formed, and not there; what it fails with. */
  readonly missing: { readonly consumer: Consumer; readonly code: string }
  /** Names that would reach another resource if they were taken as they are. */
  readonly malformed: readonly string[]
  readonly denied: { readonly answer: ProviderAnswer; readonly names: RegExp }
  readonly throttled: ProviderAnswer
  /** How often the platform made the consumer start anew. */
  restarts(): number
  readonly double: Pick<SeenDouble, 'calls' | 'seen' | 'setFault'>
  stop(): Promise<void>
}

export async function failure(work: Promise<unknown>): Promise<KeyturnError> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e
  )
  expect(error, 'it did not fail').toBeInstanceOf(KeyturnError)
  expect(inspect(error, { depth: 10, showHidden: true }), 'a token is in the error').not.toContain(TOKEN)
  return error as KeyturnError
}

const always = (answer: ReturnType<FaultHook>) => () => answer

/** What all kinds do. */
export function consumerSuite(name: string, start: () => Promise<ConsumerHarness>): void {
  describe(`${name}, as every kind`, () => {
    let h: ConsumerHarness
    beforeAll(async () => {
      h = await start()
    })
    afterAll(() => h?.stop())
    const restart = (consumer = h.consumer, signal = soon()) => h.restart(consumer, NEWS, signal)
    const failing = async (answer: ReturnType<FaultHook>): Promise<KeyturnError> => {
      h.double.setFault(always(answer))
      const error = await failure(restart())
      h.double.setFault(undefined)
      return error
    }

    it('is restarted, and again when it is asked again', async () => {
      const before = h.restarts()
      await restart()
      expect(h.restarts()).toBe(before + 1)
      await restart()
      expect(h.restarts()).toBe(before + 2)
    })

    it('that is not there is told apart, by its name', async () => {
      const { consumer, code } = h.missing
      expect(await failure(restart(consumer))).toMatchObject({ code, retryable: false })
    })

    it('is not restarted without the permission, which is named', async () => {
      const before = h.restarts()
      const error = await failing(h.denied.answer)
      expect(error).toMatchObject({ code: 'denied/provider', retryable: false })
      expect(error.message).toMatch(h.denied.names)
      expect(h.restarts()).toBe(before)
    })

    it('is asked for later where the platform is throttling', async () => {
      expect(await failing(h.throttled)).toMatchObject({ code: 'throttled/provider', retryable: true })
    })

    it('of a platform that does not answer is not taken for restarted', async () => {
      const before = h.restarts()
      expect(await failing('before')).toMatchObject({ code: 'unavailable/provider', retryable: true })
      expect(await failing({ status: 503, body: 'upstream connect error' })).toMatchObject({ code: 'unavailable/provider' })
      expect(h.restarts()).toBe(before)
    })

    it('is restarted though an answer was lost on the way', async () => {
      const before = h.restarts()
      const from = h.double.calls.length
      h.double.setFault((_, index) => (index === from ? 'lost' : undefined))
      await restart()
      h.double.setFault(undefined)
      expect(h.restarts()).toBeGreaterThan(before)
    })

    it('is not looked for where a redirect points to', async () => {
      const elsewhere = { status: 307, headers: { Location: 'https://elsewhere.example/' } }
      expect(await failing(elsewhere)).toMatchObject({ code: 'invalid/answer' })
    })

    it('is not asked for when the time is over', async () => {
      const before = h.restarts()
      const from = h.double.calls.length
      expect(await failure(restart(h.consumer, AbortSignal.abort()))).toMatchObject({ code: 'unavailable/provider' })
      expect(h.restarts()).toBe(before)
      expect(h.double.calls.length).toBe(from)
    })

    it('under a name that would reach something else is refused before anything is sent', async () => {
      const from = h.double.calls.length
      for (const malformed of h.malformed)
        expect(await failure(restart({ kind: h.consumer.kind, name: malformed }))).toMatchObject({ code: 'invalid/metadata' })
      expect(h.double.calls.length).toBe(from)
    })

    it('is told nothing secret, and the token stands in its header alone', async () => {
      await restart()
      for (const { url, text, headers } of h.double.seen) {
        const { authorization: _, 'x-amz-security-token': __, ...others } = headers
        expect(`${url.href} ${text} ${JSON.stringify(others)}`).not.toContain(TOKEN)
      }
      expect(h.double.seen.length).toBeGreaterThan(0)
    })
  })
}
