import { createHash } from 'node:crypto'
import type { SecretId, Token } from './types.ts'

/**
 * The token of a request: the same request for the same secret always gets the same one, so that a delivery repeated
 * (SQS, an asynchronous invocation's retries) is the same attempt. In the form of a UUID (RFC 9562 version 8: made by
 * an algorithm of one's own), which every store takes: Secrets Manager wants 32 to 64 characters.
 */
export function tokenFor(requestId: string, secretId: SecretId): Token {
  const hex = createHash('sha256')
    .update(JSON.stringify([requestId, secretId]))
    .digest('hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
