import { KeyturnError } from '../errors.ts'
import type { ProviderApi } from '../provider-api.ts'
import { instantIn, SecretText } from '../types.ts'
import { type EntraDocument, guid, type MadeSecret } from './entra-document.ts'
import { accepted, READS } from './entra-graph.ts'
import type { KeyList, ListedKey } from './minted-provider.ts'

export const applicationPath = ({ account }: EntraDocument): string => `/v1.0/applications/${account}`

/**
 * The application and its secrets. Reads go to a replica: a secret may be missing for as long as it may be refused
 * (facts.settlesMs). Throws `invalid/document` where it is another application than the client's.
 */
export async function applicationOf(graph: ProviderApi, of: EntraDocument, signal: AbortSignal): Promise<KeyList> {
  const path = `${applicationPath(of)}?$select=id,appId,signInAudience,passwordCredentials`
  const { json, date } = accepted(await graph({ method: 'GET', path }, signal), READS)
  const { appId, signInAudience, passwordCredentials } = (json ?? {}) as Readonly<Record<string, unknown>>
  if (guid(appId) !== of.clientId)
    throw new KeyturnError('invalid/document', `the secret’s appObjectId ${of.account} is not the application of its clientId`)
  if (!Array.isArray(passwordCredentials))
    throw new KeyturnError('invalid/answer', 'Microsoft Graph: the application has no passwordCredentials')
  return { keys: passwordCredentials.map(listed), now: date, maxLive: PERSONAL.includes(signInAudience) ? 2 : undefined }
}

/** “Maximum of two client secrets”: learn.microsoft.com/entra/identity-platform/supported-accounts-validation. */
const PERSONAL: readonly unknown[] = ['AzureADandPersonalMicrosoftAccount', 'PersonalMicrosoftAccount']

function listed(credential: Readonly<Record<string, unknown>> | null): ListedKey {
  const id = guid(credential?.keyId)
  if (id === undefined) throw new KeyturnError('invalid/answer', 'Microsoft Graph: a secret without a keyId')
  const createdAt = instantIn(textIn(credential?.startDateTime))
  return { id, name: textIn(credential?.displayName), createdAt }
}

/** What addPassword gave, and gives only once. */
export function madeSecret(json: unknown): MadeSecret {
  const { keyId, secretText, endDateTime } = (json ?? {}) as Readonly<Record<string, unknown>>
  const [id, text] = [guid(keyId), textIn(secretText)]
  if (id === undefined || text === undefined)
    throw new KeyturnError('invalid/answer', 'Microsoft Graph: the new secret has no keyId or no secretText')
  return { keyId: id, clientSecret: new SecretText(text), endDateTime: textIn(endDateTime) }
}

const textIn = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
