import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { asKeyturnError } from '../../shared/errors.ts'
import { type HttpAnswer, isRefusal, refusalOf, refused } from '../../shared/http.ts'
import { logFailure } from '../../shared/report.ts'
import type { Azure } from './compose.ts'
import { refusedCaller } from './easy-auth.ts'
import { requestOf, responseOf } from './http.ts'
import { logOf } from './log.ts'

/** The load balancer in front of every function app answers in our place after 230 s (azure-functions/functions-scale). */
export const HTTP_LIMIT_MS = 200_000

export interface OnDemand<C, T> {
  /** Throws `invalid/request`. */
  readonly parse: (json: unknown) => T
  readonly answer: (composed: C, asked: T) => Promise<HttpAnswer>
}

/** Whatever is asked by HTTP: who may, what, and how it went. Never throws: the host would answer 500 without a body. */
export async function onDemand<C extends Pick<Azure, 'settings'>, T extends object>(
  compose: () => Promise<C>,
  request: HttpRequest,
  context: InvocationContext,
  { parse, answer }: OnDemand<C, T>
): Promise<HttpResponseInit> {
  try {
    const composed = await compose()
    const { easyAuth, role } = composed.settings
    const asked = (easyAuth ? refusedCaller(request.headers, role) : undefined) ?? (await requestOf(request, parse))
    if (!isRefusal(asked)) return responseOf(await answer(composed, asked))
    // Somebody else's mistake: no alert for it.
    logOf(context)().warn('refused', { status: asked.status, code: asked.error.code, message: asked.error.message })
    return responseOf(refused(asked))
  } catch (e) {
    const error = asKeyturnError(e)
    logFailure(logOf(context)(), error)
    return responseOf(refused(refusalOf(error)))
  }
}
