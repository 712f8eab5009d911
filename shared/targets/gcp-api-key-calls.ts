import { asKeyturnError, hasCode, KeyturnError } from '../errors.ts'
import { arrayIn, lastPartOf, recordIn, textIn } from '../google-api.ts'
import type { ProviderApi } from '../provider-api.ts'
import { type Instant, instant, instantIn } from '../types.ts'
import { accepted, missing, type Wanted } from './gcp-answers.ts'
import type { ApiKeyDocument } from './gcp-api-key-document.ts'
import { finished, type OperationSettings } from './gcp-api-key-operations.ts'
import { reachOf } from './gcp-api-key-restrictions.ts'

/** “Up to 300 API keys per project”, which no quota raises: cloud.google.com/docs/authentication/api-keys. */
export const MAX_KEYS = 300

const wantedOf = ({ account }: ApiKeyDocument, action: keyof typeof PERMISSIONS): Wanted => ({
  what: `the API Keys API was asked to ${action} in ${account}`,
  needs: `${PERMISSIONS[action]} (roles/serviceusage.apiKeysAdmin)`
})

/** cloud.google.com/api-keys/docs/access-control. */
const PERMISSIONS = {
  'create a key': 'apikeys.keys.create',
  'list the keys': 'apikeys.keys.list',
  'get a key': 'apikeys.keys.get',
  'get a key’s string': 'apikeys.keys.getKeyString',
  'delete a key': 'apikeys.keys.delete'
} as const

const keysPath = ({ account }: ApiKeyDocument): string => `/v2/projects/${encodeURIComponent(account)}/locations/global/keys`
const keyPath = (of: ApiKeyDocument, id: string): string => `${keysPath(of)}/${encodeURIComponent(id)}`

export interface ApiKey {
  readonly id: string
  readonly name: string | undefined
  readonly createdAt: Instant | undefined
  readonly isDeleted: boolean
  readonly raw: Readonly<Record<string, unknown>>
}

function keyIn(item: unknown, wanted: Wanted): ApiKey {
  const raw = recordIn(item)
  const id = lastPartOf(raw.name)
  if (id === undefined) throw missing(wanted, 'name of a key')
  const createdAt = instantIn(textIn(raw.createTime))
  return { id, name: textIn(raw.displayName), createdAt, isDeleted: raw.deleteTime !== undefined, raw }
}

/** Every page of them. */
export async function listed(api: ProviderApi, of: ApiKeyDocument, signal: AbortSignal, showDeleted = false) {
  const wanted = wantedOf(of, 'list the keys')
  const keys: ApiKey[] = []
  let pageToken: string | undefined
  let now: Instant = instant(0)
  do {
    const query = new URLSearchParams({
      pageSize: '300',
      ...(showDeleted && { showDeleted: 'true' }),
      ...(pageToken && { pageToken })
    })
    const answer = await api({ method: 'GET', path: `${keysPath(of)}?${query}` }, signal)
    const page = accepted(answer, wanted)
    keys.push(...arrayIn(page.keys).map((item) => keyIn(item, wanted)))
    const next = textIn(page.nextPageToken)
    if (next !== undefined && next === pageToken) throw missing(wanted, 'nextPageToken of its own')
    pageToken = next
    now = answer.date
  } while (pageToken !== undefined)
  return { keys: showDeleted ? keys : keys.filter(({ isDeleted }) => !isDeleted), now }
}

interface Making {
  readonly source: ApiKey
  readonly mark: string
  readonly living: number
}

/** Its id is the mark, which no other key of the project may have: a creation that comes twice makes one key. */
export async function created(
  api: ProviderApi,
  current: ApiKeyDocument,
  { source, mark, living }: Making,
  pauses: OperationSettings,
  signal: AbortSignal
): Promise<ApiKey> {
  if (living >= MAX_KEYS) throw new KeyturnError('conflict/full', `${current.account} has ${living} keys, as many as it may`)
  const wanted = wantedOf(current, 'create a key')
  const body = { displayName: mark, ...reachOf(source.raw) }
  const began = await api({ method: 'POST', path: `${keysPath(current)}?keyId=${mark}`, body }, signal)
  try {
    return keyIn(await finished(api, began, wanted, pauses, signal), wanted)
  } catch (e) {
    if (!hasCode(e, 'conflict/token-spent')) throw e
    const got = await api({ method: 'GET', path: keyPath(current, mark) }, signal)
    const there = keyIn(accepted(got, wantedOf(current, 'get a key')), wanted)
    if (there.name !== mark || there.isDeleted) throw e
    return there
  }
}

export async function keyString(api: ProviderApi, of: ApiKeyDocument, id: string, signal: AbortSignal): Promise<string> {
  const wanted = wantedOf(of, 'get a key’s string')
  const text = textIn(accepted(await api({ method: 'GET', path: `${keyPath(of, id)}/keyString` }, signal), wanted).keyString)
  if (text === undefined) throw missing(wanted, 'keyString')
  return text
}

export async function removed(
  api: ProviderApi,
  of: ApiKeyDocument,
  id: string,
  pauses: OperationSettings,
  signal: AbortSignal
): Promise<void> {
  const began = await api({ method: 'DELETE', path: keyPath(of, id) }, signal)
  try {
    await finished(api, began, wantedOf(of, 'delete a key'), pauses, signal)
  } catch (e) {
    // The reference does not say how a key is refused that is deleted already, and can be brought back for 30 days.
    const { code } = asKeyturnError(e)
    if (code === 'unavailable/provider' || (await listed(api, of, signal)).keys.some((key) => key.id === id)) throw e
  }
}
