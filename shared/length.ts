import { KeyturnError } from './errors.ts'
import type { SecretText } from './types.ts'

/** Refuses what a store would not keep whole, before it is sent. Throws `invalid/document`. */
export function refuseLong(
  value: SecretText,
  { name, maxValueBytes }: { readonly name: string; readonly maxValueBytes: number }
): void {
  const bytes = Buffer.byteLength(value.reveal(), 'utf8')
  if (bytes > maxValueBytes)
    throw new KeyturnError('invalid/document', `the document has ${bytes} bytes, and ${name} takes ${maxValueBytes}`)
}
