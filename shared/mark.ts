import { createHash } from 'node:crypto'
import type { SecretId, Token } from './types.ts'

/**
 * The name, description or display name under which a provider keeps a key that keyturn made: whose it is, and of which
 * attempt. 37 characters of [a-z0-9-], because the shortest field that takes one has 63 (Google's API keys, displayName).
 * Digests, so that neither a secret's name nor a token is told to everybody who may list keys.
 */
export const markOf = (secret: SecretId, token: Token): string => `${ownerPart(secret)}${digest(token, 16)}`

/** Whether a key was made for this secret, by any attempt. Another secret's keys are not ours to touch. */
export function isMarkOf(text: string | undefined, secret: SecretId): boolean {
  const owner = ownerPart(secret)
  return text !== undefined && text.slice(0, owner.length) === owner && /^[0-9a-f]{16}$/.test(text.slice(owner.length))
}

const ownerPart = (secret: SecretId): string => `keyturn-${digest(secret, 12)}-`
const digest = (text: string, characters: number): string => createHash('sha256').update(text).digest('hex').slice(0, characters)
