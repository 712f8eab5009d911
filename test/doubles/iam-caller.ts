import { IAMClient } from '@aws-sdk/client-iam'
import aws4 from 'aws4'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export type UserKeys = Keys & { readonly userName: string }

/** An account whose administrator may do everything, at a server of IAM and STS. */
export interface IamAccount {
  readonly url: string
  readonly adminKeys: Keys
  /** A user without a policy, with one key. */
  user(): Promise<UserKeys>
  stop(): Promise<void>
}

/** IAM's real client, which asks once. */
export const iamClient = (endpoint: string, credentials: Keys): IAMClient =>
  new IAMClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })

/** What STS answers this key, the caller's clock being so much ahead. */
export function callerIdentity(url: string, { accessKeyId, secretAccessKey }: Keys, aheadMs = 0): Promise<Response> {
  const body = 'Action=GetCallerIdentity&Version=2011-06-15'
  const date = new Date(Date.now() + aheadMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, '')
  const { host } = new URL(url)
  const request = { service: 'sts', region: 'us-east-1', host, method: 'POST', path: '/', body, headers: { 'X-Amz-Date': date } }
  const { Host: _, ...headers } = aws4.sign(request, { accessKeyId, secretAccessKey }).headers as Record<string, string>
  return fetch(url, { method: 'POST', body, headers: { ...headers, accept: 'application/json' } })
}
