import { type AuditEvent, auditEvent, MARKS, type Outcome } from './event.ts'
import { gcpIdentity } from './gcp-identity.ts'
import { gcpLife, gcpOperation, methodOf } from './gcp-operations.ts'
import { gcpPolicy } from './gcp-policy.ts'
import { addressOf, listOf, type Members, membersOf, numberOf, textOf, timeIn } from './members.ts'
import type { Operation } from './operations.ts'
import type { Reader } from './reader.ts'
import type { References } from './references.ts'

/** A LogEntry of Cloud Logging: of an audit log, or of another that goes to the same place. */
export const isGcp = (record: unknown): boolean => {
  const members = membersOf(record)
  return 'protoPayload' in members || ('logName' in members && ('jsonPayload' in members || 'textPayload' in members))
}

const AUDIT_LOG = 'type.googleapis.com/google.cloud.audit.AuditLog'

/**
 * Reads entries of Cloud Audit Logs (reference, "LogEntry" and "AuditLog"). Reads are in the log only where data access logs
 * were switched on. A version that is read by its number may be the newest one or not: the log does not tell, and nothing is
 * marked.
 */
export function gcpReader(refs: References): Reader {
  return {
    format: 'gcp',
    read: (record, emit) => {
      if (!isGcp(record)) return false
      const entry = membersOf(record)
      if (!('protoPayload' in entry)) return true
      const payload = membersOf(entry.protoPayload)
      if ((textOf(payload['@type']) || AUDIT_LOG) !== AUDIT_LOG) return true
      const [serviceName, methodName] = [textOf(payload.serviceName), textOf(payload.methodName)]
      const at = timeIn(entry.timestamp)
      const insertId = textOf(entry.insertId)
      if (serviceName === '' || methodName === '' || Number.isNaN(at) || insertId === '') return false
      const known = gcpOperation(serviceName, methodOf(methodName).toLowerCase())
      if (!known || isSecondOfTwo(entry)) return true
      const id = `${textOf(entry.logName)}|${textOf(entry.timestamp)}|${insertId}`
      emit(eventOf(refs, entry, payload, { id, at }, known))
      return true
    }
  }
}

/** What takes long has an entry for its start, which says who and what, and one for its end. */
function isSecondOfTwo({ operation }: Members): boolean {
  const { first, last } = membersOf(operation)
  return last === true && first !== true
}

function eventOf(
  refs: References,
  entry: Members,
  payload: Members,
  head: Pick<AuditEvent, 'id' | 'at'>,
  { kind: usual, marks }: Operation
): AuditEvent {
  const serviceName = textOf(payload.serviceName)
  const operation = textOf(payload.methodName)
  const resource = textOf(payload.resourceName)
  const method = methodOf(operation).toLowerCase()
  const policy = method === 'setiampolicy' ? gcpPolicy(payload) : undefined
  const kind = policy?.isOfAudit ? 'audit' : usual
  const metadata = membersOf(payload.requestMetadata)
  const request = membersOf(payload.request)
  const outcome = outcomeOf(payload, kind === 'login', method)
  const account = accountOf(entry, resource)
  const name = serviceName === 'secretmanager.googleapis.com' ? secretOf(payload) : ''
  return auditEvent({
    ...head,
    ...{ store: 'gcp', account, kind, operation, outcome },
    identity: gcpIdentity(refs, membersOf(payload.authenticationInfo)),
    address: addressOf(metadata.callerIp),
    network: textOf(metadata.callerNetwork),
    ...(name !== '' && { secret: refs.secret('gcp', account, name) }),
    marks: marks | (policy?.marks ?? 0) | (isSwitchedOff(method, request) ? MARKS.lessAudit : 0),
    ttlSeconds: outcome === 'done' ? gcpLife(method, request.lifetime) : Number.NaN,
    issuer: kind === 'login' || kind === 'token' ? (serviceName.split('.')[0] ?? '') : '',
    policy: kind === 'policy' || kind === 'audit' ? resource || operation : '',
    policyHash: policy?.hash ?? ''
  })
}

const isSwitchedOff = (method: string, { sink }: Members): boolean => method === 'updatesink' && membersOf(sink).disabled === true

/**
 * By code (google.rpc.Code). What was not granted was refused, whatever the code; the log leaves `granted` out where it is
 * false.
 */
function outcomeOf({ status, authorizationInfo }: Members, isLogin: boolean, method: string): Outcome {
  const code = membersOf(status).code === undefined ? 0 : numberOf(membersOf(status).code)
  if (method === 'loginfailure' || code === 16 || (isLogin && code !== 0)) return 'unauthenticated'
  if (code === 7 || listOf(authorizationInfo).some((one) => membersOf(one).granted !== true)) return 'denied'
  if (code === 0) return 'done'
  return code === 5 ? 'absent' : 'failed'
}

/** The project; of an organization or a folder its own name. */
function accountOf({ resource, logName }: Members, resourceName: string): string {
  const { project_id: project } = membersOf(membersOf(resource).labels)
  const ofLog = /^(?:projects\/)?((?:folders\/|organizations\/|billingAccounts\/)?[^/]+)\/logs\//.exec(textOf(logName))?.[1]
  return textOf(project) || ofLog || (/^projects\/([^/]+)/.exec(resourceName)?.[1] ?? '')
}

/**
 * `db-app`; of a regional secret `europe-west1/db-app`, as another region may have one of that name. A secret that is
 * created is named by its parent and its id.
 */
function secretOf({ resourceName, request }: Members): string {
  const { parent, secretId } = membersOf(request)
  const created = typeof secretId === 'string' ? `${textOf(parent) || textOf(resourceName)}/secrets/${secretId}` : ''
  const [, region, secret = ''] = SECRET.exec(textOf(resourceName)) ?? SECRET.exec(created) ?? []
  return region === undefined ? secret : `${region}/${secret}`
}

const SECRET = /^projects\/[^/]+\/(?:locations\/([^/]+)\/)?secrets\/([^/]+)/
