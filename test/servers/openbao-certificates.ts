import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { Identity } from './certificates.ts'

/** An authority that certifies clients; what it issues lives an hour. Its certificate is what a cert login trusts. */
export type ClientAuthority = {
  readonly caPem: string
  issue(commonName: string): Promise<Identity>
}

export async function clientAuthority(name: string): Promise<ClientAuthority> {
  const keys = await newKeys()
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    ...{ name: `CN=${name}`, keys, signingAlgorithm, ...anHour() },
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)
    ]
  })
  return { caPem: own.toString('pem'), issue: (commonName) => issue(own, keys.privateKey, commonName) }
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }

async function issue(issuer: x509.X509Certificate, signingKey: webcrypto.CryptoKey, commonName: string): Promise<Identity> {
  const { publicKey, privateKey } = await newKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    ...{ subject: `CN=${commonName}`, issuer: issuer.subject, publicKey, signingKey, signingAlgorithm, ...anHour() },
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer)
    ]
  })
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY')
  return { cert: certificate.toString('pem'), key }
}

/** From a minute ago: a client's clock may be behind. */
function anHour(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3600_000) }
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
}
