import { publicLookup, refusePrivate } from './address-guard.ts'
import { type CallSettings, type ProviderApi, providerApi } from './provider-api.ts'

export interface GuardedSettings extends CallSettings {
  readonly peer: string
  readonly endpoint: string
  /** Whether its addresses may be private. */
  readonly allowPrivate: boolean
}

/** An API at an address that somebody outside may have written: a pool of connections that have all been through the guard. */
export function guardedApi({ lookup, allowPrivate, ...rest }: GuardedSettings): ProviderApi {
  const options = { allowPrivate, resolve: lookup }
  if (URL.canParse(rest.endpoint)) refusePrivate(new URL(rest.endpoint), options)
  return providerApi({ ...rest, lookup: publicLookup(options) })
}

/** Whether one of these names is among those that are allowed; `true`: all are. */
export const isAmong = (allowed: boolean | readonly string[], ...names: readonly string[]): boolean =>
  typeof allowed === 'boolean' ? allowed : names.some((name) => allowed.includes(name))
