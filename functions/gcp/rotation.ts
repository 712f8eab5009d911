import { randomUUID } from 'node:crypto'
import type { Request, Response } from '@google-cloud/functions-framework'
import { act, isPutOff } from '../../shared/act.ts'
import { asKeyturnError, hasCode } from '../../shared/errors.ts'
import { answered, type HttpAnswer } from '../../shared/http.ts'
import { once } from '../../shared/once.ts'
import { logFailure } from '../../shared/report.ts'
import { parseRequest } from '../../shared/request.ts'
import type { Gcp } from './compose.ts'
import { parseEvent } from './events.ts'
import { send } from './http.ts'
import { deliveryOf, EVENT_LIMIT_MS, failed, HTTP_LIMIT_MS, within } from './invocation.ts'
import { severityLog } from './log.ts'
import { onDemand } from './on-demand.ts'

/** Plain functions: functions-framework is the platform's. */
export interface Rotation {
  readonly onSecretEvent: (event: unknown) => Promise<void>
  readonly onRequest: (request: Request, response: Response) => Promise<void>
}

type Compose = () => Promise<Gcp>

/**
 * Rotates credentials in Google Secret Manager: by Secret Manager's own schedule, which comes through Pub/Sub, and by the common
 * request over HTTP, from Cloud Scheduler or from people. What it works with is built once a process, at its first event: what
 * throws at import is a deployment that does not start and says nothing of why.
 */
export function rotation(composing: () => Promise<Gcp>): Rotation {
  const compose = once(composing)
  return {
    // One parameter: with two it would be callback style.
    onSecretEvent: (event) => onSecretEvent(compose, event),
    onRequest: async (request, response) => send(response, await answerOf(compose, request))
  }
}

/**
 * By Pub/Sub (Eventarc, signature type `cloudevent`; one parameter, because with two it would be callback style). Only
 * SECRET_ROTATE of a secret in this deployment's own project and location rotates: another one's would never be retired,
 * because a sweep lists the own ones alone. The message's id names the request, so that every delivery of it is one rotation.
 * Who may deliver is IAM's to say alone (roles/run.invoker for the trigger's account): an event brings no token along.
 *
 * Rejects, and so is delivered again where the trigger retries, when that may help without a person: what is retryable, and
 * settings, which say nothing of the event. Resolves when it is done, or was; when the grace or a person's hold will last for
 * hours or days (a warning); and when only a person can help (an error). Pub/Sub would deliver it for a week, and each
 * time the same would be logged; an alert sees it at the first time, and the daily sweep rotates what is due anyway.
 */
async function onSecretEvent(compose: Compose, event: unknown): Promise<void> {
  const gcp = await compose().catch((e: unknown) => {
    throw failed(severityLog('info'), asKeyturnError(e))
  })
  try {
    await rotateFor(event, gcp)
  } catch (e) {
    const error = asKeyturnError(e)
    const { code, message, retryable } = error
    // The topic may be another service's too.
    if (hasCode(error, 'conflict/unmanaged', 'conflict/other-function')) return gcp.log.info('ignored', { code, message })
    if (isPutOff(error)) return gcp.log.warn('put off', { code, message })
    if (retryable || code === 'invalid/config') throw failed(gcp.log, error)
    logFailure(gcp.log, error)
  }
}

async function rotateFor(event: unknown, gcp: Gcp): Promise<void> {
  const parsed = parseEvent(event)
  const { id } = parsed
  if (parsed.kind === 'other') return gcp.log.info('ignored', { id, type: parsed.type })
  const { secret, publishedAt } = parsed
  const why = await gcp.foreign(secret)
  if (why !== undefined) return gcp.log.warn('ignored', { id, secret: secret.resource, why })
  const asked = parseRequest({ action: 'rotate', secretId: secret.resource, reason: 'SECRET_ROTATE' })
  await within(gcp, EVENT_LIMIT_MS, (limit) => act(gcp.core, asked, deliveryOf(gcp, limit, id, publishedAt)))
}

/** By HTTP (signature type `http`), POST: the common request in, the report out. */
const answerOf = (compose: Compose, request: Request): Promise<HttpAnswer> =>
  onDemand(compose, request, {
    parse: parseRequest,
    answer: (gcp, asked) =>
      within(gcp, HTTP_LIMIT_MS, async (limit) => answered(await act(gcp.core, asked, deliveryOf(gcp, limit, randomUUID()))))
  })
