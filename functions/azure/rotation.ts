import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { act, isPutOff, throwOnFailure } from '../../shared/act.ts'
import { asKeyturnError, type KeyturnError } from '../../shared/errors.ts'
import { answered } from '../../shared/http.ts'
import { once } from '../../shared/once.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { logFailure } from '../../shared/report.ts'
import { parseRequest } from '../../shared/request.ts'
import { tokenFor } from '../../shared/token.ts'
import type { Azure } from './compose.ts'
import { type ExpiringEvent, eventsOf, isOfVault, type VaultEvent } from './events.ts'
import { failing, type Invocation, within } from './invocation.ts'
import { logOf } from './log.ts'
import { HTTP_LIMIT_MS, onDemand } from './on-demand.ts'

/** The three functions of an app, each of which does one thing when it is called. Registered in apps/. */
export interface Rotation {
  readonly sweepDaily: (timer: unknown, context: InvocationContext) => Promise<void>
  readonly rotateExpiring: (message: unknown, context: InvocationContext) => Promise<void>
  readonly rotateOnDemand: (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>
}

/**
 * Rotates credentials in Azure Key Vault: a daily sweep, Key Vault's own events of expiry, and the common request over HTTP.
 * What it works with is built once a process. Not at import: a function app whose entry throws is indexed with no function.
 */
export function rotation(composing: () => Promise<Azure>): Rotation {
  const compose = once(composing)
  return {
    sweepDaily: (_timer, context) => sweepDaily(compose, context),
    rotateExpiring: (message, context) => rotateExpiring(compose, message, context),
    rotateOnDemand: (request, context) => rotateOnDemand(compose, request, context)
  }
}

type Compose = () => Promise<Azure>

/** By the timer. What that brings (`isPastDue`, `scheduleStatus`) changes nothing: a sweep looks at every secret. */
const sweepDaily = (compose: Compose, context: InvocationContext): Promise<void> =>
  failing(logOf(context), async () =>
    within(await compose(), context, async ({ core, delivery }) => {
      throwOnFailure(await act(core, parseRequest({ action: 'sweep' }), delivery(context.invocationId)))
    })
  )

/**
 * By the queue. What is done already, is another vault's or not keyturn's, and what a grace or a person's hold puts off for
 * longer than a queue delivers, completes; everything else throws, so that the host delivers it again, and puts it on the
 * poison queue at last, where a person finds it.
 */
const rotateExpiring = (compose: Compose, message: unknown, context: InvocationContext): Promise<void> =>
  failing(logOf(context), async () =>
    within(await compose(), context, async (invocation) => {
      const { vaultUrl } = (await compose()).settings
      const failures: KeyturnError[] = []
      for (const parse of eventsOf(message)) {
        await rotateFor(parse, invocation, vaultUrl).catch((e: unknown) => failures.push(asKeyturnError(e)))
      }
      const worst = failures.find((e) => !e.retryable) ?? failures[0]
      for (const other of failures) if (other !== worst) logFailure(invocation.log, other)
      if (worst) throw worst
    })
  )

async function rotateFor(parse: () => VaultEvent, invocation: Invocation, vaultUrl: string | undefined): Promise<void> {
  const event = parse()
  const { core, log, delivery } = invocation
  const why = event.kind === 'other' ? 'asks for nothing' : await ignored(event, invocation, vaultUrl)
  if (event.kind === 'other' || why !== undefined) return log.info('ignored', { id: event.id, type: event.type, why })
  const asked = parseRequest({ action: 'rotate', secretId: event.secret, reason: event.type })
  try {
    // The event's id, so that every delivery of it is the same attempt.
    await act(core, asked, delivery(event.id, event.at))
  } catch (e) {
    if (!isPutOff(e)) throw e
    log.warn('put off', { id: event.id, code: e.code, message: e.message })
  }
}

/** Why an event that rotates does not: it is no business of this app, or somebody was faster. */
async function ignored(
  event: ExpiringEvent,
  { core, delivery }: Invocation,
  vaultUrl: string | undefined
): Promise<string | undefined> {
  if (!isOfVault(event.vault, vaultUrl)) return 'another vault'
  const facts = await core.store.describe(event.secret, delivery(event.id).deadline.signal)
  if (facts === undefined) return undefined
  // The subscription is the whole vault's, and the other secrets in it are not keyturn's. Asked by name they are refused.
  if (facts.metadata.kind === undefined) return 'not managed by keyturn'
  if (core.othersKinds?.includes(facts.metadata.kind)) return 'another function’s'
  return isNews(event, facts) ? undefined : 'not the newest version'
}

/**
 * Key Vault tells of every version that ends, the newest or not. A version that is not, is news only while the rotation that
 * this very event began is not tidied up.
 */
function isNews({ id, secret, version }: ExpiringEvent, { current, currentToken }: SecretFacts): boolean {
  if (version === undefined || version === current) return true
  return currentToken?.startsWith(tokenFor(id, secret)) === true
}

/** By HTTP, POST: the common request in, the report out. */
const rotateOnDemand = (compose: Compose, request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> =>
  onDemand(compose, request, context, {
    parse: parseRequest,
    answer: (azure, asked) =>
      within(
        azure,
        context,
        async ({ core, delivery }) => answered(await act(core, asked, delivery(context.invocationId))),
        HTTP_LIMIT_MS
      )
  })
