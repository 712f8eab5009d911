import { type AdminDocument, parseAdmin } from './document.ts'
import { hasCode, KeyturnError } from './errors.ts'
import type { SecretId, SecretText } from './types.ts'

/** What is current in a store, in one call. Fails with `not-found/secret`. */
export type ReadCurrent = (id: SecretId, signal: AbortSignal) => Promise<{ readonly text: SecretText }>

/** Fails with `not-found/admin-secret` where the read of it finds no secret. */
export const adminSecret = <T>(reference: SecretId, reading: Promise<T>): Promise<T> =>
  reading.catch((e: unknown) => {
    throw hasCode(e, 'not-found/secret') ? new KeyturnError('not-found/admin-secret', `there is no admin secret ${reference}`) : e
  })

/**
 * Admin logins that lie in the same store as the secrets they rotate. The document names its server itself: nothing but
 * Secrets Manager keeps it beside the secret. Fails with `not-found/admin-secret`, `invalid/document`.
 */
export const adminIn =
  (read: ReadCurrent) =>
  async (reference: SecretId, _host: string, signal: AbortSignal): Promise<AdminDocument> => {
    const { text } = await adminSecret(reference, read(reference, signal))
    return parseAdmin(text)
  }
