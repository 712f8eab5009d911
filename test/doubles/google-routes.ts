import { unauthenticated } from './google-iam-errors.ts'
import type { ProviderAnswer, ProviderRequest, Route } from './provider-double.ts'

type Answer = (request: ProviderRequest) => ProviderAnswer
export type RouteMaker = (op: string, method: string, path: string, answer: Answer) => Route

export interface GoogleRoutes {
  /** A route for the administrator alone. */
  readonly route: RouteMaker
  /** What the next call of an operation is answered, instead of what is usual. */
  answerNext(op: string, answer: ProviderAnswer): void
}

/** `refused`: what comes before any answer, of whoever is asked for. */
export function googleRoutes(refused: (request: ProviderRequest) => ProviderAnswer | undefined = () => undefined): GoogleRoutes {
  const answers = new Map<string, ProviderAnswer>()
  return {
    route: (op, method, path, answer) => ({
      op,
      method,
      path: new RegExp(`^${path}$`),
      answer: (request) => {
        const next = answers.get(op)
        answers.delete(op)
        return unauthenticated(request) ?? refused(request) ?? next ?? answer(request)
      }
    }),
    answerNext: (op, answer) => void answers.set(op, answer)
  }
}
