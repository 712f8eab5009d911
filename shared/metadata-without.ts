import type { Metadata } from './metadata.ts'

/** The part of a patch that removes what there is of these. */
export function without<K extends keyof Metadata>(metadata: Metadata, ...fields: readonly K[]): { readonly [P in K]?: null } {
  const there = fields.filter((field) => metadata[field] !== undefined)
  return Object.fromEntries(there.map((field) => [field, null])) as { readonly [P in K]?: null }
}
