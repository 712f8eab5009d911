import { createVerify, generateKeyPairSync, sign } from 'node:crypto'

export type Claims = Readonly<Record<string, unknown>>

/** A key of an identity provider's, for RS256 (RFC 7515, RFC 7518 3.3). */
export interface JwtKey {
  readonly publicPem: string
  jwt(claims: Claims): string
}

export function jwtKey(kid = 'key-1'): JwtKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwt: (claims) => {
      const signed = `${encoded({ alg: 'RS256', typ: 'JWT', kid })}.${encoded(claims)}`
      return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
    }
  }
}

/** The claims of a JWT that the key signed; undefined for any other text. */
export function verifiedClaims(jwt: string, publicPem: string): Claims | undefined {
  const [header = '', payload = '', signature = '', ...more] = jwt.split('.')
  if (more.length > 0 || decoded(header)?.alg !== 'RS256') return undefined
  const verify = createVerify('sha256').update(`${header}.${payload}`)
  return verify.verify(publicPem, signature, 'base64url') ? decoded(payload) : undefined
}

const encoded = (value: Claims): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function decoded(text: string): Claims | undefined {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Claims
  } catch {
    return undefined
  }
}
