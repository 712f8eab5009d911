import { DAY_MS } from '../duration.ts'
import { filled, matching, replaceMembers, secret } from '../json-members.ts'
import { keyReader } from '../key-document.ts'
import type { SecretText } from '../types.ts'
import type { KeyDocument } from './minted-provider.ts'

export const ENTRA_CLIENT_SECRET = 'entra-client-secret'

/** What Graph gives once for a new secret. */
export interface MadeSecret {
  readonly keyId: string
  readonly clientSecret: SecretText
  readonly endDateTime: string | undefined
}

/** The principal is the secret's keyId, the account is the application. */
export interface EntraDocument extends KeyDocument {
  /** A GUID, or a domain name of the tenant. */
  readonly tenantId: string
  /** The application's appId. */
  readonly clientId: string
  readonly clientSecret: SecretText
  readonly hasEndDateTime: boolean
  /** What the secret's owner set in place of the deployment's lifetime. */
  readonly lifetimeMs: number | undefined
}

const KNOWN = new Set(['tenantId', 'appObjectId', 'clientId', 'keyId', 'clientSecret', 'endDateTime', 'lifetimeDays'])

/** Throws `invalid/document`, `invalid/kind`. */
export function entraDocument(text: SecretText): EntraDocument {
  const { read, optional, end } = keyReader(text, ENTRA_CLIENT_SECRET, KNOWN)
  return end<EntraDocument>({
    text,
    principal: read('keyId', 'must be a GUID', guid),
    account: read('appObjectId', 'must be the Graph object id (a GUID) of the application', guid),
    tenantId: read('tenantId', 'must be a GUID or a domain name', tenant),
    clientId: read('clientId', 'must be a GUID', guid),
    clientSecret: read('clientSecret', 'must be a text', secret),
    hasEndDateTime: optional('endDateTime', 'must be a text', filled) !== undefined,
    lifetimeMs: optional('lifetimeDays', 'must be a number of days', days)
  })
}

/** The same document with the new secret, and its end where the old one's was said. */
export function withSecret({ text, hasEndDateTime }: EntraDocument, made: MadeSecret): SecretText {
  const { keyId, clientSecret, endDateTime } = made
  const end = hasEndDateTime ? { endDateTime: endDateTime ?? null } : {}
  return replaceMembers(text, { keyId, clientSecret: clientSecret.reveal(), ...end }, KNOWN)
}

// Graph writes GUIDs in small letters, and what is compared with its lists must be written so too.
export const guid = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value) ? value.toLowerCase() : undefined

const tenant = matching(/^[A-Za-z0-9][A-Za-z0-9.-]{0,127}$/)

const days = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 1 && value <= 3650 ? value * DAY_MS : undefined
