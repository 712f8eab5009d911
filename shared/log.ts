import { type DestinationStream, pino } from 'pino'

/** What a log line may carry. SecretText is not among them: the compiler refuses it. */
export type LogValue = string | number | boolean | null | undefined | readonly LogValue[] | { readonly [key: string]: LogValue }
export type LogFields = { readonly [key: string]: LogValue }

/** One JSON line an event. `event` is a stable name for machines, such as `step` or `refused`. */
export interface Log {
  info(event: string, fields: LogFields): void
  warn(event: string, fields: LogFields): void
  error(event: string, fields: LogFields): void
}

/**
 * A log on a stream (standard output by default). Nothing is redacted here, on purpose: redaction by list is found
 * one leak at a time; what may be secret is a SecretText, which prints `[secret]`, and has no way in.
 * A line is written when this returns: pino's own default writes later, and Lambda freezes, or ends, a process that has answered.
 */
export function jsonLog(level: string, stream: DestinationStream = pino.destination({ sync: true })): Log {
  const out = pino({ level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` }, stream)
  return {
    info: (event, fields) => out.info({ event, ...fields }),
    warn: (event, fields) => out.warn({ event, ...fields }),
    error: (event, fields) => out.error({ event, ...fields })
  }
}

/** Keeps nothing. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} }
