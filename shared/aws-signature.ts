import { KeyturnError } from './errors.ts'
import type { SecretText } from './types.ts'

export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: SecretText
  readonly sessionToken?: SecretText | undefined
}

export interface AwsPost {
  readonly service: 'ecs' | 'sns' | 'sts'
  readonly region: string
  /** As node:http sends it: with its port, where that is not the scheme's own. */
  readonly host: string
  readonly path?: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * The headers of a POST with Signature Version 4 (IAM/latest/UserGuide/reference_sigv.html), for single calls of services that are
 * not worth an SDK's client in a bundle. Names as they were signed.
 */
export async function signedHeaders(post: AwsPost, keys: AwsCredentials): Promise<readonly (readonly [string, string])[]> {
  const { default: aws4 } = await import('aws4')
  const credentials = {
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey.reveal(),
    ...(keys.sessionToken && { sessionToken: keys.sessionToken.reveal() })
  }
  const { headers = {} } = aws4.sign({ path: '/', ...post, method: 'POST', headers: { ...post.headers } }, credentials)
  return Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
}

/** The same, for a request of ours. */
export const inLowerCase = (headers: readonly (readonly [string, string])[]): Readonly<Record<string, string>> =>
  Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]))

/** Whoever this process is at AWS. */
export type OwnCredentials = (signal: AbortSignal) => Promise<AwsCredentials>

/** The headers of a request of ours, signed by whoever this process is. Fails with `denied/provider` where there are no credentials. */
export async function ownHeaders(
  peer: string,
  credentials: OwnCredentials,
  post: AwsPost,
  signal: AbortSignal
): Promise<Readonly<Record<string, string>>> {
  const keys = await credentials(signal).catch((e: unknown) => {
    if (e instanceof KeyturnError) throw e
    throw new KeyturnError('denied/provider', `${peer}: no credentials to ask with`, e instanceof Error ? e.name : typeof e)
  })
  return inLowerCase(await signedHeaders(post, keys))
}
