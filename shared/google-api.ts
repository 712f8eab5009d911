import { type CallSettings, type ProviderApi, providerApi } from './provider-api.ts'

export interface GoogleSettings extends CallSettings {
  /**
   * The headers that authorize a request, of the scope https://www.googleapis.com/auth/cloud-platform:
   * google-auth-library's `getRequestHeaders()`, which keeps the token.
   */
  readonly authorize: (signal: AbortSignal) => Promise<Headers>
}

/** The id at the end of a resource's name. */
export const lastPartOf = (name: unknown): string | undefined => textIn(name)?.split('/').at(-1)

/** One of Google's APIs, asked with the administrative rights. */
export const googleApi = ({ authorize, ...rest }: GoogleSettings, peer: string, endpoint: string): ProviderApi =>
  providerApi({ ...rest, peer, endpoint, authorize: async (signal) => Object.fromEntries(await authorize(signal)) })

export const recordIn = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {}

export const arrayIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

export const textIn = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)
