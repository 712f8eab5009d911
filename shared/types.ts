/** Milliseconds since 1970-01-01T00:00:00Z, by a named clock (the store's, unless said otherwise). */
export type Instant = number & { readonly unit: 'ms since epoch' }
/** What a store calls a secret: an ARN or name on AWS, a name elsewhere. */
export type SecretId = string
/** What a store calls one version of a secret. Opaque. */
export type VersionId = string
/** Names one attempt to rotate, for ever: 32 to 64 characters of [A-Za-z0-9-] (AWS ClientRequestToken). */
export type Token = string

export const instant = (ms: number): Instant => ms as Instant
/** Of an ISO 8601 time, or the Date header of an answer (RFC 9110, 6.6.1; whole seconds). Undefined for what is none. */
export function instantIn(text: string | null | undefined): Instant | undefined {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? undefined : instant(ms)
}
export const iso = (at: Instant): string => new Date(at).toISOString()

/**
 * A text that must not be seen. It prints `[secret]` in every way there is (template, JSON, inspect, concatenation);
 * `reveal()` is the only door, so that every place where a secret leaves its wrapping can be found by one search.
 */
export class SecretText {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  /** Compares without revealing. Not constant-time: both sides are ours. */
  equals(other: SecretText): boolean {
    return this.#text === other.#text
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.toPrimitive](): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}
