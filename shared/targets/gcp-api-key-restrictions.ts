import { recordIn } from '../google-api.ts'

/**
 * What a key may do, and for whom: the parts of a key (google/api/apikeys/v2/resources.proto) that are copied to the next
 * one, with the annotations, which “should be preserved”.
 */
export function reachOf(key: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { restrictions, serviceAccountEmail, annotations } = key
  return {
    ...(restrictions !== undefined && { restrictions }),
    ...(serviceAccountEmail !== undefined && { serviceAccountEmail }),
    ...(annotations !== undefined && { annotations })
  }
}

/** Whether two keys may do the same: nothing is the same as an empty list, and the order of a list does not count. */
export const isSameReach = (one: Readonly<Record<string, unknown>>, other: Readonly<Record<string, unknown>>): boolean =>
  (['restrictions', 'serviceAccountEmail'] as const).every((name) => canonical(one[name]) === canonical(other[name]))

function canonical(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) {
    const items = value.map(canonical).sort()
    return items.length === 0 ? '' : `[${items.join()}]`
  }
  if (typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(recordIn(value)).map(([name, member]) => [name, canonical(member)] as const)
  const filled = members.filter(([, text]) => text !== '').sort(([a], [b]) => (a < b ? -1 : 1))
  return filled.length === 0 ? '' : `{${filled.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join()}}`
}
