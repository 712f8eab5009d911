import type { SecretClient, SecretProperties } from '@azure/keyvault-secrets'
import { hasCode, KeyturnError } from '../errors.ts'
import { type Instant, instant, SecretText } from '../types.ts'
import type { Clock } from './azure-client.ts'
import { type VaultOp, vaultError } from './azure-errors.ts'
import type { Journal } from './azure-journal.ts'
import type { Memory } from './azure-memory.ts'
import type { Tags } from './azure-tags.ts'

/** One vault, with its journal. */
export interface Azure {
  readonly client: SecretClient
  readonly vault: URL
  /** The vault's. */
  readonly clock: Clock
  readonly journal: Journal
  readonly memory: Memory
  readonly requestTimeoutMs: number
  /** Monotonic, ms: leases are counted by it. */
  readonly steadyMs: () => number
}

export interface Version {
  /** As it was written when the secret was made: names are case-insensitive. */
  readonly name: string
  readonly id: string
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly tags: Tags
  readonly contentType: string | undefined
  /** A certificate's: Key Vault itself renews it. */
  readonly isManaged: boolean
}

export interface Valued extends Version {
  readonly text: SecretText
}

async function ask<T>(op: VaultOp, name: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (e) {
    throw vaultError(e, op, name)
  }
}

const times = (date: Date | undefined): Instant => instant(date?.getTime() ?? 0)

const versionOf = (p: SecretProperties): Version => ({
  name: p.name,
  id: p.version ?? '',
  createdAt: times(p.createdOn),
  updatedAt: times(p.updatedOn),
  tags: p.tags ?? {},
  contentType: p.contentType,
  isManaged: p.managed === true
})

/**
 * The newest version, or one by its id, with its value. Undefined: the vault said that it is not there; one that was
 * deleted and can be recovered is not there either. Fails with `disabled/secret` for a disabled one. Repeatable: a read.
 */
export async function getVersion(azure: Azure, name: string, id: string, signal: AbortSignal): Promise<Valued | undefined> {
  try {
    const options = { abortSignal: signal, ...(id !== '' && { version: id }) }
    const found = await ask('GetSecret', name, () => azure.client.getSecret(name, options))
    return { ...versionOf(found.properties), text: new SecretText(found.value ?? '') }
  } catch (e) {
    if (hasCode(e, 'not-found/secret')) return undefined
    throw e
  }
}

export const getNewest = (azure: Azure, name: string, signal: AbortSignal): Promise<Valued | undefined> =>
  getVersion(azure, name, '', signal)

/** Whether the name belongs to a secret that was deleted and can be recovered. Who may not ask is told that it is not there. */
export async function isDeleted(azure: Azure, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await ask('GetDeletedSecret', name, () => azure.client.getDeletedSecret(name, { abortSignal: signal }))
    return true
  } catch (e) {
    if (hasCode(e, 'not-found/secret', 'denied/store')) return false
    throw e
  }
}

/**
 * Writes a new version, which is current from then on. Not repeatable: there is neither a compare nor a token
 * (rest/api/keyvault/secrets/set-secret), so a lost answer is `unavailable/store`.
 */
export async function setVersion(
  azure: Azure,
  name: string,
  text: SecretText,
  tags: Tags,
  more: { readonly contentType?: string | undefined; readonly expiresOn?: Date },
  signal: AbortSignal
): Promise<Version> {
  const { contentType, expiresOn } = more
  const options = {
    tags: { ...tags },
    ...(contentType !== undefined && { contentType }),
    ...(expiresOn && { expiresOn }),
    abortSignal: signal
  }
  const made = await ask('SetSecret', name, () => azure.client.setSecret(name, text.reveal(), options))
  return versionOf(made.properties)
}

/** Replaces all tags of a version; the rest of it stays as it is (rest/api/keyvault/secrets/update-secret). Repeatable. */
export async function setTags(azure: Azure, name: string, id: string, tags: Tags, signal: AbortSignal): Promise<Version> {
  const options = { tags: { ...tags }, abortSignal: signal }
  return versionOf(await ask('UpdateSecret', name, () => azure.client.updateSecretProperties(name, id, options)))
}

/** Every version, without values, in no order (rest/api/keyvault/secrets/get-secret-versions). */
export const listVersions = (azure: Pick<Azure, 'client'>, name: string, signal: AbortSignal): Promise<readonly Version[]> =>
  collect('GetSecretVersions', name, azure.client.listPropertiesOfSecretVersions(name, { abortSignal: signal }), signal)

/** Every secret of the vault, with the tags and times of its newest version, but without that one's id. */
export const listNewest = (azure: Pick<Azure, 'client'>, signal: AbortSignal): Promise<readonly Version[]> =>
  collect('GetSecrets', 'the vault', azure.client.listPropertiesOfSecrets({ abortSignal: signal }), signal)

/** The SDK hands the signal to the first page only. */
async function collect(op: VaultOp, name: string, pages: AsyncIterable<SecretProperties>, signal: AbortSignal) {
  const found: Version[] = []
  await ask(op, name, async () => {
    for await (const properties of pages) {
      if (signal.aborted) throw new KeyturnError('unavailable/store', `Key Vault, ${op} of ${name}: the time is over`)
      found.push(versionOf(properties))
    }
  })
  return found as readonly Version[]
}
