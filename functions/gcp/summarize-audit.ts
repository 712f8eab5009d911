import { composeGcpAudit } from './audit.ts'
import { auditTriggers } from './audit-triggers.ts'

export const { onLogEntry, onObject, onRequest } = auditTriggers(() => composeGcpAudit(process.env))
