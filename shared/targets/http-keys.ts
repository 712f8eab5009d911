import { KeyturnError } from '../errors.ts'
import type { Usage } from '../ports/target.ts'
import type { Instant } from '../types.ts'
import { isScalar, textAt, timeAt } from './http-answers.ts'
import type { HttpDescription, HttpTime } from './http-description.ts'
import { filledWith, type HttpDocument } from './http-document.ts'
import { valueAt } from './http-paths.ts'
import type { ListedKey } from './minted-provider.ts'

export interface HttpKey extends ListedKey {
  readonly lastUse: Usage
}

/** The keys among the items of a list. Throws `invalid/answer` naming the path where one has no id, or no time that can be read. */
export function keysIn({ name, list }: HttpDescription, { config }: HttpDocument, items: readonly unknown[]): readonly HttpKey[] {
  const isWanted = (item: unknown): boolean =>
    (list.where ?? []).every(({ at, equals }) => {
      const found = valueAt(at, item)
      return isScalar(found) && [equals].flat().some((template) => filledWith(template, config) === String(found))
    })
  return items.filter(isWanted).map((item) => {
    const id = textAt(list.id, item)
    if (id === undefined) throw new KeyturnError('invalid/answer', `${name}: a key of the list has no id at ${list.id}`)
    const lastUse = useOf(name, list.lastUsed, item)
    return {
      id,
      name: list.name === undefined ? undefined : textAt(list.name, item),
      createdAt: list.createdAt && createdIn(name, list.createdAt, item),
      isDisabled: list.disabled && isOneOf(valueAt(list.disabled.at, item), list.disabled.equals),
      used: usedOf(lastUse),
      lastUse
    }
  })
}

/** A place that is not there, or holds no time, is "cannot tell": a changed answer must not look like an unused key. */
export function useOf(name: string, time: HttpTime | undefined, json: unknown): Usage {
  if (time === undefined) return { state: 'cannot-tell', why: `${name} does not tell when a key was last used` }
  const at = timeAt(time, json)
  if (at === 'unreadable') return { state: 'cannot-tell', why: `${name}: there is no time at ${time.at} (lastUsed)` }
  return { state: 'last-used', lastUsedAt: at === 'never' ? undefined : at }
}

const usedOf = (usage: Usage): ListedKey['used'] =>
  usage.state !== 'last-used' ? 'cannot-tell' : usage.lastUsedAt === undefined ? 'never' : 'ever'

const isOneOf = (value: unknown, wanted: readonly unknown[]): boolean =>
  isScalar(value) && wanted.some((one) => String(one) === String(value))

function createdIn(name: string, time: HttpTime, item: unknown): Instant | undefined {
  const at = timeAt(time, item)
  if (at === 'unreadable')
    throw new KeyturnError('invalid/answer', `${name}: a key of the list has no time at ${time.at} (createdAt)`)
  return at === 'never' ? undefined : at
}
