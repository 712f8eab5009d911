import {
  arbitrary,
  attributesOf,
  badParameter,
  baseId,
  bundleOf,
  conflict,
  lookUp,
  newestOf,
  notFound,
  type Operation,
  type Request,
  refuse,
  type Secret,
  secondsNow,
  type Vault,
  type Version
} from './key-vault-state.ts'
import { checkWritable } from './key-vault-values.ts'

const DAY_SECONDS = 86_400

/**
 * rest/api/keyvault/secrets/get-secrets: "only the base secret identifier and its attributes are provided", no value; the
 * attributes and tags are those of the newest version, disabled or not.
 */
export const getSecrets: Operation = (vault, request) => {
  const live = everySecret(vault).filter((s) => s.state === 'live' || s.state === 'being recovered')
  return page(vault, request, '/secrets', live, (s) => [s.name.toLowerCase(), itemOf(vault, s)])
}

/** rest/api/keyvault/secrets/get-secret-versions. A name that there is not has no versions: recording can_list_secret_versions_non_existing. */
export const getSecretVersions: Operation = (vault, request) => {
  const secret = lookUp(vault, request.name)
  const shown = secret?.state === 'live' || secret?.state === 'being recovered' ? secret : undefined
  const item = (v: Version): [string, object] => [v.id, shown ? bundleOf(vault, shown, v) : {}]
  return page(vault, request, `/secrets/${request.name}/versions`, shown?.versions ?? [], item)
}

/** rest/api/keyvault/secrets/get-deleted-secrets. */
export const getDeletedSecrets: Operation = (vault, request) => {
  const deleted = everySecret(vault).filter((s) => s.state === 'deleted')
  const item = (s: Secret): [string, object] => [s.name.toLowerCase(), { ...deletionOf(vault, s), ...itemOf(vault, s) }]
  return page(vault, request, '/deletedsecrets', deleted, item)
}

/** rest/api/keyvault/secrets/delete-secret: all versions; the answer comes before the deletion is done (recording can_delete_a_secret). */
export const deleteSecret: Operation = (vault, request) => {
  const secret = lookUp(vault, request.name)
  if (!secret || secret.state === 'deleted' || secret.state === 'being deleted') throw notFound(request.name)
  checkWritable(secret)
  const deletedDate = secondsNow(vault)
  const deleted: Secret = {
    ...secret,
    state: vault.slowDeletion ? 'being deleted' : 'deleted',
    deletedDate,
    scheduledPurgeDate: deletedDate + vault.recoverableDays * DAY_SECONDS
  }
  keep(vault, deleted)
  return deletedBundle(vault, deleted)
}

/** rest/api/keyvault/secrets/get-deleted-secret; 404 while the deletion is under way: recording can_delete_a_secret. */
export const getDeletedSecret: Operation = (vault, { name }) => {
  const secret = lookUp(vault, name)
  if (secret?.state === 'deleted') return deletedBundle(vault, secret)
  throw refuse({ status: 404, code: 'SecretNotFound', message: `Deleted Secret not found: ${name}` })
}

/** rest/api/keyvault/secrets/recover-deleted-secret; recordings can_recover_a_deleted_secret and …_non_existing. */
export const recoverDeletedSecret: Operation = (vault, request) => {
  const { name, versions } = findDeleted(vault, request)
  const recovered: Secret = { name, versions, state: vault.slowDeletion ? 'being recovered' : 'live' }
  keep(vault, recovered)
  return bundleOf(vault, recovered, newestOf(recovered))
}

/**
 * rest/api/keyvault/secrets/purge-deleted-secret: 204. The name is not free at once: Azure/azure-sdk-for-net#26027.
 */
export const purgeDeletedSecret: Operation = (vault, request) => {
  const secret = findDeleted(vault, request)
  if (vault.slowDeletion) keep(vault, { ...secret, state: 'being deleted', purging: true })
  else vault.secrets.delete(secret.name.toLowerCase())
  return undefined
}

/** Ends what is under way. */
export function settle(vault: Vault): void {
  for (const secret of everySecret(vault)) {
    if (secret.purging) vault.secrets.delete(secret.name.toLowerCase())
    else if (secret.state === 'being deleted') keep(vault, { ...secret, state: 'deleted' })
    else if (secret.state === 'being recovered') keep(vault, { ...secret, state: 'live' })
  }
}

function keep(vault: Vault, secret: Secret): void {
  vault.secrets.set(secret.name.toLowerCase(), secret)
}

function everySecret(vault: Vault): readonly Secret[] {
  return [...vault.secrets.keys()].flatMap((name) => lookUp(vault, name) ?? [])
}

/** hashicorp/terraform-provider-azurerm#10454: neither purged nor recovered while it is being deleted. */
function findDeleted(vault: Vault, { name }: Request): Secret {
  const secret = lookUp(vault, name)
  if (secret?.state === 'deleted') return secret
  if (secret?.state === 'being deleted') throw conflict('ObjectIsBeingDeleted', 'Secret is currently being deleted.')
  throw notFound(name)
}

function itemOf(vault: Vault, secret: Secret): object {
  const newest = newestOf(secret)
  const { tags, contentType } = newest
  return { id: baseId(vault, secret), attributes: attributesOf(vault, newest), tags, contentType }
}

function deletionOf(vault: Vault, { name, deletedDate, scheduledPurgeDate }: Secret): object {
  return { recoveryId: `${vault.url}/deletedsecrets/${name}`, deletedDate, scheduledPurgeDate }
}

const deletedBundle = (vault: Vault, secret: Secret): object => ({
  ...deletionOf(vault, secret),
  ...bundleOf(vault, secret, newestOf(secret))
})

/**
 * One page. rest/api/keyvault/secrets/get-secrets: maxresults, "If not specified, the service will return up to 25 results",
 * which is also the most (Azure/azure-cli#15382); nextLink is a whole address. No page promises an order, and the recording
 * can_retrieve_all_versions_of_a_secret_by_page shows versions in the order of their random ids: here an order by the seed.
 */
function page<T>(
  vault: Vault,
  { query }: Request,
  path: string,
  all: readonly T[],
  item: (one: T) => readonly [key: string, shown: object]
): object {
  const size = query.get('maxresults')
  if (size !== null && !/^([1-9]|1\d|2[0-5])$/.test(size)) throw badParameter('invalid maxresults')
  const marker = query.get('$skiptoken')
  const next = (after: string): string => {
    const token = Buffer.from(JSON.stringify({ NextMarker: after, TargetLocation: 0 })).toString('base64url')
    const version = `${vault.url}${path}?api-version=${query.get('api-version')}`
    return `${version}&$skiptoken=${token}${size === null ? '' : `&maxresults=${size}`}`
  }
  // Azure/azure-sdk-for-go#10711: a page may be empty although there are more.
  if (vault.emptyPages && marker === null && all.length > 0) return { value: [], nextLink: next('') }
  const after = marker === null ? '' : markerIn(marker)
  const rest = all
    .map((one) => item(one))
    .map(([key, shown]) => ({ order: arbitrary(vault, key), shown }))
    .filter(({ order }) => order > after)
    .sort((a, b) => (a.order < b.order ? -1 : 1))
  const shown = rest.slice(0, Number(size ?? 25))
  const last = shown.at(-1)
  return { value: shown.map((r) => r.shown), nextLink: last && rest.length > shown.length ? next(last.order) : null }
}

function markerIn(token: string): string {
  const marker = /^\{"NextMarker":"([0-9a-f]*)","TargetLocation":0\}$/.exec(Buffer.from(token, 'base64url').toString())?.[1]
  if (marker === undefined) throw badParameter('invalid $skiptoken')
  return marker
}
