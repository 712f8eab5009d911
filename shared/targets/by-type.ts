import { KeyturnError } from '../errors.ts'
import { typeOf } from '../key-document.ts'
import { KEY_TYPES, kindOfType } from '../kinds.ts'
import type { Target } from '../ports/target.ts'
import type { SecretText } from '../types.ts'

/** Kind → its target, or what gives it for a document. */
type KeyTargets = Readonly<Record<string, (document: SecretText) => Target>>

/**
 * The target that handles a document, among those of one deployment, by the document's `type`; where the secret's metadata
 * say what it opens, the document has to agree. Throws `invalid/document`, `invalid/kind`, `unsupported/engine`.
 */
export function byType(targets: KeyTargets): (document: SecretText, kind?: string | undefined) => Target {
  return (document, kind) => {
    const type = typeOf(document)
    const found = kindOfType(type)
    if (found === undefined)
      throw new KeyturnError('invalid/document', `the secret’s type must be one of ${Object.values(KEY_TYPES).join(', ')}`)
    if (kind !== undefined && kind !== found && kind in KEY_TYPES)
      throw new KeyturnError('invalid/kind', `the metadata say ${kind}, and the document is of ${found}`)
    const target = targets[found]
    if (target) return target(document)
    throw new KeyturnError('unsupported/engine', `${found} is rotated on its own cloud, or by the command line`)
  }
}
