import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

/** A certificate and its private key, both PEM (the key as PKCS#8). */
export type Identity = { cert: string; key: string }

/** What a server certificate says; by default: localhost and 127.0.0.1, valid from an hour ago for a day. */
export type CertificateRequest = { hosts?: readonly string[]; notBefore?: Date; notAfter?: Date }

/** A certificate authority that lives in this process's memory only. */
export type Authority = {
  readonly caPem: string
  issue(request?: CertificateRequest): Promise<Identity>
}

/** Every server of this process is certified by this one, unless a test brings another. */
export function sharedAuthority(): Promise<Authority> {
  shared ??= createAuthority('keyturn test CA')
  return shared
}

/** The certificate of the shared authority for localhost and 127.0.0.1: servers and their proxies show the same one. */
export function localIdentity(): Promise<Identity> {
  local ??= sharedAuthority().then((authority) => authority.issue())
  return local
}

/** Valid once, and for the right host, but no more since yesterday. */
export async function expiredIdentity(): Promise<Identity> {
  const authority = await sharedAuthority()
  return authority.issue({ notBefore: new Date(Date.now() - 2 * dayMs), notAfter: new Date(Date.now() - dayMs) })
}

/** Valid, of the shared authority, but for another host than the one that the servers are reached by. */
export async function wrongHostIdentity(): Promise<Identity> {
  const authority = await sharedAuthority()
  return authority.issue({ hosts: ['elsewhere.example'] })
}

/** Valid and for the right host, but of an authority that nobody trusts; with that authority's certificate. */
export async function strangerIdentity(): Promise<Identity & { caPem: string }> {
  const authority = await createAuthority('stranger CA')
  return { ...(await authority.issue()), caPem: authority.caPem }
}

export async function createAuthority(name: string): Promise<Authority> {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    ...validity({}),
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)
    ]
  })
  return {
    caPem: certificate.toString('pem'),
    issue: (request = {}) => issue({ certificate, key: keys.privateKey }, request)
  }
}

const dayMs = 24 * 3600 * 1000
const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
let shared: Promise<Authority> | undefined
let local: Promise<Identity> | undefined

async function issue(
  issuer: { certificate: x509.X509Certificate; key: webcrypto.CryptoKey },
  request: CertificateRequest
): Promise<Identity> {
  const hosts = request.hosts ?? ['localhost', '127.0.0.1']
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${hosts[0] ?? 'nobody'}`,
    issuer: issuer.certificate.subject,
    publicKey: keys.publicKey,
    signingKey: issuer.key,
    ...validity(request),
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate)
    ]
  })
  return { cert: certificate.toString('pem'), key: await pkcs8(keys.privateKey) }
}

function validity({ notBefore, notAfter }: CertificateRequest): { notBefore: Date; notAfter: Date } {
  return { notBefore: notBefore ?? new Date(Date.now() - 3600 * 1000), notAfter: notAfter ?? new Date(Date.now() + dayMs) }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
}

async function pkcs8(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')
}
