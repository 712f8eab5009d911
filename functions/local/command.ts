import type { Command } from 'commander'
import type { Deadline } from '../../shared/deadline.ts'
import type { Request } from '../../shared/rotation/core.ts'
import { tokenFor } from '../../shared/token.ts'
import type { Local } from './compose.ts'
import type { Exit } from './exit-codes.ts'
import type { Paint } from './output.ts'
import type { Progress } from './progress.ts'

/** What a command prints: one JSON object, or the same for people. */
export interface Answer {
  readonly exit: Exit
  /** Plain JSON, never a value of a secret. */
  readonly json: object
  readonly text: (paint: Paint) => string
  /** Goes to standard error, for people. */
  readonly problem?: (paint: Paint) => string
}

/** One call of the command line. */
export interface Invocation {
  readonly local: Local
  readonly deadline: Deadline
  readonly dryRun: boolean
  /** Names this call, so that a script may repeat it. */
  readonly id: string
  readonly progress: Progress
  readonly stdin: AsyncIterable<string | Uint8Array>
  /** Throws `invalid/request` where nobody can answer. */
  readonly ask: (question: string) => Promise<boolean>
}

/** Composes, runs the work and prints its answer, or its error. */
export type Start = (action: string, work: (invocation: Invocation) => Promise<Answer>) => Promise<void>

/** Adds one command to the program. */
export type AddCommand = (program: Command, start: Start) => void

export const requestFor = ({ deadline, dryRun, id }: Invocation, secretId: string, wish: Partial<Request> = {}): Request => ({
  secretId,
  token: tokenFor(id, secretId),
  force: false,
  endSessions: false,
  dryRun,
  deadline,
  ...wish
})
