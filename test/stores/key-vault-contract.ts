import { type KeyVaultSecret, SecretClient, type SecretClientOptions, type SecretProperties } from '@azure/keyvault-secrets'
import { afterEach } from 'vitest'
import { azureCredential } from '../doubles/azure-credential.ts'
import { type KeyVaultDouble, type KeyVaultOptions, startKeyVault } from '../doubles/key-vault.ts'

/** The double, and the genuine client of whoever asks. */
export interface Subject {
  readonly double: KeyVaultDouble
  readonly client: SecretClient
  clientOf(principal: string, options?: SecretClientOptions): SecretClient
}

/** What a call ended with: `done`, or what a caller may rely on of the vendor's error. */
export type Ending = 'done' | 'no answer' | { readonly status: number; readonly code: string; readonly inner?: string }

/** A double for one test; every one is closed after its test. */
export function subjects(): (options?: KeyVaultOptions) => Promise<Subject> {
  const open: KeyVaultDouble[] = []
  afterEach(async () => {
    for (const double of open.splice(0)) await double.close()
  })
  return async (options) => {
    const double = await startKeyVault(options)
    open.push(double)
    const clientOf = (principal: string, more: SecretClientOptions = {}): SecretClient =>
      new SecretClient(double.url, azureCredential(principal), {
        serviceVersion: '7.6',
        disableChallengeResourceVerification: true,
        tlsOptions: { ca: double.caPem },
        retryOptions: { maxRetries: 0 },
        ...more
      })
    return { double, client: clientOf('owner'), clientOf }
  }
}

interface VendorError {
  readonly statusCode?: number
  readonly code?: string
  readonly details?: { readonly error?: { readonly innerError?: { readonly code?: string } } }
}

export async function ending(call: Promise<unknown>): Promise<Ending> {
  try {
    await call
    return 'done'
  } catch (e) {
    const { statusCode, code, details } = e as VendorError
    if (statusCode === undefined) return 'no answer'
    const inner = details?.error?.innerError?.code
    return { status: statusCode, code: code ?? '', ...(inner !== undefined && { inner }) }
  }
}

export const textOf = (secret: KeyVaultSecret): string | undefined => secret.value
export const versionOf = (secret: { readonly properties: SecretProperties }): string => secret.properties.version ?? ''

export async function all<T>(list: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = []
  for await (const item of list) items.push(item)
  return items
}
