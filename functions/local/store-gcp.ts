import { adminIn } from '../../shared/admin.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { gcpSecretManager } from '../../shared/stores/gcp-secret-manager.ts'
import type { Place, Stored } from './stores.ts'

/** Google Secret Manager, by the application default credentials: `gcloud auth application-default login`, a key file, a metadata server. */
export async function gcpPlace({ environment }: Place): Promise<Stored> {
  const project = environment.GOOGLE_CLOUD_PROJECT
  if (!project) throw new KeyturnError('invalid/config', 'GOOGLE_CLOUD_PROJECT must name the project of the secrets')
  // A bundle of a CommonJS package has the default export alone.
  const { default: library } = await import('google-auth-library')
  const auth = new library.GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' })
  const store = gcpSecretManager({
    project,
    location: environment.KEYTURN_LOCATION || undefined,
    endpoint: environment.SECRET_MANAGER_ENDPOINT || undefined,
    authorize: () => auth.getRequestHeaders().catch(notSignedIn)
  })
  return { store, admin: adminIn(store.readCurrent) }
}

/** Without an answer's status and without a network's code it never came to asking: there is no credential, or no file of it. */
function notSignedIn(e: unknown): never {
  const { code, status } = e as { code?: unknown; status?: unknown }
  if (status !== undefined || (code !== undefined && code !== 'ENOENT')) throw e
  throw new KeyturnError(
    'invalid/config',
    'there are no Google credentials here: run `gcloud auth application-default login`, or correct GOOGLE_APPLICATION_CREDENTIALS'
  )
}
