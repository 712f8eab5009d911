import type { Kind } from './event.ts'

/** What an operation is, and what it alone says. */
export interface Operation {
  readonly kind: Kind
  readonly marks: number
}

/** Entries of a table for names with a blank between them. */
export const operations = (kind: Kind, names: string, marks = 0): readonly (readonly [name: string, Operation])[] =>
  names.split(' ').map((name) => [name, { kind, marks }] as const)
