import type { Request } from '@google-cloud/functions-framework'
import { asKeyturnError, KeyturnError } from '../../shared/errors.ts'
import { type HttpAnswer, isRefusal, type Refusal, refusalOf, refused } from '../../shared/http.ts'
import { logFailure } from '../../shared/report.ts'
import type { Gcp } from './compose.ts'
import { refusedMethod, requestOf } from './http.ts'
import { severityLog } from './log.ts'

type Asked = Pick<Gcp, 'callers' | 'log'>

export interface OnDemand<C, T> {
  /** Throws `invalid/request`. */
  readonly parse: (json: unknown) => T
  readonly answer: (composed: C, asked: T) => Promise<HttpAnswer>
}

/**
 * Whatever is asked by HTTP. Who may ask is KEYTURN_CALLERS' to say, by an ID token (oidc.ts). Cloud Scheduler's
 * X-CloudScheduler headers are not looked at: anybody can send them. Never rejects: the framework's answers are not ours.
 */
export async function onDemand<C extends Asked, T extends object>(
  compose: () => Promise<C>,
  request: Request,
  { parse, answer }: OnDemand<C, T>
): Promise<HttpAnswer> {
  try {
    const composed = await compose()
    const asked = refusedMethod(request) ?? (await callerOf(request, composed)) ?? requestOf(request, parse)
    return isRefusal(asked) ? refusedWith(composed, asked) : await answer(composed, asked)
  } catch (e) {
    const error = asKeyturnError(e)
    logFailure(severityLog('info'), error)
    return refused(refusalOf(error))
  }
}

/** Somebody else's mistake: no alert for it. */
function refusedWith({ log }: Asked, refusal: Refusal): HttpAnswer {
  const { code, message } = refusal.error
  log.warn('refused', { status: refusal.status, code, message })
  return refused(refusal)
}

/** Why the caller may not ask. "Any account of Google's" is no check: without callers nobody may. */
async function callerOf({ headersDistinct }: Request, { callers, log }: Asked): Promise<Refusal | undefined> {
  if (!callers)
    throw new KeyturnError('invalid/config', 'KEYTURN_AUDIENCE and KEYTURN_CALLERS must be set for a function that takes HTTP')
  const caller = await callers(headersDistinct)
  if ('error' in caller) return caller
  log.info('called', { by: caller.email })
  return undefined
}
