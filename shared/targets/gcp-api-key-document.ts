import { matching, replaceMembers } from '../json-members.ts'
import { keyReader } from '../key-document.ts'
import type { SecretText } from '../types.ts'
import type { KeyDocument } from './minted-provider.ts'

export const GCP_API_KEY = 'gcp-api-key'

export interface ApiKeyDocument extends KeyDocument {
  /** The string that clients send. */
  readonly apiKey: string
}

const KNOWN = new Set(['projectId', 'keyId', 'apiKey'])

/**
 * `projectId`: the project's id or number. `keyId`: the last part of the key's name, which for a key that the console made is
 * its uid; not the uid itself, by which a key that was given an id of its own cannot be asked for.
 */
export function apiKeyDocument(text: SecretText): ApiKeyDocument {
  const { read, end } = keyReader(text, GCP_API_KEY, KNOWN)
  return end<ApiKeyDocument>({
    text,
    account: read('projectId', 'must be the id of a project', matching(/^[a-z0-9.:-]{1,100}$/)),
    principal: read('keyId', 'must be the id of a key', matching(/^[a-z0-9-]{1,63}$/)),
    // It is sent as a header.
    apiKey: read('apiKey', 'must be a key string', matching(/^[\x21-\x7e]{1,1000}$/))
  })
}

export const withApiKey = ({ text }: ApiKeyDocument, keyId: string, apiKey: string): SecretText =>
  replaceMembers(text, { keyId, apiKey }, KNOWN)
