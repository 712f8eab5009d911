import middy, { type MiddyfiedHandler } from '@middy/core'
import type { Context } from 'aws-lambda'
import { type AuditReport, runAudit } from '../../shared/audit/run-audit.ts'
import { deadline } from '../../shared/deadline.ts'
import { asKeyturnError } from '../../shared/errors.ts'
import { once } from '../../shared/once.ts'
import { logFailure } from '../../shared/report.ts'
import { composeAwsAudit } from './audit.ts'
import { auditAsked } from './audit-events.ts'
import { VAULT_MARGIN_MS } from './compose.ts'
import { lambdaError } from './lambda-error.ts'

/**
 * Reads audit logs: objects of S3 as they are written, a subscription of CloudWatch Logs, CloudTrail's records by EventBridge,
 * or, by a schedule, all that is new below a prefix. Let one run at a time (reserved concurrency 1): more of them work, but one
 * begins anew when another has written the state, and after four times its event has to come again.
 */
export const handler: MiddyfiedHandler<unknown, AuditReport> = auditing()

function auditing(): MiddyfiedHandler<unknown, AuditReport> {
  const compose = once(() => composeAwsAudit(process.env))
  return middy<unknown, AuditReport>()
    .onError(({ error }) => {
      throw lambdaError(asKeyturnError(error))
    })
    .handler(async (event: unknown, context: Context) => {
      const { host, bucket, takesSteps, enter } = await compose()
      const leave = enter()
      const limit = deadline(context.getRemainingTimeInMillis(), takesSteps ? undefined : VAULT_MARGIN_MS)
      try {
        const asked = auditAsked(event)
        if (asked.kind !== 'objects') return await runAudit(host, asked, limit)
        const objects = asked.objects.map(({ bucket: of, key }) => ({ place: bucket(of), name: key }))
        return await runAudit(host, { kind: 'objects', objects }, limit)
      } catch (e) {
        logFailure(host.log, asKeyturnError(e))
        throw e
      } finally {
        limit.end()
        await leave()
      }
    })
}
