import 'reflect-metadata'
import { KeyObject, randomBytes, sign, type webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** Claims of a Google ID token. One that is set to undefined is left out. */
export interface IdTokenClaims {
  readonly aud?: string | undefined
  readonly iss?: string | undefined
  readonly email?: string | undefined
  readonly email_verified?: boolean | undefined
  readonly sub?: string | undefined
  readonly azp?: string | undefined
  /** Seconds since the epoch. */
  readonly iat?: number | undefined
  readonly exp?: number | undefined
}

/**
 * google: by the key in the certificates. stranger: by a key of nobody's, under the `kid` of Google's. nobody: `alg`
 * none under that same `kid`, and an empty signature.
 */
export type Signer = 'google' | 'stranger' | 'nobody'

export interface Signing {
  idToken(claims: IdTokenClaims, signer: Signer): string
  /** www.googleapis.com/oauth2/v1/certs: `kid` → certificate (PEM). */
  readonly pemCertificates: Readonly<Record<string, string>>
  /** www.googleapis.com/oauth2/v3/certs: the same keys as JWKs. */
  readonly jwks: { readonly keys: readonly object[] }
}

const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }

const newKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
  (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair

/** A key of Google's, made up for this process, and one of a stranger's. */
export async function signing(now: () => number): Promise<Signing> {
  const [google, stranger] = await Promise.all([newKeys(), newKeys()])
  const kid = randomBytes(20).toString('hex')
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=federated-signon.system.gserviceaccount.com',
    keys: google,
    notBefore: new Date(now() - 86_400_000),
    notAfter: new Date(now() + 14 * 86_400_000),
    signingAlgorithm: ALGORITHM
  })
  const { kty, n, e } = await crypto.subtle.exportKey('jwk', google.publicKey)
  const keys = { google: KeyObject.from(google.privateKey), stranger: KeyObject.from(stranger.privateKey) }
  return {
    idToken: (claims, signer) => {
      const header = { alg: signer === 'nobody' ? 'none' : 'RS256', kid, typ: 'JWT' }
      const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
      const signature = signer === 'nobody' ? '' : sign('sha256', Buffer.from(text), keys[signer]).toString('base64url')
      return `${text}.${signature}`
    },
    pemCertificates: { [kid]: certificate.toString('pem') },
    jwks: { keys: [{ kty, n, e, kid, alg: 'RS256', use: 'sig' }] }
  }
}
