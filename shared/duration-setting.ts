import * as v from 'valibot'
import { formatDuration, parseDuration } from './metadata.ts'

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
