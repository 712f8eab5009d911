import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { decodeMetadata, encodePatch } from '../../shared/metadata.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { TAG_PREFIX } from '../../shared/stores/aws-facts.ts'
import { holderOf, pendingsOf, type Stages } from '../../shared/stores/aws-labels.ts'
import { awsSecretsManager } from '../../shared/stores/aws-secrets-manager.ts'
import type { Instant, SecretId } from '../../shared/types.ts'
import type { ModelService, ModelStore } from './model-store.ts'
import type { Wire } from './model-wire.ts'
import { describeSecret, listSecrets, tagResource, untagResource } from './secrets-manager-catalog.ts'
import { type Account, attach, type Operation, type Secret, vendorType } from './secrets-manager-state.ts'
import { getSecretValue, putSecretValue, updateSecretVersionStage } from './secrets-manager-values.ts'

const OPERATIONS: Readonly<Record<string, Operation>> = {
  DescribeSecret: describeSecret,
  GetSecretValue: getSecretValue,
  PutSecretValue: putSecretValue,
  UpdateSecretVersionStage: updateSecretVersionStage,
  ListSecrets: listSecrets,
  TagResource: tagResource,
  UntagResource: untagResource
}

/**
 * keyturn's own adapter of AWS Secrets Manager, on the double's rules without its server: in one process, with every API
 * call a scheduling point.
 */
export function awsStore(now: () => Instant): ModelStore {
  const account: Account = { region: 'us-east-1', now, secrets: new Map() }
  const find = (id: SecretId): Secret => {
    const found = [...account.secrets.values()].find((s) => s.arn === id || s.name === id)
    if (!found) throw new TypeError(`no secret ${id}`)
    return found
  }
  const values = (id: SecretId): readonly string[] => [...find(id).versions.keys()].flatMap((v) => textOf(find(id), v) ?? [])
  return {
    kind: 'aws',
    connect: (wire) => awsSecretsManager({ client: inProcess(account, wire), now }),
    create(name, text, patch) {
      const secret = emptySecret(name, now())
      for (const [key, value] of Object.entries(encodePatch(patch).set)) secret.tags.set(TAG_PREFIX + key, value)
      account.secrets.set(name, secret)
      write(secret, 'v0'.padEnd(32, '-'), text, now())
      return secret.arn
    },
    overwrite: (id, text) => write(find(id), `person ${find(id).versions.size}`.padEnd(32, '-'), text, now()),
    writeRaw: (id, key, text) => void find(id).tags.set(TAG_PREFIX + key, text),
    look: (id) => factsOf(find(id), now()),
    valueOf: (id, version) => textOf(find(id), version),
    readable: (id) => [{ text: textOf(find(id), holderOf(stagesOf(find(id)), 'AWSCURRENT') ?? '') ?? '' }],
    values,
    snapshot: () => JSON.stringify([...account.secrets.values()], (_, v) => (v instanceof Map || v instanceof Set ? [...v] : v)),
    service: serviceOf(find, now)
  }
}

const emptySecret = (name: string, at: Instant): Secret => ({
  name,
  arn: `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-a1b2c3`,
  createdAt: at,
  changedAt: at,
  versions: new Map(),
  tags: new Map(),
  replicas: [],
  rotation: { enabled: true, lambdaArn: 'arn:aws:lambda:us-east-1:123456789012:function:keyturn', countsFrom: at }
})

function write(secret: Secret, id: string, text: string, at: Instant): void {
  const version = { id, createdAt: at, labels: new Set<string>(), value: { SecretString: text } }
  secret.versions.set(id, version)
  attach(secret, version, 'AWSCURRENT')
  secret.changedAt = at
}

function textOf(secret: Secret, version: string): string | undefined {
  const value = secret.versions.get(version)?.value
  return value && 'SecretString' in value ? value.SecretString : undefined
}

const stagesOf = (secret: Secret): Stages =>
  Object.fromEntries([...secret.versions.values()].filter((v) => v.labels.size > 0).map((v) => [v.id, [...v.labels]]))

function factsOf(secret: Secret, seenAt: Instant): SecretFacts {
  const stages = stagesOf(secret)
  const tags = [...secret.tags].map(([key, value]) => [key.slice(TAG_PREFIX.length), value])
  const current = holderOf(stages, 'AWSCURRENT')
  return {
    id: secret.arn,
    name: secret.name,
    seenAt,
    current,
    currentToken: current,
    pendings: pendingsOf(stages),
    previous: holderOf(stages, 'AWSPREVIOUS'),
    spent: [],
    replicasInSync: true,
    metadata: decodeMetadata(Object.fromEntries(tags))
  }
}

/** The SDK's client, as far as the adapter uses it: one command, one call. */
function inProcess(account: Account, wire: Wire): SecretsManagerClient {
  const send = (command: {
    readonly input: Readonly<Record<string, unknown>>
    readonly constructor: { readonly name: string }
  }) => {
    const op = command.constructor.name.replace(/^_?(\w+?)Command\d*$/, '$1')
    const { input } = command
    const label = [
      op,
      input.VersionId ?? input.ClientRequestToken,
      input.VersionStage,
      input.MoveToVersionId,
      input.VersionStages
    ]
    const name = label.filter((part) => part !== undefined).join(' ')
    return wire.call({ to: 'store', name, writes: /^(Put|Update|Tag|Untag)/.test(op) }, () => answered(account, op, input))
  }
  return { send } as unknown as SecretsManagerClient
}

const DATES = ['CreatedDate', 'LastChangedDate', 'LastAccessedDate', 'LastRotatedDate', 'DeletedDate']

function answered(account: Account, op: string, input: Readonly<Record<string, unknown>>): object {
  const operation = OPERATIONS[op]
  if (!operation) throw new TypeError(`no operation ${op}`)
  try {
    const answer: Record<string, unknown> = { ...operation(account, input) }
    for (const field of DATES) if (typeof answer[field] === 'number') answer[field] = new Date(answer[field] * 1000)
    return answer
  } catch (e) {
    const name = vendorType(e)
    throw name === undefined ? e : Object.assign(new Error((e as Error).message), { name, $metadata: { httpStatusCode: 400 } })
  }
}

function serviceOf(find: (id: SecretId) => Secret, now: () => Instant): ModelService {
  const labels = (id: SecretId, token: string): ReadonlySet<string> => find(id).versions.get(token)?.labels ?? new Set()
  const elsewhere = (id: SecretId): boolean =>
    [...find(id).versions.values()].some((v) => v.labels.has('AWSPENDING') && !v.labels.has('AWSCURRENT'))
  return {
    rotateSecret(id, token) {
      if (elsewhere(id)) return false
      const version = { id: token, createdAt: now(), labels: new Set<string>(), value: undefined }
      find(id).versions.set(token, version)
      attach(find(id), version, 'AWSPENDING')
      find(id).changedAt = now()
      return true
    },
    putPending(id, version, text) {
      const made = { id: version, createdAt: now(), labels: new Set<string>(), value: { SecretString: text } }
      find(id).versions.set(version, made)
      attach(find(id), made, 'AWSPENDING')
    },
    isPending: (id, token) => labels(id, token).has('AWSPENDING') && !labels(id, token).has('AWSCURRENT'),
    goesOn: (id, token) => labels(id, token).has('AWSPENDING') || labels(id, token).has('AWSCURRENT'),
    succeed(id, token) {
      const { rotation } = find(id)
      if (elsewhere(id) || !labels(id, token).has('AWSCURRENT') || !rotation) return
      rotation.lastRotatedAt = now()
      find(id).changedAt = now()
    }
  }
}
