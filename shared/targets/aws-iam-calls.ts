import type { AccessKeyMetadata } from '@aws-sdk/client-iam'
import { hasCode, KeyturnError } from '../errors.ts'
import type { Usage } from '../ports/target.ts'
import { type Instant, instant, SecretText } from '../types.ts'
import type { Iam } from './aws-iam-client.ts'
import { type IamKey, withKey } from './aws-iam-document.ts'
import type { KeyList, ListedKey } from './minted-provider.ts'

/** Never repeated but where AWS says that nothing was done: a second one would be a second key. */
export async function created(ask: Iam, current: IamKey, signal: AbortSignal): Promise<SecretText> {
  const { CreateAccessKeyCommand } = await import('@aws-sdk/client-iam')
  const user = current.account
  const command = new CreateAccessKeyCommand({ UserName: user })
  const asking = { op: 'CreateAccessKey', user, isRepeatable: false }
  const { found } = await ask({ ...asking, send: (client, options) => client.send(command, options) }, signal)
  const { AccessKeyId: id, SecretAccessKey: key } = found.AccessKey ?? {}
  if (id === undefined || key === undefined)
    throw new KeyturnError('invalid/answer', `iam:CreateAccessKey for ${user} was answered without AccessKey`)
  return withKey(current, id, new SecretText(key))
}

export async function listed(ask: Iam, { account: user }: IamKey, signal: AbortSignal): Promise<KeyList> {
  const { ListAccessKeysCommand } = await import('@aws-sdk/client-iam')
  const keys: ListedKey[] = []
  let marker: string | undefined
  for (;;) {
    const command = new ListAccessKeysCommand({ UserName: user, ...(marker !== undefined && { Marker: marker }) })
    const asking = { op: 'ListAccessKeys', user, isRepeatable: true }
    const { found, at } = await ask({ ...asking, send: (client, options) => client.send(command, options) }, signal)
    keys.push(...(found.AccessKeyMetadata ?? []).flatMap(keyOf))
    if (found.IsTruncated !== true) return { keys, now: at }
    // "if IsTruncated is true, Marker is present"; and it moves on, or this would never end.
    if (found.Marker === undefined || found.Marker === marker)
      throw new KeyturnError('invalid/answer', `iam:ListAccessKeys for ${user} says that there is more, and not where`)
    marker = found.Marker
  }
}

const keyOf = ({ AccessKeyId: id, CreateDate, Status }: AccessKeyMetadata): readonly ListedKey[] => {
  if (id === undefined) return []
  const createdAt = CreateDate && instant(CreateDate.getTime())
  // API_AccessKeyMetadata: Active, Inactive or Expired; "Active means that the key is valid for API calls".
  return [{ id, createdAt, isDisabled: Status !== undefined && Status !== 'Active' }]
}

/** Gives the time by IAM's clock. */
export async function switched(
  ask: Iam,
  { account: user }: IamKey,
  id: string,
  status: 'Active' | 'Inactive',
  signal: AbortSignal
): Promise<Instant> {
  const { UpdateAccessKeyCommand } = await import('@aws-sdk/client-iam')
  const command = new UpdateAccessKeyCommand({ UserName: user, AccessKeyId: id, Status: status })
  const asking = { op: 'UpdateAccessKey', user, isRepeatable: true }
  return (await ask({ ...asking, send: (client, options) => client.send(command, options) }, signal)).at
}

/**
 * NoSuchEntity is said of a key that is gone, of a user that is gone or renamed, and of a key that IAM does not see yet
 * (troubleshoot_general.html, "Changes that I make are not always immediately visible"): only the first is what was wanted.
 */
export async function removed(ask: Iam, of: IamKey, id: string, signal: AbortSignal): Promise<void> {
  const { DeleteAccessKeyCommand } = await import('@aws-sdk/client-iam')
  const user = of.account
  const command = new DeleteAccessKeyCommand({ UserName: user, AccessKeyId: id })
  const asking = { op: 'DeleteAccessKey', user, isRepeatable: true }
  try {
    await ask({ ...asking, send: (client, options) => client.send(command, options) }, signal)
  } catch (e) {
    if (!hasCode(e, 'not-found/principal')) throw e
    const { keys } = await listed(ask, of, signal)
    if (!keys.some((key) => key.id === id)) return
    throw new KeyturnError('unavailable/provider', `IAM lists ${id} of ${user}, and deletes it not yet`, e.vendor)
  }
}

/**
 * API_AccessKeyLastUsed: no date and "N/A" of a key that was never used. Fails with `not-found/principal` where the user has no
 * such key, `conflict/key-not-ours` where another one has it.
 */
export async function lastUsed(ask: Iam, of: IamKey, id: string, signal: AbortSignal): Promise<Usage> {
  const { GetAccessKeyLastUsedCommand } = await import('@aws-sdk/client-iam')
  const user = of.account
  const command = new GetAccessKeyLastUsedCommand({ AccessKeyId: id })
  const asking = { op: 'GetAccessKeyLastUsed', user, isRepeatable: true }
  const asked = ask({ ...asking, send: (client, options) => client.send(command, options) }, signal)
  const { found } = await asked.catch(async (e: unknown) => {
    throw await explained(ask, of, id, e, signal)
  })
  if (found.UserName !== undefined && found.UserName !== user)
    throw new KeyturnError('conflict/key-not-ours', `${id} is a key of the IAM user ${found.UserName}, not of ${user}`)
  const last = found.AccessKeyLastUsed
  if (last === undefined)
    throw new KeyturnError('invalid/answer', `iam:GetAccessKeyLastUsed for ${id} was answered without AccessKeyLastUsed`)
  return {
    state: 'last-used',
    lastUsedAt: last.LastUsedDate && instant(last.LastUsedDate.getTime()),
    service: named(last.ServiceName),
    region: named(last.Region)
  }
}

/**
 * Of a key that is not there IAM says AccessDenied, whatever the caller may (recorded from AWS in localstack,
 * tests/aws/services/iam/test_iam_users.snapshot.json, "get-last-used-nonexistent-key-error"); of another account's it is taken
 * to say the same. A list tells instead.
 */
async function explained(ask: Iam, of: IamKey, id: string, e: unknown, signal: AbortSignal): Promise<unknown> {
  if (!hasCode(e, 'denied/provider', 'not-found/principal')) return e
  const list = await listed(ask, of, signal).catch(() => undefined)
  if (list === undefined || list.keys.some((key) => key.id === id)) return e
  return new KeyturnError('not-found/principal', `the IAM user ${of.account} has no access key ${id}`, e.vendor)
}

const named = (text: string | undefined): string | undefined => (text === 'N/A' || text === '' ? undefined : text)
