import type { Code } from '../errors.ts'
import type { Metadata } from '../metadata.ts'
import type { Instant, SecretId, SecretText, Token } from '../types.ts'

/**
 * What the core tells of the secret: its metadata, and its id, by which a target marks what is this secret's own.
 * Without the id, two secrets with one pair cannot be told apart.
 */
export type Context = Metadata & {
  readonly secret?: SecretId | undefined
  /** Principals that the secret's own versions name, where they have been read: for preflight, which has no hold to ask. */
  readonly known?: readonly string[] | undefined
  /** This process has just applied the candidate, and apply checked the whole desired state: verify need not do it again. */
  readonly applied?: boolean | undefined
}

/** Declared by the adapter; the core has no code path a target, only these facts. */
export interface TargetFacts {
  readonly name: string
  /** What the metadata of such a secret say that it opens: shared/kinds.ts. */
  readonly kind: string
  /** `chosen`: keyturn makes the value. `minted`: the provider does, and shows it once. */
  readonly issue: 'chosen' | 'minted'
  /** How many credentials may live at once; a provider that says otherwise for one principal does so in `live`. */
  readonly maxLive: number
  /** `dual`: old and new are valid together. `none`: the new one ends the old one. */
  readonly overlap: 'dual' | 'none'
  /** What the target tells of a credential's last use. `none`: nothing, so that a person has to say that nobody uses it. */
  readonly lastUsed: 'precise' | 'coarse' | 'none'
  /** How old what it tells may be, ms: added to the quiet time's floor. */
  readonly telemetryLagMs: number
  /** A key can be switched off, and on again, before it is deleted. */
  readonly canDisable: boolean
  /** The value is shown at its creation and never again. */
  readonly mintedOnce: boolean
  /** How long after its creation a new key may be refused or be missing in the list, ms. */
  readonly settlesMs: number
  /**
   * What holds runs apart: a lock that the target has, or the store's claim. With the claim, `hold` is given to everybody:
   * a new key is claimed before it is made, a staged one is carried on with its own value by whoever meets it, and what ends
   * a key is done inside a claim of its own. The interleave suite explores minted keys without any other lock.
   */
  readonly lock: 'target' | 'claim'
}

/** A principal and its secret, as the whole document that a reader gets. */
export interface Credential {
  /** Who logs in: a role, an access key id. Never secret. */
  readonly principal: string
  /** The principal that takes turns with this one. Undefined: none (no overlap, or minted by the provider). */
  readonly counterpart?: string | undefined
  readonly document: SecretText
  /** False: old and new cannot both be valid (one login that changes its own password): the declared exception to G1. */
  readonly overlap: boolean
  /** Who may change the target for it: an admin of its own, or the credential's own login. */
  readonly authority: 'admin' | 'self'
}

export interface Session {
  readonly principal: string
  readonly address: string
  readonly application: string
  readonly count: number
}

/**
 * Used, not used, cannot tell; of a key that is no session, when it was last used, where the provider tells: whether that
 * is long enough ago is the core's to say. `cannot-tell` is never taken for "not used".
 */
export type Usage =
  | {
      readonly state: 'last-used'
      /** By the provider's clock. Undefined: never, says the provider. */
      readonly lastUsedAt: Instant | undefined
      readonly service?: string | undefined
      readonly region?: string | undefined
    }
  | {
      readonly state: 'used'
      readonly sessions: readonly Session[]
      readonly lastUsedAt?: Instant | undefined
    }
  | { readonly state: 'unused'; readonly lastUsedAt?: Instant | undefined }
  | { readonly state: 'cannot-tell'; readonly why: string }

/** Of a target that shows sessions, and tells of no last use. */
export type SessionUsage = Exclude<Usage, { readonly state: 'last-used' }>

/** Evidence that a credential is dead: a login with it was refused, and no session of it is left. */
export interface Proof {
  readonly principal: string
  /** By the target's clock where it has one. */
  readonly at: Instant
  /** What was tried: `login`, `call`. */
  readonly method: string
  /** The refusal in the target's own code, e.g. 28P01. */
  readonly refusal: string
  readonly endpoint: string
  readonly sessionsEnded: number
}

/** One finding of a preflight: it would be refused, before it is. */
export interface Problem {
  readonly code: Code
  readonly message: string
  readonly todo: string
  readonly fatal: boolean
}

/**
 * A system that accepts credentials. Methods that change something are on the hold, so that nothing can be changed
 * without one. Throws KeyturnError only.
 */
export interface Target {
  readonly facts: TargetFacts

  /** Reads a document: pure, no I/O. Throws `invalid/*` naming the field, never quoting a value. */
  inspect(document: SecretText, context: Context): Credential

  /**
   * Makes the next credential. Chosen: a new password for the half that current does not use; pure but for
   * randomness, nothing is sent. Minted: created at the provider (a repeat creates another: claim first).
   */
  propose(current: Credential, context: Context, token: Token, signal: AbortSignal): Promise<Credential>

  /**
   * Asks the target: logs in with `candidate`, on every endpoint that consumers use, checks the whole desired state
   * (parity with the counterpart, where there is one; but for context.applied) and runs the owner's own check. `rejected` only when the target itself
   * refused the credential; everything else throws. A minted key that was just applied and is refused throws
   * `unavailable/not-active-yet` while it is younger than facts.settlesMs. Changes nothing; repeatable.
   */
  verify(candidate: Credential, context: Context, signal: AbortSignal): Promise<'accepted' | 'rejected'>

  /** Everything that a rotation of this credential would be refused for, without changing anything. */
  preflight(current: Credential, context: Context, signal: AbortSignal): Promise<readonly Problem[]>

  /**
   * Takes the lock of the pair, before the first look that is acted on. Fails with `busy/locked` when another holds
   * it. `place` only tells where the lock is: any document of the secret will do, but where the login itself is the
   * authority (no admin), it must be one that logs in.
   */
  hold(place: Credential, context: Context, signal: AbortSignal): Promise<TargetHold>
}

/** A lock that ends with its session or lease. */
export interface Lock {
  /** Throws `busy/lock-lost` unless the lock is still held. Asked right before promote. */
  check(signal: AbortSignal): Promise<void>

  /** Gives the lock back. Never throws; a repeat does nothing. */
  release(): Promise<void>
}

/** A credential that the target takes now, where the target can list them. */
export interface Live {
  readonly principal: string
  /** It carries our mark. False: it may be a person's, and is never touched (design rule 3). */
  readonly ours: boolean
  /** The mark of the attempt that made it (shared/mark.ts), where the provider keeps one. */
  readonly mark?: string | undefined
  /** By the provider's clock. Undefined: it does not say. */
  readonly createdAt: Instant | undefined
  /** By the provider's own clock, ms. Undefined: it does not say, and then it is old enough for nothing. */
  readonly ageMs: number | undefined
  /** Whether anybody ever used it. */
  readonly used: 'never' | 'ever' | 'cannot-tell'
  readonly isDisabled: boolean
}

/** What lives for one principal. */
export interface Living {
  readonly keys: readonly Live[]
  /** Where the provider sets another bound for this principal than facts.maxLive. */
  readonly maxLive?: number | undefined
}

/** What may be done while the lock is held. The lock ends with `release`, or with the session: then every method fails. */
export interface TargetHold extends Lock {
  /**
   * Makes the target take `next` besides its counterpart, which is current, with everything that current may do.
   * Touches only the half that current does not use (unless there is no overlap), and only what is recorded as ours;
   * `known` is asked only for a half without our mark: it gives the principals that the secret's own versions name,
   * so that such a half may be adopted. The secret takes effect together with the whole desired state, or not at all.
   * Repeatable with the same value; never generates. A policy refusal of the value itself throws `invalid/password`.
   * Minted: it is there already; one that was disabled is switched on again.
   */
  apply(next: Credential, known: () => Promise<readonly string[]>, signal: AbortSignal): Promise<void>

  /** Who still uses `old`. Changes nothing. */
  usage(old: Credential, signal: AbortSignal): Promise<Usage>

  /**
   * Kills `old` and proves it: its secret is replaced by one nobody knows, its sessions are ended when told to,
   * then exactly one login with the old secret must be refused (`bug/proof` otherwise). Minted: it is deleted, and a call
   * with it must be refused by the provider's own code for a dead key; `unavailable/not-dead-yet` where that takes longer than
   * this call may wait. Never called for the principal that current names. A repeat kills and proves again.
   */
  retire(old: Credential, options: { readonly endSessions: boolean }, signal: AbortSignal): Promise<Proof>

  /**
   * Switches `old` off, so that it can be switched on again (`apply`). Only where facts.canDisable; elsewhere it fails with
   * `unsupported/disable`. Never called for the principal that current names. Repeatable. Gives the time, by the target's clock.
   */
  disable(old: Credential, signal: AbortSignal): Promise<Instant>

  /** Undoes an `apply` that will never be promoted, as far as the target needs it (minted: deletes the key). Repeatable. */
  discard(next: Credential, signal: AbortSignal): Promise<void>

  /** Makes current's own secret valid again, by an authority other than current's. `bug/broken` when there is none. */
  heal(current: Credential, signal: AbortSignal): Promise<void>

  /** What lives, current among it, for minted credentials. Chosen ones cannot be listed: always empty. */
  live(current: Credential, signal: AbortSignal): Promise<Living>
}
