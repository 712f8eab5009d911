import { KeyturnError } from '../../shared/errors.ts'
import type { Session, Target, TargetFacts, Usage } from '../../shared/ports/target.ts'
import { SecretText } from '../../shared/types.ts'
import type { Wire } from './model-wire.ts'

/** What a model's document holds. `n` is carried over, as every field that keyturn does not know. */
export interface ModelDocument {
  readonly username: string
  readonly password: string
}

export const print = (document: ModelDocument): SecretText => new SecretText(JSON.stringify(document))
export const parse = (text: string): ModelDocument => JSON.parse(text) as ModelDocument

/** As a real target reads one: the field is named, the value is not. */
export function read(document: SecretText): ModelDocument {
  let found: Partial<ModelDocument> | undefined
  try {
    found = parse(document.reveal())
  } catch {
    throw new KeyturnError('invalid/document', 'the secret is no JSON')
  }
  const bad = (['username', 'password'] as const).find((field) => typeof found[field] !== 'string' || found[field] === '')
  if (bad) throw new KeyturnError('invalid/document', `${bad} must be a text`)
  return found as ModelDocument
}

/** A pair, as the port's facts say it. */
export const CHOSEN: TargetFacts = {
  name: 'model',
  kind: 'model',
  issue: 'chosen',
  maxLive: 2,
  overlap: 'dual',
  lastUsed: 'none',
  telemetryLagMs: 0,
  canDisable: false,
  mintedOnce: false,
  settlesMs: 0,
  lock: 'target'
}

/** A target in memory, with the hands that reach behind it. */
export interface ModelTarget {
  readonly kind: 'pair' | 'minted' | 'many'
  connect(wire: Wire): Target
  /** What a client would find that logs in with this document and does its work. */
  accepts(text: string): boolean
  /** Whose the document is. */
  principalOf(text: string): string
  /** The two documents open the same, whatever else is in them. */
  isSame(one: string, other: string): boolean
  /** The first document: of a credential that is alive. */
  readonly first: string
  /** Called with the document of every value that is set, at that instant. */
  onSet: (text: string) => void
  /** The target's own policy for values: refused with `invalid/password`. */
  refusesValue: (password: string) => boolean
  /** Somebody else sets a principal's secret. */
  setBehind(principal: string, password: string): void
  /** Everything that this owner's process held ends with it. */
  killed(owner: string): void
  /** The lock's session or lease ends, and its holder is not told. False: it has none. */
  loseLock(owner: string): boolean
  holdsLock(owner: string): boolean
  /** Minted: the keys of ours that live. A pair has none. */
  live(): readonly string[]
  /** Minted: somebody creates a key by hand. Its name, or undefined where there is no room. */
  person(): string | undefined
  /** How many keys live that a person made. */
  strangers(): number
  /** The principals that a person made, and that were changed by keyturn: must stay empty. */
  readonly touched: string[]
  /** Who is logged in, for usage. */
  readonly sessions: Session[]
  /** What the target says of usage instead. */
  usage?: Usage | undefined
  snapshot(): string
}

export const principalOf = (text: string): string => parse(text).username

export function isSame(one: string, other: string): boolean {
  const [a, b] = [parse(one), parse(other)]
  return a.username === b.username && a.password === b.password
}

export function usageOf(model: ModelTarget, principal: string): Usage {
  const sessions = model.sessions.filter((s) => s.principal === principal)
  if (model.usage) return model.usage
  return sessions.length > 0 ? { state: 'used', sessions } : { state: 'unused' }
}

/** Ends the principal's sessions, or refuses to. How many there were. */
export function endSessions(model: ModelTarget, principal: string, told: boolean): number {
  const sessions = model.sessions.filter((s) => s.principal === principal)
  if (sessions.length > 0 && !told)
    throw new KeyturnError('conflict/in-use', `${principal} is used by ${sessions.map((s) => s.application).join(', ')}`)
  for (const session of sessions) model.sessions.splice(model.sessions.indexOf(session), 1)
  return sessions.length
}
