import { KeyturnError } from './errors.ts'
import { type Members, matching, membersOf, reader } from './json-members.ts'
import type { SecretText } from './types.ts'

/**
 * Opens the document of a key: a JSON object whose `type` names its target, such as `aws-iam-access-key`. `known`: the other
 * fields that count. Throws `invalid/kind` where it is another target's, `invalid/document`.
 */
export function keyReader(text: SecretText, type: string, known: ReadonlySet<string>): ReturnType<typeof reader> {
  const members = membersOf(text, new Set([...known, 'type']))
  const found = typeIn(members)
  if (found !== type)
    throw new KeyturnError('invalid/kind', `the secret’s type is ${found === undefined ? 'missing' : `not ${type}`}`)
  return reader(members)
}

/** What a document says that it is. Undefined: nothing, or nothing that could be a name. */
export const typeOf = (text: SecretText): string | undefined => typeIn(membersOf(text, new Set(['type'])))

const typeIn = (members: Members): string | undefined => matching(/^[a-z0-9_-]{1,64}$/)(members.get('type')?.value)
