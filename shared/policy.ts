import { KeyturnError } from './errors.ts'
import type { Metadata } from './metadata.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Periods and graces where the owner set none, by kind: a database pair, and everything that is a key. */
const DEFAULTS: Readonly<Record<string, { readonly periodMs: number; readonly graceMs: number }>> = {
  postgres: { periodMs: 30 * DAY, graceMs: 24 * HOUR }
}
const DEFAULT_KEY = { periodMs: 90 * DAY, graceMs: 7 * DAY }
const DEFAULT_QUIET_MS = 24 * HOUR
const DEFAULT_SOAK_MS = 24 * HOUR
const DEFAULT_LIMIT_MS = 30 * DAY
/** Between the clocks of a store and a provider, and what both need to tell. */
const TELEMETRY_MARGIN_MS = 15 * 60_000

const defaultsOf = (metadata: Metadata): { readonly periodMs: number; readonly graceMs: number } =>
  DEFAULTS[metadata.kind ?? 'postgres'] ?? DEFAULT_KEY

/** How long the old credential stays valid after promotion, ms. */
export const graceMsOf = (metadata: Metadata): number => metadata.graceMs ?? defaultsOf(metadata).graceMs

/** How often the credential is to be rotated, ms. Throws `invalid/grace` where the grace would not fit in it. */
export function periodMsOf(metadata: Metadata): number {
  const periodMs = metadata.periodMs ?? defaultsOf(metadata).periodMs
  if (graceMsOf(metadata) >= periodMs)
    throw new KeyturnError('invalid/grace', `grace ${graceMsOf(metadata)} ms is not shorter than period ${periodMs} ms`)
  return periodMs
}

/** How long nobody must have used an old key, ms: never less than what the provider's telemetry lags behind, and a margin. */
export const quietMsOf = ({ quietMs = DEFAULT_QUIET_MS }: Metadata, telemetryLagMs: number): number =>
  Math.max(quietMs, telemetryLagMs + TELEMETRY_MARGIN_MS)

/** How long a key stays disabled before it is deleted, ms. */
export const soakMsOf = ({ soakMs = DEFAULT_SOAK_MS }: Metadata): number => soakMs

/** How long after its replacement an old key that cannot be retired is put up with, ms; never less than its grace. */
export const limitMsOf = (metadata: Metadata): number => Math.max(metadata.limitMs ?? DEFAULT_LIMIT_MS, graceMsOf(metadata))
