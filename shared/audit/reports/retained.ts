import { controlsOf } from '../controls.ts'
import type { Format } from '../reader.ts'
import { RETENTION, type RetentionName } from '../retention.ts'
import type { RetentionRow } from '../summary.ts'
import type { Tally } from '../tally.ts'

/** What each log cannot show, whatever is done (audit-log pages of the vendors), so that its class stays empty. */
const BLIND: Readonly<Record<Format, Partial<Record<RetentionName, string>>>> = {
  vault: { seal: 'the audit device does not log unseal, and no answer to seal: read the server’s log too' },
  'vault-server': {
    'secret read': 'the server’s log has no calls',
    'secret write': 'the server’s log has no calls',
    login: 'the server’s log has no calls',
    token: 'the server’s log has no calls',
    policy: 'the server’s log has no calls',
    'failed access': 'the server’s log has no calls'
  },
  cloudtrail: { seal: 'Secrets Manager has no seal' },
  'key-vault': {
    token: 'Entra’s sign-in logs have them, this log has not',
    login: 'Entra’s sign-in logs have them; this log has challenges only',
    seal: 'Key Vault has no seal'
  },
  gcp: { login: 'Workspace’s login audit has them, this log has not', seal: 'Secret Manager has no seal' }
}

/** How many events of each class, and where a class cannot be shown by what was read. */
export const retained = ({ retention }: Tally, formats: ReadonlySet<Format>): readonly RetentionRow[] =>
  RETENTION.map((row, at): RetentionRow => {
    const { count = 0, first = 0, last = 0 } = retention[at] ?? {}
    const blind = [...formats].map((format) => [format, BLIND[format][row.name]] as const)
    const isShown = formats.size === 0 || blind.some(([, why]) => why === undefined)
    return {
      name: row.name,
      class: row.class,
      days: row.days,
      kinds: row.kinds,
      events: count,
      first: count > 0 ? first : undefined,
      last: count > 0 ? last : undefined,
      gaps: isShown ? [] : blind.map(([format, why]) => `${format}: ${why}`),
      controls: controlsOf('retention')
    }
  })
