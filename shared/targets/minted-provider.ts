import type { Problem, TargetFacts, Usage } from '../ports/target.ts'
import type { Instant, SecretText } from '../types.ts'

/** What a secret says of one key: the document that readers get, understood. */
export interface KeyDocument {
  /** The key's id at the provider. Never secret. */
  readonly principal: string
  /** Whose keys are listed and bounded together: an IAM user, an application, a project. Never secret. */
  readonly account: string
  readonly text: SecretText
}

export interface ListedKey {
  readonly id: string
  /** The name or description that it was created under; undefined where the provider keeps none. */
  readonly name?: string | undefined
  /** By the provider's clock. */
  readonly createdAt?: Instant | undefined
  readonly isDisabled?: boolean | undefined
  /** When it ends by itself; undefined: never, or the list does not say. */
  readonly expiresAt?: Instant | undefined
  /** Whether anybody ever used it. Default: the list does not say. */
  readonly used?: 'never' | 'ever' | 'cannot-tell' | undefined
}

export interface KeyList {
  readonly keys: readonly ListedKey[]
  /** The provider's clock at this answer (HTTP Date). */
  readonly now: Instant
  /** Where the provider sets another bound for this account than facts.maxLive. */
  readonly maxLive?: number | undefined
}

/**
 * How the provider answered a call that was made with the key itself. `dead` only by the provider's own code for a key that is
 * unknown, deleted or disabled: a bare 401 or 403 proves nothing, and a refusal for want of a right says that the key is alive.
 */
export type Called =
  | { readonly state: 'alive' }
  | {
      readonly state: 'dead'
      /** The provider's own word, such as InvalidClientTokenId. */
      readonly code: string
      readonly endpoint: string
      /** By the provider's clock. */
      readonly at: Instant
    }
  | { readonly state: 'cannot-tell'; readonly why: string }

export type KeyFacts = Omit<TargetFacts, 'issue' | 'lock' | 'canDisable'>

/**
 * What one provider of keys can do. Everything that all of them have in common is minted.ts. Each method is one or two calls
 * with the provider's administrative rights, but `call`, which is made with the key. Throws KeyturnError only:
 * `denied/provider`, `throttled/provider`, `unavailable/provider` (a lost answer too: the caller looks), `not-found/principal`.
 */
export interface KeyProvider<Document extends KeyDocument = KeyDocument> {
  readonly facts: KeyFacts

  /** Reads a document: pure. Throws `invalid/document`, `invalid/kind` naming the field, never quoting a value. */
  inspect(document: SecretText): Document

  /**
   * Creates a key beside `current`, under the name `mark` where the provider keeps one, and gives the whole document that
   * readers will get: current's text with the key replaced, every other byte as it was. Never sent twice after a lost answer.
   * Fails with `conflict/full` when there is no room, `denied/provider-policy`.
   */
  create(current: Document, mark: string, signal: AbortSignal): Promise<SecretText>

  /** The keys of the account, current's among them; each page of them. */
  list(of: Document, signal: AbortSignal): Promise<KeyList>

  /** Calls the provider with the key: the cheapest call that any key may make. Once, without a repeat after a refusal. */
  call(key: Document, signal: AbortSignal): Promise<Called>

  /** When the key was last used. */
  lastUse(of: Document, id: string, signal: AbortSignal): Promise<Usage>

  /** Undefined: a key cannot be switched off, and is deleted at once. */
  readonly switching?: Switching<Document> | undefined

  /** Deletes a key, or makes its value unknown. Repeatable: one that is gone already is what was wanted. */
  remove(of: Document, id: string, signal: AbortSignal): Promise<void>

  /**
   * What else would be refused, or should be known, before a rotation; the common questions are asked by minted.ts, which says too
   * why the `list` that it asked for failed.
   */
  preflight(current: Document, list: Promise<KeyList>, signal: AbortSignal): Promise<readonly Problem[]>
}

/** Off and on again. Both are repeatable. */
export interface Switching<Document> {
  /** A key that is gone fails with `not-found/principal`. Gives the provider's time. */
  disable(of: Document, id: string, signal: AbortSignal): Promise<Instant>
  enable(of: Document, id: string, signal: AbortSignal): Promise<void>
}
