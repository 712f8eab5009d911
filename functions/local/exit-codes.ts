import type { Code } from '../../shared/errors.ts'

export type Exit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 130

/** What a script may act on; printed in `--help` and the README. */
export const EXITS: readonly (readonly [exit: Exit, meaning: string])[] = [
  [0, 'done, or nothing to do'],
  [1, 'failed, and will fail again until somebody acts on what was printed'],
  [2, 'the command line, the request or the settings are wrong; nothing was tried'],
  [3, 'failed, but the same command may succeed later; nothing is lost'],
  [4, 'refused by a hold, a window, the grace, a credential in use, or the person who was asked'],
  [5, 'a current credential is broken, or an old one is still alive: look now'],
  [6, 'keyturn audit found something as bad as --fail-on says'],
  [130, 'interrupted between two steps; the next run goes on']
]

const REFUSALS: readonly Code[] = [
  'conflict/held',
  'conflict/outside-window',
  'conflict/inside-grace',
  'conflict/in-use',
  'conflict/not-retired',
  'conflict/unacknowledged',
  'conflict/soaking'
]
const USAGE: readonly Code[] = ['invalid/request', 'invalid/config']
const LOOK_NOW: readonly Code[] = ['bug/broken', 'bug/proof']

export function exitOf({ code, retryable }: { readonly code: Code; readonly retryable: boolean }): Exit {
  if (LOOK_NOW.includes(code)) return 5
  if (REFUSALS.includes(code)) return 4
  if (USAGE.includes(code)) return 2
  return retryable ? 3 : 1
}

/** Of several secrets' codes, the one that wants a person soonest. */
const URGENCY: readonly Exit[] = [5, 1, 2, 130, 3, 4, 0]

export const worst = (exits: readonly Exit[]): Exit => URGENCY.find((exit) => exits.includes(exit)) ?? 0
