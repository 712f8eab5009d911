import { KeyturnError } from '../../shared/errors.ts'
import { once } from '../../shared/once.ts'
import { SecretText } from '../../shared/types.ts'
import { unlessAborted } from '../../shared/unless-aborted.ts'
import { googleAuth } from './google-auth.ts'

/** The service account that the function runs as, as Cloud Run's metadata server knows it. */
export interface ServiceAccount {
  /** The headers of a request of a Google API. Throws what the library throws: the store has the table for it. */
  readonly authorize: () => Promise<Headers>
  /** Of the project that the function runs in. Throws `unavailable/store`. */
  readonly projectId: () => Promise<string>
  readonly projectNumber: () => Promise<string>
  /** An access token. Throws `unavailable/store`. */
  readonly accessToken: () => Promise<SecretText>
  /** An ID token for the audience, with the account's e-mail in it. Throws `unavailable/store`. */
  readonly idToken: (audience: string) => Promise<SecretText>
}

/** The server is on this machine; the library would wait for it for ever (gcp-metadata, requestTimeout). */
const ANSWER_MS = 5_000

export function serviceAccount(): ServiceAccount {
  const client = once(async () => new (await googleAuth()).Compute())
  return {
    authorize: async () => (await client()).getRequestHeaders(),
    projectId: once(() => ofProject('project-id')),
    projectNumber: once(() => ofProject('numeric-project-id')),
    accessToken: async () => {
      const { token } = await inTime('an access token', (await client()).getAccessToken())
      return new SecretText(token ?? '')
    },
    idToken: async (audience) => new SecretText(await asked('its ID token', (of) => of.instance(identity(audience))))
  }
}

type Metadata = Awaited<ReturnType<typeof googleAuth>>['gcpMetadata']

/** docs.cloud.google.com/compute/docs/instances/verifying-instance-identity. */
const identity = (audience: string) => ({
  property: 'service-accounts/default/identity',
  params: { audience, format: 'full' }
})

/** docs.cloud.google.com/run/docs/container-contract#metadata-server. */
const ofProject = (property: 'project-id' | 'numeric-project-id'): Promise<string> =>
  asked(property, (metadata) => metadata.project(property))

async function asked(what: string, ask: (metadata: Metadata) => Promise<unknown>): Promise<string> {
  const { gcpMetadata } = await googleAuth()
  return String(await inTime(what, ask(gcpMetadata)))
}

async function inTime<T>(what: string, answer: Promise<T>): Promise<T> {
  const silent = () => new KeyturnError('unavailable/store', `the metadata server did not tell ${what}`)
  return unlessAborted(answer, AbortSignal.timeout(ANSWER_MS), silent).catch(() => {
    throw silent()
  })
}
