import { replaceFields } from '../document.ts'
import { DEFAULT_PASSWORD_POLICY, generatePassword, type PasswordPolicy } from '../password.ts'
import type { Context, Credential, Target, TargetFacts } from '../ports/target.ts'
import type { SecretText } from '../types.ts'
import { otherHalf, readCredential } from './postgres-halves.ts'
import { holdPair } from './postgres-hold.ts'
import type { AdminLogin, Opening } from './postgres-open.ts'
import { preflight } from './postgres-preflight.ts'
import { verifyCandidate } from './postgres-verify.ts'

export type { AdminLogin } from './postgres-open.ts'

export interface PostgresSettings {
  /**
   * Reads the admin secret that `masterarn` (or the metadata) names, anew at each call; `host` is the document's. Where the admin secret is for
   * another host name of the same server, it says so with `hostIsChecked`. Throws `not-found/admin-secret`.
   */
  readonly admin?: ((reference: string, host: string, signal: AbortSignal) => Promise<AdminLogin>) | undefined
  /** PEM of the authorities to trust; Node's own store where neither gives any. */
  readonly ca?: string | undefined
  /** PEM of the authorities that a platform's own hosts are certified by, beside `ca`; undefined for any other host. */
  readonly authorities?: ((host: string) => Promise<readonly string[] | undefined>) | undefined
  readonly connectTimeoutMs?: number | undefined
  readonly statementTimeoutMs?: number | undefined
  /** How long a reader may take to learn of a new password before the rotation is given up. */
  readonly replicaBoundMs?: number | undefined
  readonly passwordPolicy?: PasswordPolicy | undefined
  /** What the server shows of our sessions. */
  readonly applicationName?: string | undefined
}

const POSTGRES_FACTS: TargetFacts = {
  name: 'postgres',
  kind: 'postgres',
  issue: 'chosen',
  maxLive: 2,
  overlap: 'dual',
  // Sessions are seen, and a login that is over is not.
  lastUsed: 'none',
  telemetryLagMs: 0,
  canDisable: false,
  mintedOnce: false,
  settlesMs: 0,
  lock: 'target'
}

/** PostgreSQL 14 and later: logins with passwords, two of which take turns (or one, which changes its own). */
export function postgres(settings: PostgresSettings): Target {
  const opening = openingOf(settings)
  return {
    facts: POSTGRES_FACTS,
    inspect,
    propose: async (current, metadata) => {
      const { document, halves } = readCredential(current.document, metadata)
      const fields = { username: otherHalf(halves, document.username), password: generatePassword(opening.passwordPolicy) }
      return inspect(replaceFields(current.document, fields), metadata)
    },
    verify: (candidate, metadata, signal) =>
      verifyCandidate(opening, candidate, metadata, { compare: metadata.applied !== true }, signal),
    preflight: (current, metadata, signal) => preflight(opening, current, metadata, signal),
    hold: (place, metadata, signal) => holdPair(opening, place, metadata, signal)
  }
}

export const openingOf = (settings: PostgresSettings): Opening => ({
  admin: settings.admin,
  ca: settings.ca,
  authorities: settings.authorities,
  connectTimeoutMs: settings.connectTimeoutMs ?? 5_000,
  statementTimeoutMs: settings.statementTimeoutMs ?? 10_000,
  replicaBoundMs: settings.replicaBoundMs ?? 20_000,
  passwordPolicy: settings.passwordPolicy ?? DEFAULT_PASSWORD_POLICY,
  applicationName: settings.applicationName ?? 'keyturn'
})

function inspect(text: SecretText, metadata: Context): Credential {
  const { document, halves } = readCredential(text, metadata)
  return {
    principal: document.username,
    counterpart: halves.mode === 'single' ? undefined : otherHalf(halves, document.username),
    document: text,
    overlap: halves.mode !== 'single',
    authority: halves.admin === undefined ? 'self' : 'admin'
  }
}
