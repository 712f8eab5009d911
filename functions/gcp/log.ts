import { jsonLog, type Log } from '../../shared/log.ts'

/** pino tells the level of the line to a stream that has this property (pino docs, api.md, "Metadata"). */
const METADATA = Symbol.for('pino.metadata')

/** pino's numbers, and Cloud Logging's LogSeverity. */
const SEVERITIES: readonly (readonly [from: number, name: string])[] = [
  [50, 'ERROR'],
  [40, 'WARNING'],
  [30, 'INFO']
]

/**
 * One JSON line an event on standard output, with the `severity` that alerts and filters ask for (logging/docs/structured-
 * logging, "Special fields"): without it a line has none. By process.stdout, where functions-framework adds the execution id.
 */
export function severityLog(level: string, out: { write(line: string): unknown } = process.stdout): Log {
  const stream = {
    [METADATA]: true,
    lastLevel: 0,
    write(line: string): void {
      const severity = SEVERITIES.find(([from]) => stream.lastLevel >= from)?.[1] ?? 'DEBUG'
      out.write(`{"severity":"${severity}",${line.slice(1)}`)
    }
  }
  return jsonLog(level, stream)
}
