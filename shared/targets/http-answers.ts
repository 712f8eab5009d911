import { type Code, KeyturnError } from '../errors.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { type Instant, instant } from '../types.ts'
import type { HttpDescription, HttpError, HttpMatch, HttpRequest, HttpScalar, HttpTime } from './http-description.ts'
import { pathOf, valueAt, valuesAt } from './http-paths.ts'

export type Said = Pick<ApiAnswer, 'status' | 'json' | 'isJson'>

/** The rule's own word for what it found, so that nothing of the answer is repeated. Undefined: it does not apply. */
export function wordOf({ status, at, equals, contains }: HttpMatch, said: Said): string | undefined {
  if (![status].flat().includes(said.status)) return undefined
  if (at === undefined) return `status ${said.status}`
  const found = valuesAt(at, said.json).filter(isScalar).map(String)
  if (contains !== undefined) return found.some((text) => text.includes(contains)) ? contains : undefined
  const word = equals?.find((one) => found.includes(String(one)))
  return word === undefined ? undefined : typeof word === 'boolean' ? `${at} ${word}` : String(word)
}

export const isScalar = (value: unknown): value is HttpScalar => ['string', 'number', 'boolean'].includes(typeof value)

/** Of a description's words to keyturn's codes; the one table of this adapter. */
const CODES: Readonly<Record<HttpError['is'], Code>> = {
  full: 'conflict/full',
  policy: 'denied/provider-policy',
  denied: 'denied/provider',
  throttled: 'throttled/provider',
  'no-account': 'not-found/principal',
  gone: 'not-found/principal',
  'not-yet': 'unavailable/provider'
}

const SAYS: Readonly<Record<HttpError['is'], string>> = {
  full: 'there is no room for another key',
  policy: 'a rule of the account forbids it',
  denied: 'it is not allowed',
  throttled: 'it asks to slow down',
  'no-account': 'there is no such account, or the document’s config names another',
  gone: 'there is no such key',
  'not-yet': 'it cannot be done yet'
}

/** What the description takes the answer for, where that is a refusal. */
export function refusedAs(description: HttpDescription, request: HttpRequest, said: Said): HttpError['is'] | undefined {
  const rules = [...(request.errors ?? []), ...(description.errors ?? [])]
  return rules.find(({ when }) => wordOf(when, said) !== undefined)?.is ?? byStatus(said.status)
}

/** RFC 9110, 15.5: for want of rights, and for want of the thing. */
const byStatus = (status: number): HttpError['is'] | undefined =>
  status === 401 || status === 403 ? 'denied' : status === 404 ? 'no-account' : undefined

/** Throws what a refusal means; a success passes. `step`: what was asked, for the message. */
export function refuseFailure(description: HttpDescription, step: string, request: HttpRequest, said: Said): void {
  const as = refusedAs(description, request, said)
  const isSuccess = said.status >= 200 && said.status < 300
  if (as === undefined && isSuccess) return
  const vendor = codeIn(description, said)
  const who = `${description.name}: ${step} was answered with ${said.status}${vendor === String(said.status) ? '' : ` ${vendor}`}`
  if (as === undefined) throw new KeyturnError('invalid/answer', `${who}, which its description does not explain`, vendor)
  const needs = request.needs ?? 'a permission that the description does not name (needs)'
  const why = as === 'denied' ? `it takes ${needs}` : SAYS[as]
  throw new KeyturnError(CODES[as], `${who}: ${why}`, vendor)
}

/** The vendor's code where it looks like one; a message may quote what was sent, and so may a code that is half a key. */
export function codeIn({ code }: HttpDescription, { status, json }: Said): string {
  const found = code === undefined ? undefined : valuesAt(code, json).find(isScalar)
  const text = String(found ?? '')
  return /^[A-Za-z_.:-]{0,48}\d{0,8}$/.test(text) && text !== '' ? text : String(status)
}

/** An id, a name: a text or a whole number that JSON.parse kept as it was. */
export function textAt(path: string, json: unknown): string | undefined {
  const value = valueAt(path, json)
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined
  return typeof value === 'string' && value !== '' && !/\p{Cc}/u.test(value) ? value : undefined
}

/** `never`: the provider says so. `unreadable`: it says nothing, or nothing that is a time. */
export function timeAt(time: HttpTime, json: unknown): Instant | 'never' | 'unreadable' {
  const value = valueAt(time.at, json)
  if (value === undefined) return pathOf(time.at)?.isOptional ? 'never' : 'unreadable'
  if (value === null || time.never?.some((one) => one === value)) return 'never'
  const ms = msOf(value, time.format)
  return ms === undefined || !(ms > 0 && ms < YEAR_2200) ? 'unreadable' : instant(ms)
}

/** Seconds that are taken for milliseconds, or the other way round, are far from here. */
const YEAR_2200 = 7_258_118_400_000

const ISO = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}:?\d{2}))?)?$/

function msOf(value: unknown, format: HttpTime['format']): number | undefined {
  if (format === 'unix-s' || format === 'unix-ms') {
    const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value
    return typeof number === 'number' ? Math.trunc(number * (format === 'unix-s' ? 1000 : 1)) : undefined
  }
  if (typeof value !== 'string' || (format === 'iso' && !ISO.test(value))) return undefined
  // Without a zone Date.parse would take this machine's; providers mean UTC.
  const isZoned = format === 'rfc-2822' || /(Z|[+-]\d{2}:?\d{2})$/.test(value.slice(10)) || value.length === 10
  const ms = Date.parse(isZoned ? value : `${value}Z`)
  return Number.isNaN(ms) ? undefined : ms
}
