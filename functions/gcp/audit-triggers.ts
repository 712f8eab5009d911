import type { Request, Response } from '@google-cloud/functions-framework'
import { runAudit } from '../../shared/audit/run-audit.ts'
import { parseSummarize } from '../../shared/audit/summarize-request.ts'
import type { Wanted } from '../../shared/audit/wanted-logs.ts'
import { asKeyturnError, hasCode } from '../../shared/errors.ts'
import type { HttpAnswer } from '../../shared/http.ts'
import { once } from '../../shared/once.ts'
import { logFailure } from '../../shared/report.ts'
import type { GcpAudit } from './audit.ts'
import { logEntryIn, storageEventIn } from './audit-events.ts'
import { send } from './http.ts'
import { EVENT_LIMIT_MS, failed, HTTP_LIMIT_MS, within } from './invocation.ts'
import { severityLog } from './log.ts'
import { onDemand } from './on-demand.ts'

/** Plain functions: functions-framework is the platform's. */
export interface AuditTriggers {
  readonly onLogEntry: (event: unknown) => Promise<void>
  readonly onObject: (event: unknown) => Promise<void>
  readonly onRequest: (request: Request, response: Response) => Promise<void>
}

type Compose = () => Promise<GcpAudit>

/**
 * Reads Cloud Audit Logs: the entries of a sink that writes to a topic, the objects of one that writes to a bucket, and, by
 * Cloud Scheduler or a person, all that is new below KEYTURN_AUDIT_LOGS. Runs that meet wait for each other's state, which
 * Cloud Storage lets nobody write more often than once a second (storage/quotas): let one instance with a concurrency of 1
 * run, and where entries come faster than that let the sink write to a bucket. What it works with is built once a process,
 * as in rotation.ts.
 */
export function auditTriggers(composing: () => Promise<GcpAudit>): AuditTriggers {
  const compose = once(composing)
  return {
    onLogEntry: (event) => onEvent(compose, () => ({ kind: 'event', event: logEntryIn(event) })),
    onObject: (event) => onEvent(compose, ({ bucket, log }) => objectOf(event, { bucket, log })),
    onRequest: async (request, response) => send(response, await answerOf(compose, request))
  }
}

function objectOf(event: unknown, { bucket, log }: Pick<GcpAudit, 'bucket' | 'log'>): Wanted | undefined {
  const told = storageEventIn(event)
  if (told.kind === 'finalized') return { kind: 'objects', objects: [{ place: bucket(told.bucket), name: told.name }] }
  log.info('ignored', { id: told.id, type: told.type })
  return undefined
}

/**
 * Rejects, and so is delivered again where the trigger retries, whatever was wrong but with the event itself: it may be the
 * only copy of what happened, and is read once a person has helped. Resolves when it was read, however often it came; and
 * where it is no event for this function, with an error in the log.
 */
async function onEvent(compose: Compose, wantedOf: (audit: GcpAudit) => Wanted | undefined): Promise<void> {
  const audit = await compose().catch((e: unknown) => {
    throw failed(severityLog('info'), asKeyturnError(e))
  })
  try {
    const wanted = wantedOf(audit)
    if (wanted) await within(audit, EVENT_LIMIT_MS, (limit) => runAudit(audit.host, wanted, limit))
  } catch (e) {
    const error = asKeyturnError(e)
    if (!hasCode(error, 'invalid/request')) throw failed(audit.log, error)
    logFailure(audit.log, error)
  }
}

/** By HTTP (signature type `http`), POST: `{"action":"summarize"}` in, the counts of the run out. */
const answerOf = (compose: Compose, request: Request): Promise<HttpAnswer> =>
  onDemand(compose, request, {
    parse: parseSummarize,
    answer: async (audit, asked) => {
      audit.log.info('asked', { ...asked })
      const body = await within(audit, HTTP_LIMIT_MS, (limit) => runAudit(audit.host, { kind: 'new' }, limit))
      return { status: 200, headers: {}, body }
    }
  })
