import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { timeOf } from './clock.ts'
import { type AwsCaller, awsIdentity } from './cloudtrail-identity.ts'
import { accountIn, secretNameIn } from './cloudtrail-names.ts'
import { awsOperations, DENIED_CODES } from './cloudtrail-operations.ts'
import { type AuditEvent, MARKS, type Outcome } from './event.ts'
import { interner, plainText, plainTextOf } from './interner.ts'
import { afterBrackets, fieldScanner, MALFORMED } from './json-fields.ts'
import type { Operation } from './operations.ts'
import { reachesOthers } from './policy-reach.ts'
import type { Emit } from './reader.ts'
import type { References } from './references.ts'

/** Reads CloudTrail records (user guide, "CloudTrail record contents", event version 1.x). */
export interface CloudTrailReader {
  /** The record that begins at `from`. Returns where it ends, MALFORMED or INCOMPLETE; nothing was emitted then. */
  read(bytes: Uint8Array, from: number, to: number, emit: Emit): number
}

const PATHS = [
  'eventSource',
  'eventName',
  'eventTime',
  'eventID',
  'sourceIPAddress',
  'vpcEndpointId',
  'errorCode',
  'errorMessage',
  'recipientAccountId',
  'addendum.originalEventID',
  'userIdentity.type',
  'userIdentity.arn',
  'userIdentity.principalId',
  'userIdentity.accountId',
  'userIdentity.userName',
  'userIdentity.invokedBy',
  'userIdentity.sessionContext.sessionIssuer.arn',
  'userIdentity.sessionContext.ec2RoleDelivery',
  'userIdentity.inScopeOf.issuerType',
  'requestParameters.secretId',
  'requestParameters.name',
  'requestParameters.filters',
  'requestParameters.versionStage',
  'requestParameters.forceDeleteWithoutRecovery',
  'requestParameters.resourcePolicy',
  'requestParameters.policy',
  'requestParameters.policyName',
  'requestParameters.trailName',
  'requestParameters.policyArn',
  'requestParameters.keyId',
  'requestParameters.durationSeconds',
  'requestParameters.roleArn',
  'responseElements.arn',
  'responseElements.aRN',
  'responseElements.ConsoleLogin',
  'additionalEventData.SecretId',
  'additionalEventData.ARN'
] as const
type Path = (typeof PATHS)[number]
type Text = (path: Path) => string

export function cloudTrailReader(refs: References): CloudTrailReader {
  const head = fieldScanner(['eventSource'])
  const { scan, starts, ends } = fieldScanner(PATHS)
  const operations = interner((json) => awsOperations(plainText(json)))
  const texts = interner(plainText)
  const slots = new Map<Path, number>(PATHS.map((path, slot) => [path, slot]))
  let bytes: Uint8Array = new Uint8Array()
  const text: Text = (path) => {
    const slot = slots.get(path) ?? 0
    const from = starts[slot] as number
    return from < 0 ? '' : texts(bytes, from, ends[slot] as number)
  }
  const [TIME, ID, NAME] = [slots.get('eventTime') ?? 0, slots.get('eventID') ?? 0, slots.get('eventName') ?? 0]

  return {
    read: (given, from, to, emit) => {
      const at = head.scan(given, from, to, 0)
      if (at < 0) return at
      const sourceFrom = head.starts[0] as number
      if (sourceFrom < 0) return MALFORMED
      // Double members: the last one counts, and it is not looked for where the first one already is of no interest.
      const wanted = operations(given, sourceFrom, head.ends[0] as number)
      if (wanted === undefined) return afterBrackets(given, at, to, 1)
      const end = scan(given, from, to)
      if (end < 0) return end
      bytes = given
      const operation = wanted.get(text('eventName'))
      if ((starts[NAME] as number) < 0) return MALFORMED
      if (operation === undefined || isOfServiceAlone(text)) return end
      const when = timeOf(given, starts[TIME] as number, ends[TIME] as number)
      const id = text('addendum.originalEventID') || plainTextOf(given, starts[ID] as number, ends[ID] as number)
      if (id === '' || Number.isNaN(when)) return MALFORMED
      emit(eventOf(refs, text, operation, id, when))
      return end
    }
  }
}

/** A role that a service assumes for itself: half of all records, and nobody's login. */
const isOfServiceAlone = (text: Text): boolean => text('eventName') === 'AssumeRole' && text('userIdentity.type') === 'AWSService'

function eventOf(refs: References, text: Text, { kind, marks }: Operation, id: string, at: number): AuditEvent {
  const identity = awsIdentity(refs, callerOf(text))
  const named = text('requestParameters.secretId') || text('responseElements.arn') || text('additionalEventData.SecretId')
  const account = text('recipientAccountId') || accountIn(named) || text('userIdentity.accountId')
  const isSecrets = text('eventSource') === 'secretsmanager.amazonaws.com'
  const name = isSecrets ? secretOf(text) : ''
  const outcome = outcomeOf(text, kind === 'login')
  const address = text('sourceIPAddress')
  const policyText = text('requestParameters.resourcePolicy') || text('requestParameters.policy')
  return {
    id,
    at,
    store: 'aws',
    account,
    kind,
    operation: text('eventName'),
    outcome,
    identity,
    address: isIP(address) === 0 ? '' : address,
    network: text('vpcEndpointId'),
    secret: name === '' ? undefined : refs.secret('aws', account, name),
    marks: marks | marksOf(text, identity.isRoot, outcome, policyText, account),
    ttlSeconds: outcome === 'done' ? Number.parseInt(text('requestParameters.durationSeconds'), 10) : Number.NaN,
    issuer: kind === 'login' || kind === 'token' ? (text('eventSource').split('.')[0] ?? '') : '',
    policy: kind === 'policy' || kind === 'audit' ? policyOf(text, name) : '',
    policyHash: kind === 'policy' && policyText !== '' ? createHash('sha256').update(policyText).digest('hex') : '',
    likeness: undefined
  }
}

const callerOf = (text: Text): AwsCaller => ({
  type: text('userIdentity.type'),
  arn: text('userIdentity.arn'),
  principalId: text('userIdentity.principalId'),
  accountId: text('userIdentity.accountId'),
  userName: text('userIdentity.userName'),
  invokedBy: text('userIdentity.invokedBy'),
  issuerArn: text('userIdentity.sessionContext.sessionIssuer.arn'),
  ec2RoleDelivery: text('userIdentity.sessionContext.ec2RoleDelivery'),
  issuerType: text('userIdentity.inScopeOf.issuerType')
})

const secretOf = (text: Text): string =>
  secretNameIn({
    asked: text('requestParameters.secretId'),
    answered: text('responseElements.arn') || text('responseElements.aRN'),
    additional: text('additionalEventData.SecretId') || text('additionalEventData.ARN'),
    created: text('requestParameters.name'),
    errorMessage: text('errorMessage')
  })

/** By code. A login that failed is one whatever the code; a console's failed login has none and says so in its answer. */
function outcomeOf(text: Text, isLogin: boolean): Outcome {
  const code = text('errorCode')
  const isFailedConsole = text('responseElements.ConsoleLogin') === 'Failure'
  if (code === '' && !isFailedConsole) return /^Rotation(Failed|Abandoned)$/.test(text('eventName')) ? 'failed' : 'done'
  if (isLogin) return 'unauthenticated'
  if (DENIED_CODES.includes(code)) return 'denied'
  return code === 'ResourceNotFoundException' || code === 'NoSuchEntityException' ? 'absent' : 'failed'
}

/** Secrets Manager refuses to read what waits for its deletion with InvalidRequestException, whose message alone says why. */
const MARKED_FOR_DELETION = /marked (for deletion|deleted)/

function marksOf(text: Text, isRoot: boolean, outcome: Outcome, policyText: string, account: string): number {
  const isBatchByFilter = text('eventName') === 'BatchGetSecretValue' && !['', '[]'].includes(text('requestParameters.filters'))
  return (
    (isRoot ? MARKS.root : 0) |
    (isBatchByFilter ? MARKS.byFilter : 0) |
    (text('requestParameters.versionStage') === 'AWSPREVIOUS' ? MARKS.oldVersion : 0) |
    (text('requestParameters.forceDeleteWithoutRecovery') === 'true' ? MARKS.unrecoverable : 0) |
    (outcome === 'failed' && MARKED_FOR_DELETION.test(text('errorMessage')) ? MARKS.deletionPending : 0) |
    (policyText !== '' && outcome === 'done' && reachesOthers(policyText, account) ? MARKS.madePublic : 0)
  )
}

const policyOf = (text: Text, secret: string): string =>
  secret ||
  text('requestParameters.policyArn') ||
  text('requestParameters.policyName') ||
  text('requestParameters.trailName') ||
  text('requestParameters.keyId') ||
  text('requestParameters.roleArn') ||
  text('requestParameters.name') ||
  text('eventName')
