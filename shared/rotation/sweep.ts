import pMap from 'p-map'
import { asKeyturnError, type KeyturnError } from '../errors.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import type { Core, Request } from './core.ts'
import type { Page } from './page.ts'
import { type Outcome, run } from './rotate.ts'

/** One secret's part of a sweep. */
export type SweepResult = { readonly secret: string; readonly pages: readonly Page[] } & (
  | { readonly outcome: Outcome }
  | { readonly error: KeyturnError }
)

export interface SweepOptions {
  /** How many secrets at once. One database server with many secrets has this many admin sessions at most. */
  readonly concurrency: number
  /** Called as each secret ends, in any order. */
  readonly onResult?: ((result: SweepResult) => void) | undefined
}

/** One secret's request: the sweep's token is a prefix, so that a sweep delivered twice names the same attempts. */
const requestFor = (facts: SecretFacts, sweep: Request, tokenFor: (secret: string) => string): Request => ({
  ...sweep,
  secretId: facts.id,
  token: tokenFor(facts.id)
})

/**
 * Runs every managed secret one step on: rotates what is due, retires what is over, finishes what was left, heals what
 * is broken. A failing secret does not stop the others; the results have one entry a secret, in no order. A listing
 * that fails throws: a sweep that saw a part of the secrets must not look like one that saw all.
 */
export async function sweep(
  core: Core,
  request: Request,
  tokenFor: (secret: string) => string,
  options: SweepOptions
): Promise<readonly SweepResult[]> {
  return pMap(
    ofOurs(core, request.deadline.signal),
    async (facts) => {
      const result = await sweepOne(core, facts, requestFor(facts, request, tokenFor))
      options.onResult?.(result)
      return result
    },
    { concurrency: options.concurrency }
  )
}

/** Managed secrets, but for those that another function of the deployment rotates. */
async function* ofOurs({ store, othersKinds = [] }: Core, signal: AbortSignal): AsyncIterable<SecretFacts> {
  for await (const facts of store.list(signal)) if (!othersKinds.includes(facts.metadata.kind ?? '')) yield facts
}

async function sweepOne(core: Core, facts: SecretFacts, request: Request): Promise<SweepResult> {
  const pages: Page[] = []
  const asked = { ...request, onPage: (page: Page) => void pages.push(page) }
  try {
    return { secret: facts.name, pages, outcome: await run(core, { want: 'sweep', force: false }, asked) }
  } catch (e) {
    const error = asKeyturnError(e)
    core.log.error('failed', { secret: facts.name, code: error.code, message: error.message, retryable: error.retryable })
    return { secret: facts.name, pages, error }
  }
}
