import type { AwsCredentials } from '../../shared/aws-signature.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { once } from '../../shared/once.ts'
import { SecretText } from '../../shared/types.ts'

/** Whoever is signed in on this machine. The libraries are loaded when they are asked. */
export interface SignedIn {
  /** Of Azure, for a resource: the environment, a managed identity, or `az login`. */
  readonly azureToken: (resource: string, signal: AbortSignal) => Promise<SecretText>
  /** Of Google Cloud: `gcloud auth application-default login`, a key file, a metadata server. */
  readonly googleHeaders: (signal: AbortSignal) => Promise<Headers>
  /** Of AWS: the SDK's own chain. */
  readonly awsCredentials: () => Promise<AwsCredentials>
}

export function signedIn(): SignedIn {
  const azure = once(async () => new (await import('@azure/identity')).DefaultAzureCredential())
  const google = once(googleAuth)
  return {
    async azureToken(resource, abortSignal) {
      const scope = `${resource.replace(/\/$/, '')}/.default`
      const { token } = await (await azure()).getToken(scope, { abortSignal }).catch(notSignedIn('az login'))
      return new SecretText(token)
    },
    googleHeaders: async () => (await google()).getRequestHeaders().catch(googleNotSignedIn),
    awsCredentials: async () => (await import('../../shared/stores/aws-client.ts')).ownCredentials()
  }
}

async function googleAuth() {
  // A bundle of a CommonJS package has the default export alone.
  const { default: library } = await import('google-auth-library')
  return new library.GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' })
}

const notSignedIn = (how: string) => (): never => {
  throw new KeyturnError('denied/provider', `nobody is signed in here: ${how}`)
}

/** Without an answer's status and without a network's code it never came to asking: there is no credential, or no file of it. */
function googleNotSignedIn(e: unknown): never {
  const { code, status } = e as { code?: unknown; status?: unknown }
  if (status !== undefined || (code !== undefined && code !== 'ENOENT')) throw e
  throw new KeyturnError(
    'invalid/config',
    'there are no Google credentials here: run `gcloud auth application-default login`, or correct GOOGLE_APPLICATION_CREDENTIALS'
  )
}
