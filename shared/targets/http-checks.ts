import { KeyturnError } from '../errors.ts'
import { answerProblems } from './http-check-answers.ts'
import { requestProblems } from './http-check-requests.ts'
import type { HttpDescription } from './http-description.ts'
import { shapeProblems } from './http-schema.ts'

/**
 * A description that is safe to use. Throws `invalid/description` naming everything that is wrong, without quoting it, and
 * `unsupported/overlap` for a provider that has room for one key only.
 */
export function checkDescription(given: unknown, called?: string): HttpDescription {
  const name = called ?? nameIn(given) ?? 'the description'
  const shape = shapeProblems(given)
  if (shape.length > 0) throw refused(name, shape)
  const description = given as HttpDescription
  const problems = [...requestProblems(description), ...answerProblems(description)]
  if (problems.length > 0) throw refused(name, problems)
  if (description.facts.overlap !== 'dual')
    throw new KeyturnError(
      'unsupported/overlap',
      `${name}: a new key ends the old one, so a crash between its creation and its keeping would lose the only key there is; rotate it by hand`
    )
  return description
}

/** The file of a deployment's own: a JSON array of descriptions. Throws what checkDescription throws, of all of them together. */
export function parseDescriptions(text: string): readonly HttpDescription[] {
  const given = parsed(text)
  const refusals: KeyturnError[] = []
  const descriptions = given.flatMap((one, n) => {
    try {
      return [checkDescription(one, nameIn(one) ?? `description ${n + 1}`)]
    } catch (e) {
      if (!(e instanceof KeyturnError)) throw e
      refusals.push(e)
      return []
    }
  })
  const [first] = refusals.toSorted((x, y) => x.code.localeCompare(y.code))
  if (first) throw new KeyturnError(first.code, refusals.map(({ message }) => message).join('\n'))
  return refuseTwice(descriptions)
}

/** Of two descriptions with one name nobody could say which one a document means. */
export function refuseTwice(descriptions: readonly HttpDescription[]): readonly HttpDescription[] {
  const names = descriptions.map(({ name }) => name)
  const twice = names.filter((name, n) => names.indexOf(name) < n)
  if (twice.length > 0)
    throw new KeyturnError('invalid/description', `there are two descriptions with the name ${twice.join(', ')}`)
  return descriptions
}

function parsed(text: string): readonly unknown[] {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch {
    // JSON.parse quotes its input.
  }
  if (Array.isArray(given)) return given
  throw new KeyturnError('invalid/description', 'the descriptions must be a JSON array')
}

const nameIn = (given: unknown): string | undefined => {
  const { name } = (given ?? {}) as { readonly name?: unknown }
  return typeof name === 'string' && /^[a-z0-9-]{1,64}$/.test(name) ? name : undefined
}

const refused = (name: string, problems: readonly string[]): KeyturnError =>
  new KeyturnError('invalid/description', `${name}: ${[...new Set(problems)].join('; ')}`)
