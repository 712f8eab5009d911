/**
 * One provider of API keys, as data: what is sent, and where in the answers to look. JSON-able; `parseDescriptions` reads those
 * of a deployment, `checkDescription` refuses what would not be safe (http-checks.ts).
 *
 * A template is a text with placeholders; `{{` and `}}` are braces themselves.
 * `{mark}`          create: the name that keyturn gives the key (37 characters of [a-z0-9-])
 * `{id}`            revoke, disable, enable, lastUse, read, verify: the id of the key that the request is about
 * `{value}`         verify only: the key itself; in a URL only with `valueInUrl`
 * `{config.<f>}`    a field of the document's `config`, which `config` here declares; never secret
 * `{admin.<f>}`     `auth` and headers of administrative requests: a field of the admin secret's document
 * `{key.id}`, `{key.value}`  there as well, where a key manages itself: the key of the document
 * `{read.<f>}`      create, disable, enable: what `read` told of current (create), or of the key that the request is about
 *
 * In a JSON body a text that is one placeholder alone becomes the value itself, of whatever type; where that is optional and
 * absent, the member is left out (of a form or of headers too).
 *
 * A path names a place in a JSON answer: `data.attributes.name`, `errors[0].code`, `errors[*].code` (any of them), `$` (the whole
 * answer). A `?` at the end: it may be absent.
 */
export interface HttpDescription {
  /** The `provider` that documents name: [a-z0-9-]. */
  readonly name: string
  /** The vendor page that it is taken from, and the day it was read, `2026-03-14`. */
  readonly source: { readonly url: string; readonly date: string }
  /** Every host that may be called, `api.example.com`; with a port where it is not 443. */
  readonly hosts: readonly string[]
  /** Of every request but verify, unless it has its own. */
  readonly auth: HttpAuth
  /** The fields of the document's `config`; none other may be there. */
  readonly config?: Readonly<Record<string, HttpConfigField>> | undefined
  /** The document's names for the key's id and value. Default: keyId, apiKey. */
  readonly fields?: { readonly keyId?: string | undefined; readonly apiKey?: string | undefined } | undefined
  /** Where an error's code is, for messages: `error.code`. Never the place of a message. */
  readonly code?: string | undefined
  /** What refusals mean, of every request but verify; asked after a request's own. Else 401 and 403 are denied, 404 is no such account. */
  readonly errors?: readonly HttpError[] | undefined
  readonly create: HttpCreate
  readonly list: HttpList
  /** A key that is gone already is told by `errors` (`is: 'gone'`), or by a success. */
  readonly revoke: HttpRequest
  readonly verify: HttpVerify
  /** Both, or neither. */
  readonly disable?: HttpRequest | undefined
  readonly enable?: HttpRequest | undefined
  /** Where the list does not tell of the last use. */
  readonly lastUse?: (HttpRequest & { readonly lastUsed: HttpTime }) | undefined
  /** Asked before create, disable and enable where they have a `{read.<f>}`: what a new key shall have from the old one, or a PUT must repeat. */
  readonly read?: (HttpRequest & { readonly values: Readonly<Record<string, string>> }) | undefined
  readonly facts: HttpFacts
}

export interface HttpFacts {
  readonly maxLive: number
  /** Others than `dual` are refused, with the reason. */
  readonly overlap: 'dual' | 'provider' | 'none'
  /** `none` exactly where neither the list nor lastUse has a `lastUsed`. */
  readonly lastUsed: 'precise' | 'coarse' | 'none'
  /** 0 exactly where lastUsed is `none`. */
  readonly telemetryLagMs: number
  readonly mintedOnce: boolean
  readonly settlesMs: number
}

export interface HttpConfigField {
  /** The only values that it may have. Without it a field cannot stand in a host. */
  readonly choices?: readonly string[] | undefined
  /** Where the document has none. */
  readonly default?: string | undefined
  /** It may be absent: only as a value of its own in a body, a form or a header. */
  readonly optional?: boolean | undefined
  /** Default `text`. `json`: any value, for a JSON body only (scopes, policies). */
  readonly kind?: 'text' | 'json' | undefined
}

/** Headers with placeholders, or Basic authentication (RFC 7617), which is made of both. */
export type HttpAuth =
  | { readonly headers: Readonly<Record<string, string>> }
  | { readonly basic: { readonly user: string; readonly password: string } }

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /**
   * `https://api.example.com/v1/projects/{config.project}/keys?limit=100`. Placeholders are percent-encoded; in the path they take
   * ids only ([A-Za-z0-9._~:@=+-], no `..`), in the host only `{config.<f>}` with choices.
   */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Sent as application/json; templates at any depth. */
  readonly json?: HttpJson | undefined
  /** Sent as application/x-www-form-urlencoded. */
  readonly form?: Readonly<Record<string, string>> | undefined
  readonly auth?: HttpAuth | undefined
  /** The permission that it takes, in the vendor's words: said where it is denied. */
  readonly needs?: string | undefined
  /** Whether it may be sent again after a lost answer. Default: GET and DELETE may. Never create. */
  readonly repeatable?: boolean | undefined
  readonly errors?: readonly HttpError[] | undefined
}

export type HttpJson = string | number | boolean | null | readonly HttpJson[] | { readonly [name: string]: HttpJson }

export interface HttpCreate extends HttpRequest {
  /** Paths in the answer. */
  readonly id: string
  readonly value: string
}

export interface HttpList extends HttpRequest {
  /** The array of keys. */
  readonly items: string
  /** Only those items that have one of these values, which are templates; without a place of that name it is none of them. */
  readonly where?: readonly { readonly at: string; readonly equals: string | readonly string[] }[] | undefined
  /** Paths in an item. */
  readonly id: string
  /** Where the mark that create gave comes back. Absent: the provider keeps no name. */
  readonly name?: string | undefined
  readonly createdAt?: HttpTime | undefined
  readonly lastUsed?: HttpTime | undefined
  /** It is disabled where the value is one of these. */
  readonly disabled?: { readonly at: string; readonly equals: readonly HttpScalar[] } | undefined
  /** Absent: one answer has them all, says the vendor. */
  readonly paging?: HttpPaging | undefined
}

/**
 * `cursor`: the value at `next` goes into the query parameter; the end is where it is absent, null or empty, or `more` is not true.
 * `page`: numbers from `first`; the end is at the `total` count of items or of `pages`, else at the first empty page.
 * `link`: the URL of the next page in the body, whole or from the root. `link-header`: `Link: <…>; rel="next"` (RFC 8288).
 * A list that goes on after `mostPages` (default 50) fails.
 */
export type HttpPaging = (
  | { readonly by: 'cursor'; readonly parameter: string; readonly next: string; readonly more?: string | undefined }
  | {
      readonly by: 'page'
      readonly parameter: string
      readonly first: number
      readonly total?: string | undefined
      readonly pages?: string | undefined
    }
  | { readonly by: 'link'; readonly next: string }
  | { readonly by: 'link-header' }
) & { readonly mostPages?: number | undefined }

export interface HttpTime {
  /** Null is "never" for a last use, so is absent where the path ends with `?`. */
  readonly at: string
  readonly format: 'iso' | 'unix-s' | 'unix-ms' | 'rfc-2822'
  /** Other values that mean never: 0, `N/A`. */
  readonly never?: readonly HttpScalar[] | undefined
}

/**
 * Made with the key: its `auth` holds `{value}`. Neither alive nor dead, or both, is "cannot tell", and so is a success that is not
 * JSON; 429 and 5xx are asked again before that.
 */
export interface HttpVerify extends HttpRequest {
  readonly auth: HttpAuth
  /** What tells that the key works: a 2xx, or a refusal with the code that says "not allowed, but known". */
  readonly alive: readonly HttpMatch[]
  /** What tells that it is unknown, deleted or disabled, by the vendor's own code. */
  readonly dead: readonly HttpMatch[]
  /** The vendor gives nothing but a status (never 403), says this page. */
  readonly onlyStatus?: { readonly source: string } | undefined
  /** The vendor takes the key in the URL alone. It stands in no message of ours, but in those of every proxy between. */
  readonly valueInUrl?: boolean | undefined
}

/** An answer with this status and, where `at` is named, one of these values there (numbers count as their text), or this text in it. */
export interface HttpMatch {
  readonly status: number | readonly number[]
  readonly at?: string | undefined
  readonly equals?: readonly HttpScalar[] | undefined
  /** Only of a vendor that has no code: a part of its message. */
  readonly contains?: string | undefined
}

/**
 * full: no room for another key. policy: a rule of the account's owner forbids it. denied: want of a right. no-account: what the
 * document's config names is not there. gone: the key is not there. not-yet: to be tried later.
 */
export interface HttpError {
  readonly when: HttpMatch
  readonly is: 'full' | 'policy' | 'denied' | 'throttled' | 'no-account' | 'gone' | 'not-yet'
}

export type HttpScalar = string | number | boolean
