import {
  type Body,
  badParameter,
  bundleOf,
  conflict,
  findReadable,
  invalidProperty,
  lookUp,
  newVersionId,
  type Operation,
  refuse,
  type Secret,
  secondsNow,
  type Tags,
  type Version,
  versionOf
} from './key-vault-state.ts'

/** key-vault/secrets/about-secrets: "a maximum size of 25 KB each"; the az command line counts 25,600. */
const MAX_VALUE_BYTES = 25 * 1024

/**
 * rest/api/keyvault/secrets/get-secret: without a version the newest. key-vault/secrets/about-secrets, "Date-time controlled
 * operations": get works outside of nbf and exp. Recording cant_get_a_disabled_secret: a disabled newest version is an
 * error, not a reason to look for an older one.
 */
export const getSecret: Operation = (vault, request) => {
  const secret = findReadable(vault, request)
  const version = versionOf(secret, request)
  if (!version.enabled) {
    const message = 'Operation get is not allowed on a disabled secret.'
    throw refuse({ status: 403, code: 'Forbidden', message, inner: 'SecretDisabled' })
  }
  return { value: version.value, ...bundleOf(vault, secret, version) }
}

/** rest/api/keyvault/secrets/set-secret: "If the named secret already exists, Azure Key Vault creates a new version". */
export const setSecret: Operation = (vault, { name, body }) => {
  const existing = lookUp(vault, name)
  if (existing) checkWritable(existing)
  const now = secondsNow(vault)
  const version: Version = {
    enabled: true,
    nbf: undefined,
    exp: undefined,
    tags: undefined,
    contentType: undefined,
    ...changesOf(body),
    id: newVersionId(vault),
    value: valueIn(body),
    created: now,
    updated: now
  }
  const secret: Secret = existing
    ? { ...existing, versions: [...existing.versions, version] }
    : { name, state: 'live', versions: [version] }
  vault.secrets.set(name.toLowerCase(), secret)
  return { value: version.value, ...bundleOf(vault, secret, version) }
}

/**
 * rest/api/keyvault/secrets/update-secret: "Attributes that are not specified in the request are left unchanged." Tags are
 * one attribute of it: given, they replace all tags (powershell/module/az.keyvault/set-azkeyvaultsecretattribute, example 2
 * removes every tag by `-Tag @{}`). A disabled version can be updated (recording can_update_a_disabled_secret), and without a
 * version in the path it is the newest (recording can_update_a_secret).
 */
export const updateSecret: Operation = (vault, request) => {
  const secret = findReadable(vault, request)
  checkWritable(secret)
  const version = versionOf(secret, request)
  Object.assign(version, changesOf(request.body), { updated: secondsNow(vault) })
  return bundleOf(vault, secret, version)
}

/**
 * The three conflicts that azure-sdk-for-net names (samples/Sample4_ErrorHandling, issue 31581). Deleted:
 * ironmansoftware/powershell-universal#1990; being recovered: hashicorp/terraform-provider-azurerm#12285; the text of being
 * deleted is made after the latter.
 */
export function checkWritable({ name, state }: Secret): void {
  if (state === 'deleted') {
    throw conflict(
      'ObjectIsDeletedButRecoverable',
      `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`
    )
  }
  if (state === 'being deleted') {
    throw conflict('ObjectIsBeingDeleted', `Secret ${name} is currently being deleted and cannot be re-created; retry later.`)
  }
  if (state === 'being recovered') {
    throw conflict('ObjectIsBeingRecovered', `Secret ${name} is currently being recovered and cannot be re-created; retry later.`)
  }
}

/** rest/api/keyvault/secrets/set-secret: required. It may be empty (recording can_set_a_secret_with_empty_value). */
function valueIn(body: Body): string {
  const { value } = body
  if (typeof value !== 'string' || Buffer.byteLength(value) > MAX_VALUE_BYTES) throw invalidProperty()
  return value
}

type Changes = Partial<Pick<Version, 'enabled' | 'nbf' | 'exp' | 'tags' | 'contentType'>>

/** What the body gives of that which can change; null is as good as absent (the SDKs leave it out). */
function changesOf(body: Body): Changes {
  const attributes = objectIn(body, 'attributes') ?? {}
  const tags = tagsIn(body)
  const { contentType } = body
  // key-vault/secrets/about-secrets: "The maximum length of this field is 255 characters."
  if (given(contentType) && (typeof contentType !== 'string' || contentType.length > 255)) throw invalidProperty()
  if (given(attributes.enabled) && typeof attributes.enabled !== 'boolean') throw invalidProperty()
  return {
    ...(given(attributes.enabled) && { enabled: attributes.enabled as boolean }),
    ...(given(attributes.nbf) && { nbf: intDate(attributes.nbf) }),
    ...(given(attributes.exp) && { exp: intDate(attributes.exp) }),
    ...(tags && { tags }),
    ...(given(contentType) && { contentType: contentType as string })
  }
}

const given = (value: unknown): boolean => value !== undefined && value !== null

/** key-vault/general/about-keys-secrets-certificates, IntDate: seconds from 1970; nothing says what comes of one before that. */
function intDate(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0) throw invalidProperty()
  return value
}

/**
 * key-vault/secrets/about-secrets: "up to 15 tags, each of which can have a 512 character name and a 512 character value"
 * (256 until MicrosoftDocs/azure-docs#117407). An empty value makes the call fail: hashicorp/terraform-provider-azurerm#7609.
 */
function tagsIn(body: Body): Tags | undefined {
  const tags = objectIn(body, 'tags')
  if (!tags) return undefined
  const entries = Object.entries(tags)
  const fits = (text: unknown): boolean => typeof text === 'string' && text.length >= 1 && text.length <= 512
  if (entries.length > 15 || !entries.every(([key, value]) => fits(key) && fits(value))) throw invalidProperty()
  return tags as Tags
}

function objectIn(body: Body, key: string): Body | undefined {
  const value = body[key]
  if (!given(value)) return undefined
  if (typeof value !== 'object' || Array.isArray(value)) throw badParameter(`${key} is not an object`)
  return value as Body
}
