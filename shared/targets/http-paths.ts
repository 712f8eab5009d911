/** `data.attributes.name`, `errors[0].code`, `errors[*].code`, `$`; `?` at the end for what may be absent (http-description.ts). */
export interface Path {
  readonly steps: readonly (string | number | typeof EACH)[]
  readonly isOptional: boolean
}

export const EACH = Symbol('[*]')

/** Undefined: it is no path. A library for all of JSONPath would bring filters, that is expressions to be run. */
export function pathOf(text: string): Path | undefined {
  const isOptional = text.endsWith('?')
  const written = isOptional ? text.slice(0, -1) : text
  if (!/^(\$|[\w$@-]+)(\.[\w$@-]+|\[(\d{1,4}|\*)\])*$/.test(written)) return undefined
  const steps = [...written.matchAll(/\[(\d+|\*)\]|[^.[\]]+/g)].map(([name, index]) =>
    index === undefined ? name : index === '*' ? EACH : Number(index)
  )
  return { steps: steps[0] === '$' ? steps.slice(1) : steps, isOptional }
}

/** Everything that is at a path: nothing, one value, or with `[*]` several. Only members of the answer's own. */
export function valuesAt(text: string, json: unknown): readonly unknown[] {
  let found: readonly unknown[] = [json]
  for (const step of pathOf(text)?.steps ?? []) found = found.flatMap((value) => stepInto(value, step))
  return found
}

export const valueAt = (text: string, json: unknown): unknown => valuesAt(text, json)[0]

function stepInto(value: unknown, step: Path['steps'][number]): readonly unknown[] {
  if (Array.isArray(value)) {
    if (step === EACH) return value
    return typeof step === 'number' && step < value.length ? [value[step]] : []
  }
  if (typeof value !== 'object' || value === null || typeof step === 'symbol' || !Object.hasOwn(value, step)) return []
  return [(value as Record<string | number, unknown>)[step]]
}
