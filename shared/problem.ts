import { CODES, type Code } from './errors.ts'

/** One finding of a preflight (ports/target.ts, Problem): what would be refused, with what to do about it. */
export const problem = (code: Code, message: string, fatal = true) => ({ code, message, todo: CODES[code][1], fatal })
