import {
  DescribeSecretCommand,
  type DescribeSecretCommandOutput,
  GetSecretValueCommand,
  ListSecretsCommand,
  PutSecretValueCommand,
  type SecretListEntry,
  type SecretsManagerClient,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateSecretVersionStageCommand
} from '@aws-sdk/client-secrets-manager'
import { hasCode, KeyturnError } from '../errors.ts'
import { type Instant, instant, instantIn, type SecretId, SecretText, type Token, type VersionId } from '../types.ts'
import { vendorError } from './aws-client.ts'
import type { Stages } from './aws-labels.ts'

/** One secret at AWS, for the length of one logical effect. */
export interface Aws {
  readonly client: SecretsManagerClient
  /** The clock where an answer has no Date header. */
  readonly now: () => number
  readonly rotationToken: SecretText | undefined
}

async function ask<T>(
  op: string,
  id: SecretId,
  signal: AbortSignal,
  send: (options: { abortSignal: AbortSignal }) => Promise<T>
): Promise<T> {
  try {
    return await send({ abortSignal: signal })
  } catch (e) {
    throw vendorError(e, op, id)
  }
}

/** The service's own clock: the Date header of the answer (RFC 9110, 6.6.1; whole seconds). The SDK hands it to a middleware only. */
function dateOf(command: DescribeSecretCommand | ListSecretsCommand, now: () => number): () => Instant {
  let date: string | undefined
  // The two stacks differ in the types of what they carry, which is not looked at.
  const stack = command.middlewareStack as DescribeSecretCommand['middlewareStack']
  stack.add(
    (next) => async (args) => {
      const result = await next(args)
      date = (result.response as { headers?: Record<string, string> }).headers?.date
      return result
    },
    { step: 'deserialize', name: 'keyturnDate' }
  )
  return () => instantIn(date) ?? instant(now())
}

export interface Description {
  readonly raw: Pick<
    DescribeSecretCommandOutput & SecretListEntry,
    | 'ARN'
    | 'Name'
    | 'OwningService'
    | 'Type'
    | 'RotationEnabled'
    | 'LastRotatedDate'
    | 'LastChangedDate'
    | 'LastAccessedDate'
    | 'Tags'
    | 'ReplicationStatus'
  >
  readonly stages: Stages
  readonly seenAt: Instant
}

/** Fails with `not-found/secret`, or `disabled/secret` while the secret is scheduled for deletion. Repeatable: a read. */
export async function describeSecret(aws: Aws, id: SecretId, signal: AbortSignal): Promise<Description> {
  const command = new DescribeSecretCommand({ SecretId: id })
  const seenAt = dateOf(command, aws.now)
  const raw = await ask('DescribeSecret', id, signal, (o) => aws.client.send(command, o))
  if (raw.DeletedDate) throw new KeyturnError('disabled/secret', `${id} is scheduled for deletion`)
  return { raw, stages: raw.VersionIdsToStages ?? {}, seenAt: seenAt() }
}

export interface Value {
  readonly arn: SecretId
  readonly version: VersionId
  readonly text: SecretText
  readonly createdAt: Instant | undefined
  readonly labels: readonly string[]
}

/** The value of a version, or of current. Undefined: not there, as the store says it. Repeatable: a read. */
export async function getValue(
  aws: Aws,
  id: SecretId,
  version: VersionId | undefined,
  signal: AbortSignal
): Promise<Value | undefined> {
  const which = version === undefined ? { VersionStage: 'AWSCURRENT' } : { VersionId: version }
  try {
    const found = await ask('GetSecretValue', id, signal, (o) =>
      aws.client.send(new GetSecretValueCommand({ SecretId: id, ...which }), o)
    )
    if (found.SecretString === undefined) throw new KeyturnError('unsupported/binary', `${id} holds bytes, not text`)
    return {
      arn: found.ARN ?? id,
      version: found.VersionId ?? version ?? '',
      text: new SecretText(found.SecretString),
      createdAt: found.CreatedDate && instant(found.CreatedDate.getTime()),
      labels: found.VersionStages ?? []
    }
  } catch (e) {
    if (hasCode(e, 'not-found/secret')) return undefined
    throw await explained(aws, id, e, signal)
  }
}

/**
 * Writes a version and gives back the labels it has. Repeatable: API_PutSecretValue, "succeeds but does nothing" for the
 * token and the value that it has; so labels that are not in the answer show a token that was used before.
 * Fails with `conflict/token-spent` when the version has another value.
 */
export async function putVersion(
  aws: Aws,
  id: SecretId,
  token: Token,
  value: SecretText,
  labels: readonly string[],
  signal: AbortSignal
): Promise<readonly string[]> {
  const command = new PutSecretValueCommand({
    SecretId: id,
    ClientRequestToken: token,
    SecretString: value.reveal(),
    VersionStages: [...labels],
    ...(aws.rotationToken && { RotationToken: aws.rotationToken.reveal() })
  })
  try {
    return (await ask('PutSecretValue', id, signal, (o) => aws.client.send(command, o))).VersionStages ?? []
  } catch (e) {
    throw await explained(aws, id, e, signal)
  }
}

/**
 * Moves a label, or takes it off. Repeatable: `from` makes it a compare-and-set, and without it the label must be free;
 * so a second copy of the same request changes nothing, but it may be refused: whoever is refused looks.
 */
export async function moveLabel(
  aws: Aws,
  id: SecretId,
  label: string,
  move: { readonly from?: VersionId | undefined; readonly to?: VersionId | undefined },
  signal: AbortSignal
): Promise<void> {
  const command = new UpdateSecretVersionStageCommand({
    SecretId: id,
    VersionStage: label,
    ...(move.from !== undefined && { RemoveFromVersionId: move.from }),
    ...(move.to !== undefined && { MoveToVersionId: move.to })
  })
  await ask('UpdateSecretVersionStage', id, signal, (o) => aws.client.send(command, o))
}

/** Whether a refusal may mean that labels are not where they were thought to be. */
export const wasRefused = (e: unknown): e is KeyturnError =>
  e instanceof KeyturnError &&
  ['ResourceNotFoundException', 'InvalidParameterException', 'InvalidRequestException'].includes(e.vendor ?? '')

/**
 * InvalidRequestException means scheduled for deletion, managed by another service, or something else, and only its
 * message says which (API reference, Errors): a look tells instead.
 */
export async function explained(aws: Aws, id: SecretId, e: unknown, signal: AbortSignal): Promise<unknown> {
  if (!(e instanceof KeyturnError) || e.vendor !== 'InvalidRequestException') return e
  const found = await describeSecret(aws, id, signal).catch((why: unknown) => why as KeyturnError)
  if (found instanceof KeyturnError) return hasCode(found, 'disabled/secret', 'not-found/secret') ? found : e
  if (found.raw.OwningService === undefined) return e
  return new KeyturnError('conflict/managed-elsewhere', `${id} is managed by ${found.raw.OwningService}`)
}

/** Adds and overwrites tags. Repeatable: the same tags twice are the same tags. */
export async function setTags(
  aws: Aws,
  id: SecretId,
  tags: Readonly<Record<string, string>>,
  signal: AbortSignal
): Promise<void> {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  if (Tags.length === 0) return
  try {
    await ask('TagResource', id, signal, (o) => aws.client.send(new TagResourceCommand({ SecretId: id, Tags }), o))
  } catch (e) {
    throw await explained(aws, id, e, signal)
  }
}

/** Repeatable: a tag that is not there is no error. */
export async function removeTags(aws: Aws, id: SecretId, keys: readonly string[], signal: AbortSignal): Promise<void> {
  if (keys.length === 0) return
  const command = new UntagResourceCommand({ SecretId: id, TagKeys: [...keys] })
  try {
    await ask('UntagResource', id, signal, (o) => aws.client.send(command, o))
  } catch (e) {
    throw await explained(aws, id, e, signal)
  }
}

/** Every secret with a tag whose key begins so. API_ListSecrets: "might not reflect changes from the last five minutes". */
export async function* listTagged(aws: Aws, tagKey: string, signal: AbortSignal): AsyncGenerator<Description> {
  let from: string | undefined
  do {
    const command = new ListSecretsCommand({
      Filters: [{ Key: 'tag-key', Values: [tagKey] }],
      MaxResults: 100,
      ...(from !== undefined && { NextToken: from })
    })
    const seenAt = dateOf(command, aws.now)
    const page = await ask('ListSecrets', tagKey, signal, (o) => aws.client.send(command, o))
    for (const raw of page.SecretList ?? []) yield { raw, stages: raw.SecretVersionsToStages ?? {}, seenAt: seenAt() }
    from = page.NextToken
  } while (from !== undefined)
}
