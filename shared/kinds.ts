/**
 * What a secret's metadata say that it opens (`kind`), and what its document calls itself: `engine` of a database, `type` of
 * a key. One function of a deployment has the databases, another one the keys, each with rights of its own.
 */
export const DATABASE_KINDS: readonly string[] = ['postgres']

/** Kind → `type` of the document. A service account's is Google's own key file. */
export const KEY_TYPES: Readonly<Record<string, string>> = {
  'aws-iam-access-key': 'aws-iam-access-key',
  'entra-client-secret': 'entra-client-secret',
  'azure-storage-key': 'azure-storage-key',
  'gcp-service-account-key': 'service_account',
  'gcp-api-key': 'gcp-api-key',
  'http-api-key': 'http-api-key'
}

export const KEY_KINDS: readonly string[] = Object.keys(KEY_TYPES)

/** The kind of a key's document, by its `type`. */
export const kindOfType = (type: string | undefined): string | undefined => KEY_KINDS.find((kind) => KEY_TYPES[kind] === type)
