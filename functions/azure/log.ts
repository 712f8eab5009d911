import type { InvocationContext } from '@azure/functions'
import { isLogLevel } from '../../shared/config.ts'
import { jsonLog, type Log } from '../../shared/log.ts'

/** pino tells the level of the line to a stream that has this property (pino docs, api.md, "Metadata"). */
const METADATA = Symbol.for('pino.metadata')

/**
 * The log of one invocation. Not the process's standard output: the host ties that to no invocation, and gives all of it one
 * level (azure-functions/functions-reference-node, "Logging").
 */
export function invocationLog(context: InvocationContext, level = 'info'): Log {
  const stream = {
    [METADATA]: true,
    lastLevel: INFO,
    write(line: string): void {
      const say = stream.lastLevel >= ERROR ? context.error : stream.lastLevel >= WARN ? context.warn : context.info
      say.call(context, line.trimEnd())
    }
  }
  // Bad settings must be told too.
  return jsonLog(isLogLevel(level) ? level : 'info', stream)
}

/** Where what an invocation works with could not be built: the level of settings that cannot be read is the default. */
export const logOf = (context: InvocationContext) => (): Log => invocationLog(context, process.env.KEYTURN_LOG_LEVEL)

/** pino's numbers. */
const [INFO, WARN, ERROR] = [30, 40, 50]
