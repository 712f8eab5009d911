import { randomUUID } from 'node:crypto'
import {
  type Account,
  attach,
  changed,
  checkLabels,
  detach,
  find,
  holderOf,
  type Input,
  invalidParameter,
  invalidRequest,
  makeRoom,
  type Operation,
  requestToken,
  type Secret,
  text,
  type Version
} from './secrets-manager-state.ts'

/** rotate-secrets_lambda.html: the event that Secrets Manager sends. */
export interface RotationEvent {
  readonly Step: 'createSecret' | 'setSecret' | 'testSecret' | 'finishSecret'
  readonly SecretId: string
  readonly ClientRequestToken: string
  readonly RotationToken: string
}

export interface FinishedRotation {
  readonly secret: string
  readonly token: string
  readonly kind: 'rotation' | 'test'
  /** The steps that were invoked, the failing one last. */
  readonly steps: readonly string[]
  readonly error?: unknown
}

export interface Rotator {
  readonly rotateSecret: Operation
  readonly cancelRotateSecret: Operation
  /** Drives the pending rotation of this secret once more, as Secrets Manager does after a failed step. */
  readonly retry: (secret: Secret) => void
  /** Resolves when no rotation runs, with all that ended so far. */
  readonly idle: () => Promise<readonly FinishedRotation[]>
}

const DAY_MS = 86_400_000

/**
 * API_RotationRulesType: from the previous rotation, or a Put, which "is considered a valid rotation". Not computed
 * for cron().
 */
export function nextRotation(secret: Secret): number | undefined {
  const { rotation } = secret
  if (!rotation?.enabled) return undefined
  const rate = /^rate\((\d+) (hour|day)s?\)$/.exec(String(rotation.rules?.ScheduleExpression ?? ''))
  const days = rotation.rules?.AutomaticallyAfterDays
  if (typeof days === 'number') return rotation.countsFrom + days * DAY_MS
  return rate ? rotation.countsFrom + Number(rate[1]) * (rate[2] === 'day' ? DAY_MS : DAY_MS / 24) : undefined
}

/** API_RotationRulesType: AutomaticallyAfterDays (1–1000) or ScheduleExpression, not both. */
function rulesOf(input: Input): Input | undefined {
  const rules = (input.RotationRules ?? undefined) as Input | undefined
  const days = rules?.AutomaticallyAfterDays
  if (days !== undefined && rules?.ScheduleExpression !== undefined) {
    throw invalidParameter("You can't specify both AutomaticallyAfterDays and ScheduleExpression.")
  }
  if (days !== undefined && (typeof days !== 'number' || days < 1 || days > 1000)) {
    throw invalidParameter('AutomaticallyAfterDays must be between 1 and 1000.')
  }
  return rules
}

/**
 * API_RotateSecret: AWSPENDING present, "but not attached to the same version as AWSCURRENT": a rotation is in
 * progress.
 */
function refuseWhilePending(secret: Secret): void {
  const pending = holderOf(secret, 'AWSPENDING')
  if (pending && !pending.labels.has('AWSCURRENT')) {
    throw invalidRequest("A previous rotation isn't complete. That rotation will be reattempted.")
  }
}

function configure(account: Account, secret: Secret, input: Input): void {
  const lambdaArn = text(input, 'RotationLambdaARN') ?? secret.rotation?.lambdaArn
  // API_RotateSecret, InvalidRequestException. A managed rotation (OwningService) has no function.
  if (lambdaArn === undefined && secret.owningService === undefined) {
    throw invalidRequest('No Lambda rotation function ARN is associated with this secret.')
  }
  const rules = rulesOf(input) ?? secret.rotation?.rules
  secret.rotation = { countsFrom: account.now(), ...secret.rotation, enabled: true, lambdaArn, rules }
}

/** API_DescribeSecret: "Secrets Manager creates an AWSPENDING version ID before creating the new secret version." */
function register(account: Account, secret: Secret, token: string, value: Version['value']): Version {
  checkLabels(secret, ['AWSPENDING'])
  makeRoom(account, secret)
  const version: Version = { id: token, createdAt: account.now(), labels: new Set(), value }
  secret.versions.set(token, version)
  attach(secret, version, 'AWSPENDING')
  changed(account, secret)
  return version
}

export function rotator(account: Account, invoke: ((event: RotationEvent) => Promise<unknown>) | undefined): Rotator {
  const running = new Set<Promise<void>>()
  const finished: FinishedRotation[] = []
  const start: Start = (secret, token, kind) => {
    const run = drive(account, secret, token, kind, invoke).then((end) => {
      finished.push(end)
      running.delete(run)
    })
    running.add(run)
  }
  return {
    rotateSecret: (_, input) => rotateSecret(account, input, start),
    cancelRotateSecret: (_, input) => {
      const secret = find(account, input)
      if (secret.rotation) secret.rotation.enabled = false
      changed(account, secret)
      const pending = holderOf(secret, 'AWSPENDING')
      return { ARN: secret.arn, Name: secret.name, ...(pending && { VersionId: pending.id }) }
    },
    retry: (secret) => {
      const pending = holderOf(secret, 'AWSPENDING')
      if (!pending) throw new Error(`${secret.name} has no pending rotation`)
      start(secret, pending.id, 'rotation')
    },
    idle: async () => {
      while (running.size > 0) await Promise.all(running)
      return finished
    }
  }
}

type Start = (secret: Secret, token: string, kind: FinishedRotation['kind']) => void

function rotateSecret(account: Account, input: Input, start: Start): object {
  const secret = find(account, input)
  const token = requestToken(input)
  refuseWhilePending(secret)
  configure(account, secret, input)
  const answer = { ARN: secret.arn, Name: secret.name, VersionId: token }
  // API_RotateSecret, ClientRequestToken: a version that exists is not created twice.
  if (secret.versions.has(token)) return answer
  const test = input.RotateImmediately === false
  // API_RotateSecret does not say which value the version of the test has; seen to be the current one (getmoto/moto#8547).
  register(account, secret, token, test ? holderOf(secret, 'AWSCURRENT')?.value : undefined)
  start(secret, token, test ? 'test' : 'rotation')
  return answer
}

const ROTATION = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const
const TEST = ['testSecret'] as const

async function drive(
  account: Account,
  secret: Secret,
  token: string,
  kind: FinishedRotation['kind'],
  invoke: ((event: RotationEvent) => Promise<unknown>) | undefined
): Promise<FinishedRotation> {
  const steps: string[] = []
  const base = { secret: secret.name, token, kind, steps }
  const RotationToken = randomUUID()
  try {
    for (const Step of kind === 'test' ? TEST : ROTATION) {
      // The answer to RotateSecret comes first: "Rotation is an asynchronous process" (API_RotateSecret).
      await new Promise(setImmediate)
      goOn(secret, token)
      steps.push(Step)
      if (!invoke) throw new Error('no rotation function answers')
      await invoke({ Step, SecretId: secret.arn, ClientRequestToken: token, RotationToken })
    }
    if (kind === 'rotation') succeed(account, secret, token)
    return base
  } catch (error) {
    return { ...base, error }
  } finally {
    if (kind === 'test') endTest(account, secret, token)
  }
}

/**
 * A cancelled rotation (API_CancelRotateSecret), or one whose label a later Put took away (RotationAbandoned),
 * invokes no further step.
 */
function goOn(secret: Secret, token: string): void {
  if (!secret.rotation?.enabled) throw new Error('RotationCancelled')
  const labels = secret.versions.get(token)?.labels
  if (!labels?.has('AWSPENDING') && !labels?.has('AWSCURRENT')) throw new Error('RotationAbandoned')
}

/**
 * API_RotateSecret: after success AWSPENDING "might be attached to the same version as the AWSCURRENT version, or …
 * not … to any version".
 */
function succeed(account: Account, secret: Secret, token: string): void {
  const pending = holderOf(secret, 'AWSPENDING')
  if (pending && !pending.labels.has('AWSCURRENT')) throw new Error('RotationFailed: AWSPENDING is left on another version')
  if (!secret.versions.get(token)?.labels.has('AWSCURRENT')) throw new Error('RotationAbandoned')
  if (secret.rotation) {
    secret.rotation.lastRotatedAt = account.now()
    secret.rotation.countsFrom = account.now()
  }
  changed(account, secret)
}

/** API_RotateSecret, RotateImmediately: the test "creates an AWSPENDING version of the secret and then removes it". */
function endTest(account: Account, secret: Secret, token: string): void {
  const version = secret.versions.get(token)
  if (!version) return
  detach(secret, version, 'AWSPENDING')
  if (version.labels.size === 0) secret.versions.delete(token)
  changed(account, secret)
}
