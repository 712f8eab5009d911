import type { AuditEvent } from '../../shared/audit/event.ts'
import { cloudTrailReader } from '../../shared/audit/from-cloudtrail.ts'
import { references } from '../../shared/audit/references.ts'
import type { Json } from './reading.ts'

/** Records of CloudTrail, composed by its user guide ("CloudTrail record contents", "userIdentity element"). */

export const ACCOUNT = '123456789012'

export const arnOf = (name: string, account = ACCOUNT): string =>
  `arn:aws:secretsmanager:us-east-1:${account}:secret:${name}-AbCdEf`

export const USER: Json = {
  ...{ type: 'IAMUser', principalId: 'AIDAEXAMPLE', arn: `arn:aws:iam::${ACCOUNT}:user/alice`, accountId: ACCOUNT },
  ...{ accessKeyId: 'AKIAEXAMPLE', userName: 'alice' }
}

/** A session of a role: its path is in the role's ARN and not in the session's. */
export const session = (role: string, name: string, more: Json = {}): Json => ({
  ...{ type: 'AssumedRole', principalId: `AROAEXAMPLE:${name}`, accountId: ACCOUNT, accessKeyId: 'ASIAEXAMPLE' },
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/${role.split('/').at(-1)}/${name}`,
  sessionContext: {
    sessionIssuer: { type: 'Role', principalId: 'AROAEXAMPLE', arn: `arn:aws:iam::${ACCOUNT}:role/${role}`, accountId: ACCOUNT },
    attributes: { creationDate: '2026-07-01T11:00:00Z', mfaAuthenticated: 'false' },
    ...more
  }
})

export const idOf = (n: number): string => `0f8b3c52-11d4-4c1e-9d2a-${String(n).padStart(12, '0')}`

/** A GetSecretValue by alice, with other members. */
export const recordOf = (more: Json = {}, n = 1): Json => ({
  ...{ eventVersion: '1.11', userIdentity: USER, eventTime: '2026-07-01T12:00:00Z' },
  ...{ eventSource: 'secretsmanager.amazonaws.com', eventName: 'GetSecretValue', awsRegion: 'us-east-1' },
  ...{ sourceIPAddress: '203.0.113.9', userAgent: 'aws-cli/2.29' },
  ...{ requestParameters: { secretId: arnOf('app/db') }, responseElements: null, requestID: idOf(900 + n), eventID: idOf(n) },
  ...{ readOnly: true, eventType: 'AwsApiCall', managementEvent: true, recipientAccountId: ACCOUNT, eventCategory: 'Management' },
  ...more
})

export interface ReadRecord {
  readonly isTaken: boolean
  readonly events: readonly AuditEvent[]
}

export function readRecord(record: unknown): ReadRecord {
  const bytes = Buffer.from(JSON.stringify(record))
  const events: AuditEvent[] = []
  const end = cloudTrailReader(references()).read(bytes, 0, bytes.length, (event) => void events.push(event))
  return { isTaken: end === bytes.length, events }
}

/** The one event of a record. */
export function eventOf(more: Json): AuditEvent {
  const { isTaken, events } = readRecord(recordOf(more))
  const [event] = events
  if (!event || !isTaken || events.length > 1) throw new Error(`${events.length} events`)
  return event
}
