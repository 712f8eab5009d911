import type { Deadline } from '../deadline.ts'
import type { Log } from '../log.ts'
import type { Consumers } from '../ports/consumers.ts'
import type { Notify } from '../ports/notify.ts'
import type { SecretCatalog, SecretStore } from '../ports/secret-store.ts'
import type { Target } from '../ports/target.ts'
import type { Instant, SecretId, SecretText } from '../types.ts'
import type { Page } from './page.ts'

/** What the core is given by a composition root. */
export interface Core {
  readonly store: SecretStore & SecretCatalog
  /**
   * The target that handles a document; `kind`: what its secret's metadata say, where they were read. Throws
   * `unsupported/engine`, `invalid/document`, `invalid/kind`.
   */
  readonly targetFor: (document: SecretText, kind?: string | undefined) => Target
  /** Kinds that another function of the same deployment rotates. Undefined: there is none. */
  readonly othersKinds?: readonly string[] | undefined
  /** Who restarts consumers after a promotion. Undefined: this host restarts nobody, and says so in the record. */
  readonly consumers?: Consumers | undefined
  /** Who tells people what they must know at once. Undefined: nobody is told but by the log. */
  readonly notify?: Notify | undefined
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
  /** Called when people were told something, or could not be. */
  readonly onPage?: ((page: Page) => void) | undefined
}
