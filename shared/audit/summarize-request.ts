import * as v from 'valibot'
import { KeyturnError } from '../errors.ts'

/** The common request, as `summarize-audit` takes it: all that is new. Unknown fields are refused: a typo must not be a default. */
export const Summarize = v.strictObject({ action: v.literal('summarize'), reason: v.optional(v.string()) })
export type SummarizeRequest = v.InferOutput<typeof Summarize>

/** Throws `invalid/request`; values are never quoted. */
export function parseSummarize(body: unknown): SummarizeRequest {
  if (v.is(Summarize, body)) return body
  throw new KeyturnError('invalid/request', 'the request must be {"action":"summarize"}, with a reason or without')
}
