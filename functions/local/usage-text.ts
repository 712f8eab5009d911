import type { Usage } from '../../shared/ports/target.ts'
import { sessionsText, whereText } from '../../shared/ports/usage.ts'
import { type Instant, iso } from '../../shared/types.ts'
import { when } from './humane.ts'

/** Who uses a credential, or when it was last used, for people. */
export function usageText(usage: Usage, now?: Instant): string {
  if (usage.state === 'unused') return 'nobody'
  if (usage.state === 'cannot-tell') return `cannot tell: ${usage.why}`
  if (usage.state === 'used') return sessionsText(usage.sessions)
  if (usage.lastUsedAt === undefined) return 'never used, says the provider'
  const at = now === undefined ? iso(usage.lastUsedAt) : when(usage.lastUsedAt, now)
  return `last used ${at}${whereText(usage)}`
}
