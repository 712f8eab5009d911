import { adminIn } from '../../shared/admin.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { gcpSecretManager } from '../../shared/stores/gcp-secret-manager.ts'
import { signedIn } from './signed-in.ts'
import type { Place, Stored } from './stores.ts'

/** Google Secret Manager, by the application default credentials: `gcloud auth application-default login`, a key file, a metadata server. */
export async function gcpPlace({ environment }: Place): Promise<Stored> {
  const project = environment.GOOGLE_CLOUD_PROJECT
  if (!project) throw new KeyturnError('invalid/config', 'GOOGLE_CLOUD_PROJECT must name the project of the secrets')
  const store = gcpSecretManager({
    project,
    location: environment.KEYTURN_LOCATION || undefined,
    endpoint: environment.SECRET_MANAGER_ENDPOINT || undefined,
    authorize: signedIn().googleHeaders
  })
  return { store, admin: adminIn(store.readCurrent), read: store.readCurrent }
}
