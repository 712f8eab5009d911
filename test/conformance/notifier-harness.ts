import { inspect } from 'node:util'
import { expect } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import type { Notice, Notifier } from '../../shared/ports/notifier.ts'
import type { CallSettings } from '../../shared/provider-api.ts'
import type { HttpProxy, ProxyFault } from '../doubles/http-proxy.ts'

/** A message as it lies in the channel. */
export interface Arrived {
  readonly id: string
  /** All that is read of it: title, lines, fields. */
  readonly text: string
  /** In the unit of the channel’s limit. */
  readonly size: number
}

/** One channel, and the hands that reach behind it. */
export interface ChannelHarness {
  /** Reached by way of the proxy, with the test’s own pace. */
  make(pace?: CallSettings): Notifier
  /** Of the same kind, and not there. */
  readonly missing: Notifier
  /** What arrived since it was last asked. */
  arrived(): Promise<readonly Arrived[]>
  /** The longest that it takes, by the page that its double names. */
  readonly most: number
  /** A field that is longer than the channel takes is cut like a line. */
  readonly cutsFields?: true
  /** Any success is the receiver’s own: there is no word that would tell it from a page of a proxy’s. */
  readonly trusts200?: true
  /** How a line looks there, where its markup has no way to show a character. */
  readonly shows: (line: string) => string
  readonly proxy: HttpProxy
  /** What the vendor says for itself. */
  readonly refusals: { readonly denied: ProxyFault; readonly throttled: ProxyFault; readonly rejected: ProxyFault }
  /** What a person reads who has to give the permission. */
  readonly needs: RegExp
  /** Keys, tokens and secret addresses. */
  readonly secrets: readonly string[]
  stop(): Promise<void>
}

/** What was kept since it was last asked. */
export function sinceLast<T>(kept: readonly T[]): () => readonly T[] {
  let seen = 0
  return () => {
    const fresh = kept.slice(seen)
    seen = kept.length
    return fresh
  }
}

export const soon = (): AbortSignal => AbortSignal.timeout(30_000)
/** Without pauses, so that no test waits for them. */
export const PACE: CallSettings = { pausesMs: [0, 0] }

let count = 0

/** A notice with an id of its own. */
export const notice = (more: Partial<Notice> = {}): Notice => ({
  id: `notice-${++count}`,
  severity: 'critical',
  title: 'orders-db: app_a is refused, and every reader holds it',
  lines: ['the server refuses app_a (bug/broken)', 'A person has to look now.'],
  fields: { event: 'broken', secret: 'orders-db', principal: 'app_a' },
  link: 'https://example.com/runbook?page=2&x=y',
  at: Date.UTC(2025, 0, 31, 12, 30),
  ...more
})

/** What a log may hold, and somebody who writes into it. */
export const HOSTILE: readonly string[] = [
  '<!channel> <!here> <!subteam^S1|@ops> wake up',
  '<@U0123456> and <#C0123456>',
  '<https://evil.example|the runbook> [the runbook](https://evil.example) https://evil.example',
  '@channel @all @here, mail ann@example.com',
  'a & b &lt;!channel&gt; &amp;',
  '```',
  '*bold* _under_ ~struck~ `code` > quote',
  '"}],"severity":"low","x":[{"y":"',
  '</MessageText></QueueMessage> ]]> <Code>NotFound</Code>',
  '%0A&Action=DeleteTopic&x=%26',
  `${'$'}{jndi:ldap://evil.example} {{7*7}} $(id)`,
  'first\r\nseverity: low\u2028second\u2029third\u0085fourth',
  'nul \u0000 bell \u0007 escape \u001b[31m tab \t end',
  'right to left \u202Etxt.exe \u2066isolate\u2069',
  'half \uD800 of a character, \uDE00 and \uFFFE none',
  'naïve façade 日本語 🔑 𝔘'
]

export async function failure(work: Promise<unknown>, h: Pick<ChannelHarness, 'secrets'>): Promise<KeyturnError> {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e
  )
  expect(error, 'it did not fail').toBeInstanceOf(KeyturnError)
  const seen = inspect(error, { depth: 10, showHidden: true })
  for (const secret of h.secrets) expect(seen, 'a secret is in the error').not.toContain(secret)
  return error as KeyturnError
}
