import { decodeMetadata, type Metadata, type MetadataPatch } from '../../shared/metadata.ts'
import type { SecretCatalog, SecretFacts, SecretStore } from '../../shared/ports/secret-store.ts'
import type { Instant, SecretId, Token, VersionId } from '../../shared/types.ts'
import type { Wire } from './model-wire.ts'

/** A store in memory, with the hands that reach behind it. What is not reached by a wire takes no scheduling point. */
export interface ModelStore {
  readonly kind: 'labels' | 'sibling' | 'stale' | 'cas' | 'aws'
  connect(wire: Wire): SecretStore & SecretCatalog
  create(name: string, text: string, patch: MetadataPatch): SecretId
  /** A person writes a new current value. */
  overwrite(id: SecretId, text: string): void
  writeRaw(id: SecretId, key: string, text: string): void
  /** What is really there, at this instant. */
  look(id: SecretId): SecretFacts | undefined
  valueOf(id: SecretId, version: VersionId): string | undefined
  /** Every value that the ordinary read may give at this instant, current's last; an older one, until when. */
  readable(id: SecretId): readonly Readable[]
  /** Every value that can be read under some version, current, pending or old. */
  values(id: SecretId): readonly string[]
  /** Everything that decides what happens next, as text. */
  snapshot(): string
  /** The store's own rotation, where there is one. */
  readonly service?: ModelService | undefined
}

export interface Readable {
  readonly text: string
  readonly until?: Instant | undefined
}

/** Secrets Manager's side of the four steps. */
export interface ModelService {
  /** RotateSecret: registers the token, without a value. False: refused, because AWSPENDING is elsewhere. */
  rotateSecret(id: SecretId, token: Token): boolean
  /** A person stages a value under AWSPENDING by hand. */
  putPending(id: SecretId, version: VersionId, text: string): void
  /** Whether the next step of this token would be invoked. */
  goesOn(id: SecretId, token: Token): boolean
  /** AWSPENDING is on this token, which is not current. */
  isPending(id: SecretId, token: Token): boolean
  /** After the last step. */
  succeed(id: SecretId, token: Token): void
}

/** One page; a secret whose metadata cannot be read is said at the end. */
export function* managed(ids: readonly SecretId[], look: (id: SecretId) => SecretFacts | undefined): Generator<SecretFacts> {
  let failed: unknown
  for (const id of ids) {
    try {
      const facts = look(id)
      if (facts?.metadata.kind !== undefined) yield facts
    } catch (e) {
      failed ??= e
    }
  }
  if (failed !== undefined) throw failed
}

const decoded = new WeakMap<object, Metadata>()

/** Tags are replaced, never changed, so that each is decoded once: a schedule asks for them after every effect. */
export function metadataOf(tags: Readonly<Record<string, string>>): Metadata {
  const found = decoded.get(tags) ?? decodeMetadata(tags)
  decoded.set(tags, found)
  return found
}
