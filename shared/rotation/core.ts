import type { Deadline } from '../deadline.ts'
import type { Log } from '../log.ts'
import type { SecretCatalog, SecretStore } from '../ports/secret-store.ts'
import type { Target } from '../ports/target.ts'
import type { Instant, SecretId, SecretText } from '../types.ts'

/** What the core is given by a composition root. */
export interface Core {
  readonly store: SecretStore & SecretCatalog
  /** The target that handles a document. Throws `unsupported/engine`, `invalid/document`. */
  readonly targetFor: (document: SecretText) => Target
  readonly log: Log
  /** How long any run can live: the host's time limit and one request timeout. A claim older than this is dead. */
  readonly runLivesMs: number
  /** The least time that must be left before an effect is begun. */
  readonly stepNeedsMs: number
}

/** One request for one secret. */
export interface Request {
  readonly secretId: SecretId
  /** Names the request: the same token delivered again has effect once. 32 to 64 characters of [A-Za-z0-9-]. */
  readonly token: string
  /** When it was asked for, by the asker. One older than the last promotion is answered "done". */
  readonly requestedAt?: Instant | undefined
  readonly force: boolean
  readonly endSessions: boolean
  /** Look, decide, print; change nothing. */
  readonly dryRun: boolean
  readonly deadline: Deadline
}
