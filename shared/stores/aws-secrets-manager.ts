import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { hasCode, KeyturnError } from '../errors.ts'
import { refuseLong } from '../length.ts'
import { encodePatch } from '../metadata.ts'
import type { CurrentReader, SecretCatalog, SecretStore, StoreFacts } from '../ports/secret-store.ts'
import { setAside } from '../set-aside.ts'
import type { SecretId, SecretText } from '../types.ts'
import { type Aws, describeSecret, getValue, listTagged, removeTags, setTags } from './aws-calls.ts'
import { factsOf, TAG_PREFIX } from './aws-facts.ts'
import { baseOf, CURRENT, OURS, PENDING } from './aws-labels.ts'
import { claim, drop, promote, stageForStore, stageOwn } from './aws-stages.ts'

export interface AwsSecretsManagerSettings {
  readonly client: SecretsManagerClient
  /** The clock where an answer has no Date header. Default: the machine's. */
  readonly now?: () => number
  /** RotationToken of a four-step event: PutSecretValue needs it when the function's role is not the secret's account's. */
  readonly rotationToken?: SecretText | undefined
}

export interface AwsSecretsManager extends SecretStore, SecretCatalog, CurrentReader {
  /** Every tag of a secret, the service's own too (`aws:…`): what RDS says of a master secret that it manages. */
  tagsOf(id: SecretId, signal: AbortSignal): Promise<Readonly<Record<string, string>>>
  /** The same store for one four-step event. */
  withRotationToken(rotationToken: SecretText): AwsSecretsManager
}

const FACTS: StoreFacts = {
  name: 'AWS Secrets Manager',
  compareAndSet: true,
  fence: true,
  // API_ListSecrets: "All Secrets Manager operations are eventually consistent", without a bound. A minute is ours:
  // label moves are seen within seconds.
  convergenceMs: 60_000,
  metadataCompareAndSet: false,
  // API_PutSecretValue, SecretString: 65536.
  maxValueBytes: 65_536,
  cannot:
    'compare tags: of two people who change the same metadata at once the later one wins; and a promotion of a dropped attempt is refused only when current moved since'
}

/**
 * AWS Secrets Manager. current = AWSCURRENT, previous = AWSPREVIOUS; pending = AWSPENDING for an attempt that Secrets
 * Manager drives (its token is the version's id before there is a value), `keyturn-pending` for one of ours, and each
 * version written here has a mark with the version it was made from. Metadata are tags, `keyturn:…`; they have no
 * compare-and-set. Calls, when nothing is wrong: describe 1 (2 while a claim is held) · read 1 · stage 1 for the store's
 * own rotation, 3 for ours · promote 1 · claim 3 · drop 1 and one a label · annotate 1, or 2 when tags are removed.
 * What is not guaranteed: a promote of a dropped attempt is refused only when current moved since (design rule 6).
 */
export function awsSecretsManager(settings: AwsSecretsManagerSettings): AwsSecretsManager {
  const aws: Aws = { client: settings.client, now: settings.now ?? Date.now, rotationToken: settings.rotationToken }
  return {
    facts: FACTS,
    async describe(id, signal) {
      try {
        return await factsOf(aws, await describeSecret(aws, id, signal), signal)
      } catch (e) {
        if (hasCode(e, 'not-found/secret')) return undefined
        throw e
      }
    },
    async read(id, version, signal) {
      const found = await getValue(aws, id, version, signal)
      if (!found) return undefined
      const { text, createdAt, labels } = found
      const pending = labels.includes(PENDING) || labels.includes(OURS)
      return { text, createdAt, stages: { current: labels.includes(CURRENT), pending, base: baseOf(labels, version) } }
    },
    claim: (id, attempt, seen, signal) => claim(aws, id, attempt, seen, signal),
    // Secrets Manager's own rotation stages too, so that only a look tells what is pending after a write.
    async stage(id, attempt, value, signal) {
      refuseLong(value, FACTS)
      await (attempt.driver === 'store' ? stageForStore : stageOwn)(aws, id, attempt, value, signal)
      return undefined
    },
    async promote(id, attempt, signal) {
      await promote(aws, id, attempt, signal)
      return undefined
    },
    async drop(id, token, signal) {
      await drop(aws, id, token, signal)
      return undefined
    },
    list: (signal) => list(aws, signal),
    async annotate(id, patch, _expected, signal) {
      const { set, remove } = encodePatch(patch, TAG_PREFIX)
      // Set first: a run that dies between the two leaves what a repeat finishes, and never a hold that is gone too early.
      await setTags(aws, id, set, signal)
      await removeTags(aws, id, remove, signal)
    },
    async readCurrent(id, signal) {
      const found = await getValue(aws, id, undefined, signal)
      if (!found) throw new KeyturnError('not-found/secret', `there is no secret ${id}, or it has no current value`)
      return { id: found.arn, version: found.version, text: found.text, createdAt: found.createdAt }
    },
    async tagsOf(id, signal) {
      const { raw } = await describeSecret(aws, id, signal)
      return Object.fromEntries((raw.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]))
    },
    withRotationToken: (rotationToken) => awsSecretsManager({ ...settings, rotationToken })
  }
}

/**
 * Managed secrets, a hundred a call. ListSecrets may be five minutes old, shows no replication (`replicasInSync` is true
 * here without proof) and no secret that is scheduled for deletion: good for planning; every effect looks again.
 */
async function* list(aws: Aws, signal: AbortSignal) {
  const rest = setAside()
  for await (const found of listTagged(aws, `${TAG_PREFIX}kind`, signal)) {
    // The filter matches beginnings (API_Filter).
    if (!found.raw.Tags?.some((t) => t.Key === `${TAG_PREFIX}kind`)) continue
    try {
      yield await factsOf(aws, found, signal)
    } catch (e) {
      rest.put(e)
    }
  }
  rest.say()
}
