import * as v from 'valibot'
import { type Config, readConfig } from './config.ts'
import { hasCode, KeyturnError } from './errors.ts'
import { durationSetting } from './setting.ts'

type Environment = Readonly<Record<string, string | undefined>>
type Schema = v.ObjectSchema<v.ObjectEntries, undefined>

/**
 * What every host reads, and what one host reads beside it. Throws `invalid/config` that lists all problems of both at once;
 * no value is quoted. `more`: what the schema cannot say.
 */
export function readHostSettings<S extends Schema>(
  schema: S,
  environment: Environment,
  more: (given: Environment) => readonly string[]
): { readonly config: Config; readonly given: v.InferOutput<S> } {
  const names = Object.keys(schema.entries)
  // A setting that was emptied in a console is an empty text.
  const given = Object.fromEntries(names.map((name) => [name, environment[name] || undefined]))
  const parsed = v.safeParse(schema, given)
  const problems = [...(parsed.issues ?? []).map((i) => i.message), ...more(given)]
  const config = configOf(environment, names, problems)
  if (!parsed.success || config === undefined || problems.length > 0)
    throw new KeyturnError('invalid/config', problems.join('; '))
  return { config, given: parsed.output }
}

function configOf(environment: Environment, names: readonly string[], problems: string[]): Config | undefined {
  try {
    return readConfig(environment, names)
  } catch (e) {
    if (!hasCode(e, 'invalid/config')) throw e
    problems.push(e.message)
    return undefined
  }
}

/** KEYTURN_RUN_LIMIT: how long one run may take, ms. */
export const runLimit = (fallback: string) => durationSetting('KEYTURN_RUN_LIMIT', fallback, '1m', '60m')
