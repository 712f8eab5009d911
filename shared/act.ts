import type { Deadline } from './deadline.ts'
import { hasCode, KeyturnError } from './errors.ts'
import { failed, type SecretReport, succeeded } from './report.ts'
import type { ActionRequest } from './request.ts'
import type { Core, Request } from './rotation/core.ts'
import type { Page } from './rotation/page.ts'
import { run } from './rotation/rotate.ts'
import { type SweepResult, sweep } from './rotation/sweep.ts'
import { tokenFor } from './token.ts'
import type { Instant } from './types.ts'

/** What a host knows of a delivery that the request itself does not say. */
export interface Delivery {
  /** The same for every delivery of the same request: a message id, an invocation id. */
  readonly id: string
  /** When it was sent, where the host says. */
  readonly sentAt?: Instant | undefined
  readonly deadline: Deadline
  readonly sweepConcurrency: number
  readonly onResult?: ((report: SecretReport) => void) | undefined
}

export interface Report {
  readonly action: string
  readonly results: readonly SecretReport[]
}

/** It lasts for hours or days, longer than anybody delivers a request again: the sweep comes by when it is over. */
export const isPutOff = (e: unknown): e is KeyturnError =>
  hasCode(e, 'conflict/inside-grace', 'conflict/not-retired', 'conflict/held')

/** Does what a common request asks, on any host. One secret's failure throws for rotate and retire; a sweep reports it. */
export async function act(core: Core, asked: ActionRequest, delivery: Delivery): Promise<Report> {
  const requestId = asked.requestId ?? delivery.id
  const pages: Page[] = []
  const request: Request = {
    secretId: asked.secretId ?? '',
    token: tokenFor(requestId, asked.secretId ?? ''),
    requestedAt: asked.requestedAt ?? delivery.sentAt,
    force: asked.force,
    endSessions: asked.endSessions,
    dryRun: asked.dryRun,
    deadline: delivery.deadline,
    onPage: (page) => void pages.push(page)
  }
  core.log.info('asked', { action: asked.action, secret: request.secretId, reason: asked.reason, force: asked.force })
  if (asked.action !== 'sweep') {
    const intent = { want: asked.action, force: asked.force, endSessions: asked.endSessions }
    const report = succeeded(await run(core, intent, request), pages)
    delivery.onResult?.(report)
    return { action: asked.action, results: [report] }
  }
  const results = await sweep(core, request, (secret) => tokenFor(requestId, secret), {
    concurrency: delivery.sweepConcurrency,
    onResult: (result) => delivery.onResult?.(reportOf(result))
  })
  return { action: asked.action, results: results.map(reportOf) }
}

const reportOf = (result: SweepResult): SecretReport =>
  'error' in result ? failed(result.secret, result.error, result.pages) : succeeded(result.outcome, result.pages)

/** A report with failures, as the one error that makes a scheduler or an alarm see it. */
export function throwOnFailure(report: Report): Report {
  const bad = report.results.filter((r) => !r.ok)
  const first = bad.find((r) => !r.ok && !r.retryable) ?? bad[0]
  if (!first || first.ok) return report
  const named = bad.map((r) => `${r.secret} ${r.ok ? '' : r.code}`).join(', ')
  throw new KeyturnError(first.code, `${bad.length} of ${report.results.length} secrets failed: ${named}`)
}
