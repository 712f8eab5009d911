import * as v from 'valibot'
import type { HttpDescription, HttpJson } from './http-description.ts'

/** What is wrong with the shape of a description: a place in it and what is wanted there, nothing that it holds. Empty: nothing. */
export const shapeProblems = (given: unknown): readonly string[] => (v.safeParse(DESCRIPTION, given).issues ?? []).map(saidOf)

/** valibot's own messages quote what was found, which may be a token that somebody pasted. */
function saidOf(issue: v.BaseIssue<unknown>): string {
  const at = v.getDotPath(issue) ?? 'it'
  if (issue.type === 'never') return `${at} is no field that a description has`
  if (issue.received === 'undefined') return `${at} is missing`
  return issue.kind === 'schema' ? `${at} must be ${wantedOf(issue)}` : `${at} ${issue.message}`
}

const wantedOf = ({ expected }: v.BaseIssue<unknown>): string =>
  (expected ?? 'something else')
    .replaceAll('"', '')
    .replace('Object', 'an object')
    .replace('Array', 'a list')
    .replaceAll(' | ', ' or ')

/** strictObject names the first unknown field only. */
const object = <const E extends v.ObjectEntries>(entries: E) =>
  v.objectWithRest(entries, v.never()) as unknown as v.StrictObjectSchema<E, undefined>

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'))
const texts = v.array(text)
const number = v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(0, 'must not be negative'))
const templates = v.record(v.string(), v.string())
const scalar = v.union([v.string(), v.number(), v.boolean()])
const page = v.pipe(v.string(), v.regex(/^https:\/\/[^\s]+$/, 'must be the URL of a page, https://…'))
const json: v.GenericSchema<unknown, HttpJson> = v.lazy(() =>
  v.union([v.string(), v.number(), v.boolean(), v.null(), v.array(json), v.record(v.string(), json)])
)

const status = v.pipe(number, v.minValue(200, 'must be a status from 200 on'), v.maxValue(599, 'must be a status below 600'))
const match = object({
  status: v.union([status, v.array(status)]),
  at: v.optional(text),
  equals: v.optional(v.array(scalar)),
  contains: v.optional(text)
})
const errors = v.array(
  object({ when: match, is: v.picklist(['full', 'policy', 'denied', 'throttled', 'no-account', 'gone', 'not-yet']) })
)
const time = object({
  at: text,
  format: v.picklist(['iso', 'unix-s', 'unix-ms', 'rfc-2822']),
  never: v.optional(v.array(scalar))
})

const auth = v.union([object({ headers: templates }), object({ basic: object({ user: v.string(), password: v.string() }) })])

const request = {
  method: v.picklist(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  url: text,
  headers: v.optional(templates),
  json: v.optional(json),
  form: v.optional(templates),
  auth: v.optional(auth),
  needs: v.optional(text),
  repeatable: v.optional(v.boolean()),
  errors: v.optional(errors)
} as const

const mostPages = v.optional(v.pipe(number, v.minValue(1, 'must be 1 at least')))
const paging = v.variant('by', [
  object({ by: v.literal('cursor'), parameter: text, next: text, more: v.optional(text), mostPages }),
  object({
    by: v.literal('page'),
    parameter: text,
    first: number,
    total: v.optional(text),
    pages: v.optional(text),
    mostPages
  }),
  object({ by: v.literal('link'), next: text, mostPages }),
  object({ by: v.literal('link-header'), mostPages })
])

const list = object({
  ...request,
  items: text,
  where: v.optional(v.array(object({ at: text, equals: v.union([v.string(), v.array(v.string())]) }))),
  id: text,
  name: v.optional(text),
  createdAt: v.optional(time),
  lastUsed: v.optional(time),
  disabled: v.optional(object({ at: text, equals: v.array(scalar) })),
  paging: v.optional(paging)
})

const verify = object({
  ...request,
  auth,
  alive: v.pipe(v.array(match), v.nonEmpty('must name an answer')),
  dead: v.pipe(v.array(match), v.nonEmpty('must name an answer')),
  onlyStatus: v.optional(object({ source: page })),
  valueInUrl: v.optional(v.boolean())
})

const configField = object({
  choices: v.optional(v.pipe(texts, v.nonEmpty('must name a value'))),
  default: v.optional(text),
  optional: v.optional(v.boolean()),
  kind: v.optional(v.picklist(['text', 'json']))
})

const facts = object({
  maxLive: v.pipe(number, v.minValue(1, 'must be 1 at least')),
  overlap: v.picklist(['dual', 'provider', 'none']),
  lastUsed: v.picklist(['precise', 'coarse', 'none']),
  telemetryLagMs: number,
  mintedOnce: v.boolean(),
  settlesMs: number
})

const DESCRIPTION: v.GenericSchema<unknown, HttpDescription> = object({
  name: v.pipe(v.string(), v.regex(/^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$/, 'must be 1 to 64 characters of [a-z0-9-]')),
  source: object({
    url: page,
    date: v.pipe(v.string(), v.isoDate('must be a day, such as 2026-03-14'))
  }),
  hosts: v.pipe(texts, v.nonEmpty('must name a host')),
  auth,
  config: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Za-z_][\w-]*$/, 'must be a name')), configField)),
  fields: v.optional(object({ keyId: v.optional(text), apiKey: v.optional(text) })),
  code: v.optional(text),
  errors: v.optional(errors),
  create: object({ ...request, id: text, value: text }),
  list,
  revoke: object(request),
  verify,
  disable: v.optional(object(request)),
  enable: v.optional(object(request)),
  lastUse: v.optional(object({ ...request, lastUsed: time })),
  read: v.optional(object({ ...request, values: v.record(v.string(), text) })),
  facts
})
