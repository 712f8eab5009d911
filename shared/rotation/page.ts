import { DAY_MS } from '../duration.ts'
import { asKeyturnError, CODES, type Code } from '../errors.ts'
import type { Notice } from '../ports/notifier.ts'
import type { SecretFacts } from '../ports/secret-store.ts'
import { tokenFor } from '../token.ts'
import type { Instant, SecretId, VersionId } from '../types.ts'
import type { Core, Request } from './core.ts'
import type { Held } from './machine.ts'

/** What a person must know at once. */
export interface Alarm {
  /**
   * `broken`: the target refuses what readers hold. `healed`: it did. `proof`: what was retired still logs in. `overdue`: a
   * key lives beyond its limit.
   */
  readonly what: 'broken' | 'healed' | 'proof' | 'overdue'
  readonly facts: Pick<SecretFacts, 'id' | 'name' | 'seenAt'>
  /** Of the credential that it is about, with its principal. */
  readonly version: VersionId
  readonly principal: string
  /** In words, and the code of the failure where there is one. */
  readonly why: string
  readonly code?: Code | undefined
}

/** How a page went, for the report. Plain JSON. */
export interface Page {
  readonly what: Alarm['what']
  /** The notice’s. */
  readonly id: string
  readonly notTold: readonly { readonly channel: string; readonly code: Code }[]
}

const HEADS: Readonly<Record<Alarm['what'], readonly [severity: Notice['severity'], says: (a: Alarm) => string, todo: string]>> =
  {
    broken: ['critical', ({ principal }) => `${principal} is refused, and every reader holds it`, CODES['bug/broken'][1]],
    healed: [
      'high',
      ({ principal }) => `${principal} was refused, and was set again`,
      'Readers were refused until now: find out who or what had changed it.'
    ],
    proof: ['critical', ({ principal }) => `${principal} was retired, and still logs in`, CODES['bug/proof'][1]],
    overdue: [
      'high',
      ({ principal }) => `the old key ${principal} is beyond its limit, and lives`,
      'Look what it waits for, and end that; or retire it with `--end-sessions`, which cuts who still uses it.'
    ]
  }

/**
 * Tells people, after the run has left its lock, and never makes it fail: whoever could not be told is logged and reported. Told
 * again when the same standing is met on another day, by the store's clock, and within a day under the same id: channels that can,
 * drop it, and so does the process that sent it. A record in the store would say it once only, but every write there moves the
 * change date that a grace may be counted from, and Key Vault's tags have no room for it.
 */
export async function page({ notify, log }: Core, request: Request, alarms: readonly Alarm[]): Promise<void> {
  if (!notify) return
  for (const one of alarms) {
    const { what, facts } = one
    const notice = noticeOf(one)
    const untold = await notify(notice, request.deadline.signal)
    for (const { channel, error } of untold)
      log.error('not-paged', { secret: facts.name, what, channel, code: error.code, message: error.message, todo: error.todo })
    log.info('paged', { secret: facts.name, what, id: notice.id })
    request.onPage?.({ what, id: notice.id, notTold: untold.map(({ channel, error }) => ({ channel, code: error.code })) })
  }
}

function noticeOf(one: Alarm): Notice {
  const { what, facts, version, principal, why, code } = one
  const [severity, says, todo] = HEADS[what]
  return {
    id: noticeId(what, facts.id, version, facts.seenAt),
    severity,
    title: `${facts.name}: ${says(one)}`,
    lines: [why, todo],
    fields: { event: what, secret: facts.id, version, principal, ...(code && { code }) },
    link: undefined,
    at: facts.seenAt
  }
}

/** The same standing on the same day, by the store's clock. */
const noticeId = (what: string, secret: SecretId, version: VersionId, at: Instant): string =>
  tokenFor(`${what} ${version} ${Math.floor(at / DAY_MS)}`, secret)

/** An alarm of a credential, with why: in words, or what failed. */
export function alarm(what: Alarm['what'], facts: SecretFacts, { version, credential }: Held, why: unknown): Alarm {
  const about = { what, facts, version, principal: credential.principal }
  if (typeof why === 'string') return { ...about, why }
  const { code, message } = asKeyturnError(why)
  return { ...about, why: `${message} (${code})`, code }
}
