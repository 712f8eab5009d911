import { asKeyturnError, KeyturnError } from '../errors.ts'
import type { Problem, Target } from '../ports/target.ts'
import { problem } from '../problem.ts'
import { created, lastUsed, listed, removed, switched } from './aws-iam-calls.ts'
import { type Iam, type IamSettings, iam } from './aws-iam-client.ts'
import { type IamKey, iamKey, TYPE } from './aws-iam-document.ts'
import { type IdentitySettings, identityCall } from './aws-iam-identity.ts'
import { smtpPassword } from './aws-iam-smtp.ts'
import { type MintedSettings, minted } from './minted.ts'
import type { KeyFacts, KeyProvider } from './minted-provider.ts'

export interface AwsIamSettings extends IamSettings, Omit<IdentitySettings, 'region'> {
  readonly minted?: MintedSettings | undefined
}

type Call = KeyProvider<IamKey>['call']

const HOUR_MS = 3_600_000

const FACTS: KeyFacts = {
  name: TYPE,
  kind: TYPE,
  // reference_iam-quotas.html, "Access keys assigned to an IAM user": 2, not adjustable; inactive ones count.
  maxLive: 2,
  overlap: 'dual',
  // id_credentials_access-keys_update.html and the credential report: of several uses within 15 minutes the first is recorded.
  lastUsed: 'coarse',
  // IAM states no lag for GetAccessKeyLastUsed; of its other last-use data it says "usually appears within four hours"
  // (API_GenerateServiceLastAccessedDetails).
  telemetryLagMs: 4 * HOUR_MS,
  mintedOnce: true,
  // Seen: 15 s (aws-sdk-js#559), some 10 s (cert-manager/aws-privateca-issuer#408); AWS names no bound.
  settlesMs: 60_000
}

/** Access keys of one IAM user. Needs iam:CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey and GetAccessKeyLastUsed on it. */
export const awsIamAccessKey = (settings: AwsIamSettings): Target => minted(provider(settings), settings.minted)

/** A key of IAM has neither name nor tag, so that the mark is kept nowhere. */
function provider(settings: AwsIamSettings): KeyProvider<IamKey> {
  const ask = iam(settings)
  const call = identityCall(settings)
  return {
    facts: FACTS,
    inspect: iamKey,
    create: (current, _mark, signal) => created(ask, current, signal),
    list: (of, signal) => listed(ask, of, signal),
    call,
    lastUse: (of, id, signal) => lastUsed(ask, of, id, signal),
    switching: {
      disable: (of, id, signal) => switched(ask, of, id, 'Inactive', signal),
      enable: async (of, id, signal) => void (await switched(ask, of, id, 'Active', signal))
    },
    remove: (of, id, signal) => removed(ask, of, id, signal),
    preflight: async (current, _list, signal) => [...(await untold(ask, call, current, signal)), ...mailless(current)]
  }
}

/** Without iam:GetAccessKeyLastUsed the old key is never known to be idle; and the answer says whose key it is. */
async function untold(ask: Iam, call: Call, current: IamKey, signal: AbortSignal): Promise<readonly Problem[]> {
  const { principal: id, account: user } = current
  const usage = await lastUsed(ask, current, id, signal).catch((e: unknown) => asKeyturnError(e))
  if (!(usage instanceof KeyturnError)) return []
  if (usage.code !== 'not-found/principal') return [problem(usage.code, usage.message, usage.code === 'conflict/key-not-ours')]
  // One that is dead is told by minted.ts. One that lives would be replaced by a key of another user, and could not be deleted.
  const called = await call(current, signal).catch(() => undefined)
  if (called?.state !== 'alive') return []
  const message = `${id} works, and is no key of the IAM user ${user} in this account: correct userName, or rotate it in its own`
  return [problem('conflict/key-not-ours', message)]
}

/** A password of the years before 2019, or of another region, is no reason to refuse the document: the next one is right. */
function mailless({ secretAccessKey, smtp }: IamKey): readonly Problem[] {
  if (!smtp || smtpPassword(secretAccessKey, smtp.region).equals(smtp.password)) return []
  const message = `smtpPassword is not the secretAccessKey’s for ${smtp.region}: a rotation replaces it by the one that is`
  return [problem('invalid/document', message, false)]
}
