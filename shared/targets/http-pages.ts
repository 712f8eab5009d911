import { KeyturnError } from '../errors.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { textAt } from './http-answers.ts'
import type { HttpPaging } from './http-description.ts'
import { pathOf, valueAt } from './http-paths.ts'

const MOST_PAGES = 50

/** How far a list has been read. */
interface Progress {
  /** Pages so far, this one among them. */
  readonly pages: number
  /** Items so far, and of this page. */
  readonly items: number
  readonly here: number
}

export interface Listing {
  readonly items: readonly unknown[]
  readonly last: ApiAnswer
}

/**
 * All items of a list. `ask` is given the address below the host. Fails with `invalid/answer` where the list has no end
 * in sight, or ends early: a list that is cut would hide keys.
 */
export async function everyPage(
  list: { readonly name: string; readonly path: string; readonly items: string; readonly paging?: HttpPaging | undefined },
  ask: (path: string) => Promise<ApiAnswer>
): Promise<Listing> {
  const { name, items: at, paging } = list
  const most = paging?.mostPages ?? MOST_PAGES
  const asked = new Set<string>()
  const items: unknown[] = []
  let path: string | undefined =
    paging?.by === 'page' ? withParameter(list.path, paging.parameter, String(paging.first)) : list.path
  for (;;) {
    if (asked.has(path) || asked.size >= most)
      throw new KeyturnError('invalid/answer', `${name}: the list goes on after ${asked.size} pages, or comes back to one it had`)
    asked.add(path)
    const answer = await ask(path)
    const found = valueAt(at, answer.json)
    if (!Array.isArray(found)) throw new KeyturnError('invalid/answer', `${name}: list has no array at ${at} (items)`)
    items.push(...(found as unknown[]))
    path = paging && nextOf(list.path, paging, answer, { pages: asked.size, items: items.length, here: found.length })
    if (path === undefined) return { items, last: answer }
  }
}

function nextOf(path: string, paging: HttpPaging, answer: ApiAnswer, at: Progress): string | undefined {
  if (paging.by === 'page') return nextNumber(path, paging, answer.json, at)
  if (paging.by === 'link-header') return fromRoot(nextLink(answer.header('link')))
  if (paging.by === 'cursor' && paging.more !== undefined && valueAt(paging.more, answer.json) !== true) {
    if (typeof valueAt(paging.more, answer.json) === 'boolean' || pathOf(paging.more)?.isOptional) return undefined
    throw missing(paging.more, 'paging.more')
  }
  const next = textAt(paging.next, answer.json)
  if (next === undefined && ((paging.by === 'cursor' && paging.more !== undefined) || !isEnd(paging.next, answer.json)))
    throw missing(paging.next, 'paging.next')
  if (next === undefined) return undefined
  return paging.by === 'cursor' ? withParameter(path, paging.parameter, next) : fromRoot(next)
}

/** Nothing where there would be a next page; a place that is not there at all ends a list only where `?` says that it may be absent. */
function isEnd(path: string, json: unknown): boolean {
  const value = valueAt(path, json)
  return value === null || value === '' || (value === undefined && pathOf(path)?.isOptional === true)
}

function nextNumber(
  path: string,
  { parameter, first, total, pages }: Extract<HttpPaging, { readonly by: 'page' }>,
  json: unknown,
  at: Progress
): string | undefined {
  const next = withParameter(path, parameter, String(first + at.pages))
  if (pages !== undefined) return at.pages >= countAt(pages, json, 'paging.pages') ? undefined : next
  if (total === undefined) return at.here === 0 ? undefined : next
  const all = countAt(total, json, 'paging.total')
  if (at.here === 0 && at.items < all) throw new KeyturnError('invalid/answer', `the list ended after ${at.items} of ${all} keys`)
  return at.items >= all ? undefined : next
}

function countAt(path: string, json: unknown, called: string): number {
  const count = valueAt(path, json)
  if (typeof count === 'number' && Number.isInteger(count)) return count
  throw missing(path, called)
}

const missing = (path: string, called: string): KeyturnError =>
  new KeyturnError('invalid/answer', `list has nothing usable at ${path} (${called})`)

const withParameter = (path: string, name: string, value: string): string =>
  `${path}${path.includes('?') ? '&' : '?'}${encodeURIComponent(name)}=${encodeURIComponent(value)}`

/** RFC 8288, 3: `<https://…>; rel="next"`, more of them after commas. */
const nextLink = (header: string | undefined): string | undefined =>
  /<([^>]*)>[^,<]*;\s*rel="?next"?(?=[\s;,]|$)/i.exec(header ?? '')?.[1]

/** A whole URL is compared with the list's own host by whoever sends it (provider-api.ts). */
function fromRoot(link: string | undefined): string | undefined {
  if (link === undefined) return undefined
  if (/^https:\/\/|^\/(?![/\\])/.test(link) && !/[\\\p{Cc}]/u.test(link)) return link
  throw new KeyturnError('invalid/answer', 'the next page is neither a whole URL nor a path from the root')
}
