import { asKeyturnError, hasCode, KeyturnError } from '../errors.ts'
import { arrayIn, lastPartOf, recordIn, textIn } from '../google-api.ts'
import type { ApiRequest, ProviderApi } from '../provider-api.ts'
import { type Instant, instantIn, SecretText } from '../types.ts'
import { accepted, missing, type Wanted } from './gcp-answers.ts'
import { type ServiceAccountKey, withKey } from './gcp-service-account-document.ts'
import type { KeyList } from './minted-provider.ts'

/** cloud.google.com/iam/docs/keys-create-delete, “Create a service account key”. */
export const MAX_KEYS = 10

const wantedOf = (of: ServiceAccountKey, action: string): Wanted => ({
  what: `IAM was asked to ${action} a key of ${of.account}`,
  needs: `iam.serviceAccountKeys.${action} (roles/iam.serviceAccountKeyAdmin)`
})

/** By the project and not by `-`, with which a key that is not there is answered 403 (keys.delete, “misleading error codes”). */
const keysPath = ({ projectId, account }: ServiceAccountKey, rest = ''): string =>
  `/v1/projects/${encodeURIComponent(projectId)}/serviceAccounts/${encodeURIComponent(account)}/keys${rest}`

const keyPath = (of: ServiceAccountKey, id: string, rest = ''): string => keysPath(of, `/${encodeURIComponent(id)}${rest}`)

export async function created(iam: ProviderApi, current: ServiceAccountKey, signal: AbortSignal): Promise<SecretText> {
  const wanted = wantedOf(current, 'create')
  const body = { privateKeyType: 'TYPE_GOOGLE_CREDENTIALS_FILE', keyAlgorithm: 'KEY_ALG_RSA_2048' }
  const request: ApiRequest = { method: 'POST', path: keysPath(current), body }
  const answer = await iam(request, signal)
    .then((found) => accepted(found, wanted))
    .catch(async (e: unknown) => {
      await refuseFull(iam, current, asKeyturnError(e), signal)
      throw e
    })
  const id = lastPartOf(answer.name)
  try {
    const data = textIn(answer.privateKeyData)
    if (data === undefined) throw missing(wanted, 'privateKeyData')
    return withKey(current, new SecretText(Buffer.from(data, 'base64').toString('utf8')))
  } catch (e) {
    // It cannot be read a second time, and it has no mark by which it would be found.
    if (id !== undefined && id !== current.principal) await removed(iam, current, id, signal).catch(() => {})
    throw hasCode(e, 'invalid/answer') ? e : new KeyturnError('invalid/answer', `${wanted.what}: what it made is no key file`)
  }
}

/**
 * Ten keys are answered by 400 FAILED_PRECONDITION without any detail (firebase-tools#6192, google-api-dotnet-client#2027);
 * before 2022 it was 429. Only the list tells it from what else such an answer may mean.
 */
async function refuseFull(iam: ProviderApi, of: ServiceAccountKey, e: KeyturnError, signal: AbortSignal): Promise<void> {
  const isPolicy = e.vendor?.startsWith('constraints/')
  if (isPolicy || (e.code !== 'throttled/provider' && e.code !== 'denied/provider-policy')) return
  const { keys } = await listed(iam, of, signal)
  if (keys.length < MAX_KEYS) return
  throw new KeyturnError('conflict/full', `${of.account} has ${keys.length} keys, as many as it may`, e.vendor)
}

interface IamKey {
  readonly id: string
  readonly createdAt: Instant | undefined
  /** Undefined: never. */
  readonly expiresAt: Instant | undefined
  readonly isDisabled: boolean
}

export async function listed(iam: ProviderApi, of: ServiceAccountKey, signal: AbortSignal) {
  const wanted = wantedOf(of, 'list')
  // Google's own keys of the account are neither ours nor in the limit.
  const answer = await iam({ method: 'GET', path: keysPath(of, '?keyTypes=USER_MANAGED') }, signal)
  const keys = arrayIn(accepted(answer, wanted).keys).map((item): IamKey => {
    const { name, validAfterTime, validBeforeTime, disabled } = recordIn(item)
    const id = lastPartOf(name)
    if (id === undefined) throw missing(wanted, 'keys[].name')
    const until = textIn(validBeforeTime)
    const expiresAt = until?.startsWith('9999-') ? undefined : instantIn(until)
    return { id, createdAt: instantIn(textIn(validAfterTime)), expiresAt, isDisabled: disabled === true }
  })
  return { keys, now: answer.date } satisfies Pick<KeyList, 'now'> & { readonly keys: readonly IamKey[] }
}

export async function switched(
  iam: ProviderApi,
  of: ServiceAccountKey,
  id: string,
  to: 'disable' | 'enable',
  signal: AbortSignal
) {
  const request: ApiRequest = { method: 'POST', path: keyPath(of, id, `:${to}`), body: {}, repeatable: true }
  const answer = await iam(request, signal)
  try {
    accepted(answer, wantedOf(of, to))
  } catch (e) {
    // The reference does not say what a repeat is answered.
    if (!hasCode(e, 'denied/provider-policy')) throw e
    const { keys } = await listed(iam, of, signal)
    if (keys.find((key) => key.id === id)?.isDisabled !== (to === 'disable')) throw e
  }
  return answer.date
}

export async function removed(iam: ProviderApi, of: ServiceAccountKey, id: string, signal: AbortSignal): Promise<void> {
  const answer = await iam({ method: 'DELETE', path: keyPath(of, id) }, signal)
  try {
    accepted(answer, wantedOf(of, 'delete'))
  } catch (e) {
    if (!hasCode(e, 'not-found/principal')) throw e
  }
}
