import { asKeyturnError, KeyturnError } from '../errors.ts'
import type { Problem, Usage } from '../ports/target.ts'
import { problem } from '../problem.ts'

/** Whether anybody will tell when the key was last used: without, a person has to acknowledge. */
export async function untoldUse(asked: Promise<Usage>): Promise<readonly Problem[]> {
  const usage = await asked.catch((e: unknown) => asKeyturnError(e))
  if (usage instanceof KeyturnError) return [problem(usage.code, usage.message, false)]
  return usage.state === 'cannot-tell' ? [problem('conflict/unacknowledged', usage.why, false)] : []
}
