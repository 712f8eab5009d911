import * as v from 'valibot'
import { formatDuration, parseDuration } from './duration.ts'

/** A variable as the README shows it. */
export interface Setting {
  readonly name: string
  readonly fallback: string
  readonly says: string
}

/** Every variable of a schema, with what is said of it. */
export const settingsIn = <Name extends string>(
  entries: Readonly<Record<Name, object>>,
  says: Readonly<Record<Name, string>>
): readonly Setting[] =>
  (Object.keys(says) as Name[]).map((name) => {
    const entry = entries[name]
    return { name, fallback: 'default' in entry && entry.default !== undefined ? String(entry.default) : '–', says: says[name] }
  })

/** A variable that holds a duration, `5s`, from `min` to `max`; ms. */
export const durationSetting = (name: string, fallback: string, min: string, max: string) =>
  v.optional(
    v.pipe(
      v.string(),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        const ms = durationOf(dataset.value, name)
        if (ms !== undefined && ms >= parseDuration(min, name) && ms <= parseDuration(max, name)) return ms
        addIssue({ message: `${name} must be from ${min} to ${max}, such as ${formatDuration(parseDuration(fallback, name))}` })
        return NEVER
      })
    ),
    fallback
  )

function durationOf(text: string, name: string): number | undefined {
  try {
    return parseDuration(text, name)
  } catch {
    return undefined
  }
}
