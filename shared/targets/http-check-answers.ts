import { placeholdersOf, requestsOf } from './http-check-requests.ts'
import type { HttpDescription, HttpError, HttpMatch, HttpTime } from './http-description.ts'
import { fieldsOf } from './http-document.ts'
import { EACH, pathOf } from './http-paths.ts'

/** Whatever would be read from a wrong place, taken for what it is not, or promised and not kept. */
export const answerProblems = (d: HttpDescription): readonly string[] => [
  ...placeProblems(d),
  ...verifyProblems(d),
  ...errorProblems('errors', d.errors),
  ...requestsOf(d).flatMap(([step, { errors }]) => errorProblems(`${step}.errors`, errors)),
  ...configProblems(d),
  ...togetherProblems(d),
  ...factProblems(d)
]

/** One value, that is: without [*]. `?`: whether it may be absent. */
function one(at: string, text: string | undefined, mayBeAbsent = true): readonly string[] {
  if (text === undefined) return []
  const path = pathOf(text)
  if (path === undefined) return [`${at} is no path, such as data.items[0].id`]
  if (path.steps.includes(EACH)) return [`${at} must name one place, without [*]`]
  return path.isOptional && !mayBeAbsent ? [`${at} must be there, without ?`] : []
}

const timed = (at: string, time: HttpTime | undefined): readonly string[] => one(`${at}.at`, time?.at)

function placeProblems({ code, create, list, lastUse, read }: HttpDescription): readonly string[] {
  const { paging } = list
  return [
    ...(code === undefined || pathOf(code) !== undefined ? [] : ['code is no path']),
    ...one('create.id', create.id, false),
    ...one('create.value', create.value, false),
    ...one('list.items', list.items, false),
    ...(list.where ?? []).flatMap(({ at }, n) => one(`list.where.${n}.at`, at)),
    ...one('list.id', list.id, false),
    ...one('list.name', list.name),
    ...timed('list.createdAt', list.createdAt),
    ...timed('list.lastUsed', list.lastUsed),
    ...one('list.disabled.at', list.disabled?.at),
    ...timed('lastUse.lastUsed', lastUse?.lastUsed),
    ...Object.entries(read?.values ?? {}).flatMap(([name, at]) => one(`read.values.${name}`, at)),
    ...(paging?.by === 'cursor' ? [...one('list.paging.next', paging.next), ...one('list.paging.more', paging.more)] : []),
    ...(paging?.by === 'page' ? [...one('list.paging.total', paging.total), ...one('list.paging.pages', paging.pages)] : []),
    ...(paging?.by === 'link' ? one('list.paging.next', paging.next) : []),
    ...(paging && 'parameter' in paging && namesParameter(list.url, paging.parameter)
      ? ['list.url has the parameter of list.paging already']
      : [])
  ]
}

const namesParameter = (url: string, parameter: string): boolean =>
  new URLSearchParams(url.slice(url.indexOf('?') + 1)).has(parameter)

const statusesOf = ({ status }: HttpMatch): readonly number[] => [status].flat()

function matchProblems(at: string, match: HttpMatch): readonly string[] {
  const wants = [match.equals, match.contains].filter((one) => one !== undefined).length
  const never = statusesOf(match).filter((status) => status === 429 || status >= 500 || (status >= 300 && status < 400))
  return [
    ...(match.at === undefined || pathOf(match.at) !== undefined ? [] : [`${at}.at is no path`]),
    ...(wants === (match.at === undefined ? 0 : 1) ? [] : [`${at} needs at, with either equals or contains, or neither of them`]),
    ...(match.equals?.length === 0 ? [`${at}.equals must name a value`] : []),
    ...(statusesOf(match).length === 0 ? [`${at}.status must name a status`] : []),
    ...never.map((status) => `${at}: ${status} is never told apart (429 is throttled, 5xx unavailable, 3xx not followed)`)
  ]
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300

/** Dead takes the vendor's own word: a proxy, a rate limit and a missing right answer 401 and 403 as well. */
function verifyProblems({ verify: { alive, dead, onlyStatus } }: HttpDescription): readonly string[] {
  return [
    ...alive.flatMap((match, n) => {
      const isBare = match.at === undefined && !statusesOf(match).every(isSuccess)
      const bare = isBare ? [`verify.alive.${n} is a bare refusal: it needs a code (at, equals), or proves nothing`] : []
      return [...matchProblems(`verify.alive.${n}`, match), ...bare]
    }),
    ...dead.flatMap((match, n) => [
      ...matchProblems(`verify.dead.${n}`, match),
      ...bareDead(`verify.dead.${n}`, match, onlyStatus)
    ])
  ]
}

function bareDead(at: string, match: HttpMatch, onlyStatus: HttpDescription['verify']['onlyStatus']): readonly string[] {
  if (match.at !== undefined) return []
  if (statusesOf(match).some(isSuccess)) return [`${at} is a bare success: that is no sign of death`]
  if (statusesOf(match).includes(403)) return [`${at} is a bare 403, which is never dead: it needs a code (at, equals)`]
  return onlyStatus ? [] : [`${at} is a bare status: it needs a code (at, equals), or onlyStatus with its source`]
}

const errorProblems = (at: string, errors: readonly HttpError[] = []): readonly string[] =>
  errors.flatMap(({ when, is }, n) => {
    const isBare = when.at === undefined
    const statuses = statusesOf(when)
    return [
      ...matchProblems(`${at}.${n}.when`, when),
      ...(isBare && statuses.some(isSuccess) ? [`${at}.${n} takes every success for a failure`] : []),
      ...(isBare && is !== 'denied' && statuses.some((status) => status === 401 || status === 403)
        ? [`${at}.${n} is a bare 401 or 403, which means denied and nothing else`]
        : [])
    ]
  })

function configProblems(d: HttpDescription): readonly string[] {
  const used = new Set(placeholdersOf(d).map(([, name]) => name))
  return Object.entries(d.config ?? {}).flatMap(([name, { choices, default: fallback, optional, kind }]) => [
    ...(used.has(`config.${name}`) ? [] : [`config.${name} is used by no request`]),
    ...(kind === 'json' && (choices ?? fallback) !== undefined
      ? [`config.${name} is JSON: it can have no choices and no default`]
      : []),
    ...(optional && fallback !== undefined ? [`config.${name} has a default, so it is not optional`] : []),
    ...(fallback !== undefined && choices?.includes(fallback) === false ? [`config.${name}.default is none of its choices`] : [])
  ])
}

/** What goes only with something else. */
function togetherProblems(d: HttpDescription): readonly string[] {
  const used = placeholdersOf(d)
  const uses = (prefix: string) => used.some(([, name]) => name.startsWith(prefix))
  const hasMark = used.some(([, name]) => name === 'mark')
  const fields = [...fieldsOf(d), 'type', 'provider', 'config', 'adminsecret']
  return [
    ...((d.disable === undefined) === (d.enable === undefined) ? [] : ['disable and enable go together']),
    ...(d.disable && d.list.disabled === undefined
      ? ['list.disabled must tell which key is disabled, or it is never enabled']
      : []),
    ...(d.disable && uses('key.') ? ['disable: a key that manages itself could not enable itself'] : []),
    ...(d.list.name !== undefined && !hasMark ? ['create sends no {mark}, so list.name is no sign of ours'] : []),
    ...(d.read && !uses('read.') ? ['read is used by no request'] : []),
    ...(d.create.repeatable === undefined ? [] : ['create is never repeatable']),
    ...(['GET', 'DELETE'].includes(d.create.method) ? ['create must be a POST, PUT or PATCH: others are sent again'] : []),
    ...(new Set(fields).size === fields.length ? [] : ['fields must be two names of their own'])
  ]
}

function factProblems({ facts, list, lastUse }: HttpDescription): readonly string[] {
  const tells = list.lastUsed !== undefined || lastUse !== undefined
  return [
    ...(facts.overlap !== 'dual' || facts.maxLive > 1
      ? []
      : ['facts.maxLive must be 2 at least: the new key lives beside the old']),
    ...((facts.lastUsed !== 'none') === tells
      ? []
      : ['facts.lastUsed is none exactly where neither list nor lastUse has lastUsed']),
    ...(facts.telemetryLagMs > 0 === tells ? [] : ['facts.telemetryLagMs is 0 exactly where nothing tells the last use'])
  ]
}
