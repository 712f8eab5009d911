import { type AdminDocument, parseAdmin } from './document.ts'
import { hasCode, KeyturnError } from './errors.ts'
import type { SecretId, SecretText } from './types.ts'

/** What is current in a store, in one call. Fails with `not-found/secret`. */
export type ReadCurrent = (id: SecretId, signal: AbortSignal) => Promise<{ readonly text: SecretText }>

/**
 * Admin logins that lie in the same store as the secrets they rotate. The document names its server itself: nothing but
 * Secrets Manager keeps it beside the secret. Fails with `not-found/admin-secret`, `invalid/document`.
 */
export const adminIn =
  (read: ReadCurrent) =>
  async (reference: SecretId, _host: string, signal: AbortSignal): Promise<AdminDocument> => {
    const { text } = await read(reference, signal).catch((e: unknown) => {
      throw hasCode(e, 'not-found/secret')
        ? new KeyturnError('not-found/admin-secret', `there is no admin secret ${reference}`)
        : e
    })
    return parseAdmin(text)
  }
