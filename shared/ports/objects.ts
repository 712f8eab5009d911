/** One object, or file. */
export interface ObjectFacts {
  readonly name: string
  readonly bytes: number
  /** Milliseconds since the epoch, by the store's clock. */
  readonly changedAt: number | undefined
  /** Names this state of the object: an ETag, a generation. Opaque. */
  readonly tag: string
}

export interface StoredObject {
  readonly bytes: Uint8Array
  readonly tag: string
}

/**
 * A place of objects: a bucket, a container, a folder. Log files are read from one, state is kept in one. Every method may
 * throw KeyturnError of class `denied`, `throttled`, `unavailable` or `not-found/archive`. Repeatable.
 */
export interface Objects {
  /** For people: `s3://logs`, a path. */
  readonly name: string

  /** Everything below a prefix, in the order of names, page by page: never all at once in memory. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectFacts>

  /** Undefined: the place said that there is no such object. */
  describe(name: string, signal: AbortSignal): Promise<ObjectFacts | undefined>

  /**
   * The bytes as they lie there (not decompressed), from an offset on, in parts; a part is valid until the next one is asked
   * for. Throws `not-found/object`.
   */
  read(name: string, from: number, signal: AbortSignal): AsyncIterable<Uint8Array>

  /** A whole object of at most `most` bytes; throws `invalid/object` for a bigger one. Undefined: there is none. */
  get(name: string, most: number, signal: AbortSignal): Promise<StoredObject | undefined>

  /**
   * Writes all of it, only if it is still in the state that `expected` names (undefined: it does not exist); else throws
   * `conflict/object-changed`. Returns the new tag. A lost answer is `unavailable/archive`: the caller reads and merges again.
   */
  put(name: string, bytes: Uint8Array, expected: string | undefined, signal: AbortSignal): Promise<string>
}
