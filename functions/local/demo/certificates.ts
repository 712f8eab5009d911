import 'reflect-metadata'
import type { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** What a server shows, and the authority by which clients trust it. All PEM. */
export interface Identity {
  readonly caPem: string
  readonly cert: string
  readonly key: string
}

/** A certificate authority that is forgotten at once, and what it certified: localhost, for a day. */
export async function localIdentity(): Promise<Identity> {
  const [authority, server] = await Promise.all([newKeys(), newKeys()])
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=keyturn demo CA',
    keys: authority,
    ...VALIDITY,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authority.publicKey)
    ]
  })
  const cert = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: ca.subject,
    publicKey: server.publicKey,
    signingKey: authority.privateKey,
    ...VALIDITY,
    signingAlgorithm: SIGNING,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
      await x509.AuthorityKeyIdentifierExtension.create(ca)
    ]
  })
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', server.privateKey), 'PRIVATE KEY')
  return { caPem: ca.toString('pem'), cert: cert.toString('pem'), key }
}

const HOUR = 3_600_000
const VALIDITY = { notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + 24 * HOUR) }
const SIGNING = { name: 'ECDSA', hash: 'SHA-256' }

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
