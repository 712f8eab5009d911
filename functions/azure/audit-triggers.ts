import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions'
import { type AuditReport, runAudit } from '../../shared/audit/run-audit.ts'
import { parseSummarize } from '../../shared/audit/summarize-request.ts'
import type { NamedObject, Wanted } from '../../shared/audit/wanted-logs.ts'
import type { Deadline } from '../../shared/deadline.ts'
import { asKeyturnError, type KeyturnError } from '../../shared/errors.ts'
import type { Log } from '../../shared/log.ts'
import { once } from '../../shared/once.ts'
import { logFailure } from '../../shared/report.ts'
import type { AzureAudit } from './audit.ts'
import { type BlobEvent, blobEventsOf, recordsOf } from './audit-events.ts'
import { failing, limited } from './invocation.ts'
import { logOf } from './log.ts'
import { HTTP_LIMIT_MS, onDemand } from './on-demand.ts'

/** The functions of the app, each of which does one thing when it is called. Registered in apps/. */
export interface AuditTriggers {
  readonly readNew: (timer: unknown, context: InvocationContext) => Promise<void>
  readonly readRecords: (messages: unknown, context: InvocationContext) => Promise<void>
  readonly readBlobs: (message: unknown, context: InvocationContext) => Promise<void>
  readonly summarizeOnDemand: (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>
}

/**
 * Reads the audit logs of Key Vault and of Azure: all that is new below a container, by a timer; an event hub's records;
 * blobs as Event Grid tells of them; and the common request over HTTP. Runs that meet wait for each other's state, so let
 * one instance run (`functionAppScaleLimit` 1, and `queues.batchSize` 1 in host.json).
 * What it works with is built once a process, as in rotation.ts.
 */
export function auditTriggers(composing: () => Promise<AzureAudit>): AuditTriggers {
  const compose = once(composing)
  const reading = (context: InvocationContext, read: (audit: AzureAudit, log: Log) => Promise<Wanted>) =>
    failing(logOf(context), async () => {
      const audit = await compose()
      await limited(audit, context, async (log, limit) => runAudit(audit.host(log), await read(audit, log), limit))
    })
  return {
    readNew: (_timer, context) => reading(context, async () => ({ kind: 'new' })),
    readRecords: (messages, context) => reading(context, async () => ({ kind: 'event', event: recordsOf(messages) })),
    readBlobs: (message, context) => failing(logOf(context), async () => readBlobs(await compose(), message, context)),
    summarizeOnDemand: (request, context) => summarizeOnDemand(compose, request, context)
  }
}

/**
 * What is in a blob that grows is read up to where it ends now; the rest when it is told of again, or by the timer. What
 * asks for nothing, or is another account's, completes; what is bad throws after the others were read, so that the host puts
 * it on the poison queue at last, where a person finds it.
 */
async function readBlobs(audit: AzureAudit, message: unknown, context: InvocationContext): Promise<void> {
  await limited(audit, context, async (log, limit) => {
    const failures: KeyturnError[] = []
    const objects = blobEventsOf(message).flatMap((parse): readonly NamedObject[] => {
      try {
        return named(parse(), audit, log)
      } catch (e) {
        failures.push(asKeyturnError(e))
        return []
      }
    })
    await runAudit(audit.host(log), { kind: 'objects', objects }, limit)
    const [first, ...others] = failures
    for (const other of others) logFailure(log, other)
    if (first) throw first
  })
}

function named(event: BlobEvent, { blob }: AzureAudit, log: Log): readonly NamedObject[] {
  const found = event.kind === 'created' ? blob(event.blob) : undefined
  if (found) return [found]
  const why = event.kind === 'created' ? 'another account' : 'asks for nothing'
  log.info('ignored', { id: event.id, type: event.type, why })
  return []
}

const summarizeOnDemand = (
  compose: () => Promise<AzureAudit>,
  request: HttpRequest,
  context: InvocationContext
): Promise<HttpResponseInit> =>
  onDemand(compose, request, context, {
    parse: parseSummarize,
    answer: async (audit, asked) => {
      const run = async (log: Log, limit: Deadline): Promise<AuditReport> => {
        log.info('asked', { ...asked })
        return runAudit(audit.host(log), { kind: 'new' }, limit)
      }
      return { status: 200, headers: {}, body: await limited(audit, context, run, HTTP_LIMIT_MS) }
    }
  })
