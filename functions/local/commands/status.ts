import pMap from 'p-map'
import { failed, type SecretReport } from '../../../shared/report.ts'
import { type Instant, instant } from '../../../shared/types.ts'
import { type AddCommand, type Answer, type Invocation, requestFor } from '../command.ts'
import { exitOf, worst } from '../exit-codes.ts'
import { duration, when } from '../humane.ts'
import { listSecrets, THE_STORE } from '../listing.ts'
import { facts, failureText, type Paint, table } from '../output.ts'
import { type Standing, standingOf } from '../standing.ts'
import { usageText } from '../usage-text.ts'

export const addStatus: AddCommand = (program, start) => {
  program
    .command('status')
    .description('what phase, which half is current, who is still on the old one, what comes next and when')
    .argument('[secret]', 'its name, or ARN; default: every managed secret')
    .action((secret: string | undefined) => start('status', (i) => (secret === undefined ? all(i) : one(i, secret))))
}

async function one(i: Invocation, secret: string): Promise<Answer> {
  i.progress.say(`looking at ${secret}`)
  const standing = await standingOf(i.local.core, requestFor(i, secret), true)
  const json = { action: 'status', ok: true, secrets: [standing] }
  return { exit: 0, json, text: (paint) => facts(rowsOf(standing), paint) }
}

type Entry = Standing | Extract<SecretReport, { readonly ok: false }>

/** Looks at the store only: a list of a hundred secrets is not a hundred logins. */
async function all(i: Invocation): Promise<Answer> {
  const { core, config, folder, storeName } = i.local
  const look = async (id: string): Promise<Entry> => {
    try {
      return await standingOf(core, requestFor(i, id), false)
    } catch (e) {
      return failed(id, e) as Entry
    }
  }
  const { listed, error } = await listSecrets(i)
  const found = await pMap(listed, ({ id }) => look(id), { concurrency: config.sweepConcurrency })
  const secrets = found.sort((a, b) => (a.secret < b.secret ? -1 : 1))
  if (error) secrets.push(failed(THE_STORE, error) as Entry)
  const exit = worst(secrets.map((s) => (s.ok ? 0 : exitOf(s))))
  const nothing = `no managed secrets in ${storeName === 'file' ? folder : 'this account and region'}`
  return {
    exit,
    json: { action: 'status', ok: exit === 0, secrets },
    text: (paint) => (secrets.length === 0 ? nothing : overview(secrets, paint))
  }
}

function overview(secrets: readonly Entry[], paint: Paint): string {
  const rows = secrets.map((s) =>
    s.ok ? [paint('bold', s.secret), s.phase, s.current, s.previous ?? '–', nextText(s)] : failedRow(s, paint)
  )
  const problems = secrets.flatMap((s) => (s.ok ? [] : [`${paint('bold', s.secret)}: ${failureText(s, paint)}`]))
  return [table(['secret', 'phase', 'current', 'previous', 'next'], rows, paint), ...problems].join('\n')
}

const failedRow = (s: Extract<Entry, { ok: false }>, paint: Paint): string[] => [
  paint('bold', s.secret),
  paint('red', s.code),
  '–',
  '–',
  '–'
]

function rowsOf(s: Standing): (readonly [string, string])[] {
  const now = timeOf(s.seenAt)
  const rows: [string, string | undefined][] = [
    ['secret', s.managed ? s.secret : `${s.secret} (not managed: sweep passes it over)`],
    ['phase', s.phase],
    ['current', `${s.current}${s.promotedAt ? `, since ${when(timeOf(s.promotedAt), now)}` : ''}`],
    [
      'previous',
      s.previous ??
        (s.retired ? `retired; a login was refused with ${s.retired.refusal}, ${when(timeOf(s.retired.at), now)}` : 'none')
    ],
    ['grace ends', s.graceEnds ? when(timeOf(s.graceEnds), now) : undefined],
    ['still on it', s.usage && s.keys === null ? usageText(s.usage, now) : undefined],
    ...keyRows(s),
    ['waits for', retirementText(s)],
    ['disabled', s.disabledAt ? when(timeOf(s.disabledAt), now) : undefined],
    ['acknowledged', s.acknowledged ? `by ${s.acknowledged.by}, ${when(timeOf(s.acknowledged.at), now)}` : undefined],
    ['restart', s.restarted ? `${s.restarted.outcome}, ${when(timeOf(s.restarted.at), now)}` : undefined],
    ['pending', s.pending ? `attempt ${s.pending.token}` : undefined],
    ['next', nextText(s)],
    ['period', duration(s.periodMs)],
    ['window', s.window ? `${s.window.text} (${s.window.open ? 'open' : 'closed'})` : undefined]
  ]
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
}

function nextText({ next, hold, seenAt }: Standing): string {
  const now = timeOf(seenAt)
  if (hold?.inForce) return `nothing: on hold, ${hold.reason}${hold.until ? `; ends ${when(timeOf(hold.until), now)}` : ''}`
  const at = next.at === null ? undefined : timeOf(next.at)
  return `${next.what}: ${at === undefined ? 'at the next sweep' : when(at, now)}`
}

/** Each key of the provider's, and what to do about one that nobody knows. */
function keyRows({ keys, secret, seenAt }: Standing): [string, string][] {
  if (keys === null) return []
  if (typeof keys === 'string') return [['keys', `cannot tell: ${keys}`]]
  const now = timeOf(seenAt)
  return keys.map(({ id, role, createdAt, lastUsed }) => {
    const made = createdAt === null ? '' : `, made ${when(timeOf(createdAt), now)}`
    const used = lastUsed === null ? '' : `, ${usageText(lastUsed, now)}`
    const todo = role === 'unknown' ? `: find out whose it is; keyturn remove-key ${secret} ${id}` : ''
    return [`${role} key`, `${id}${made}${used}${todo}`]
  })
}

/** What keeps the previous key alive. */
function retirementText({ retirement, seenAt }: Standing): string | undefined {
  if (retirement === null || retirement.waitsFor.length === 0) return undefined
  const from = retirement.earliest === null ? 'not known yet' : when(timeOf(retirement.earliest), timeOf(seenAt))
  const overdue = retirement.isOverdue ? '; over the hard limit' : ''
  return `${retirement.waitsFor.join('; ')}${overdue}. Earliest: ${from}`
}

const timeOf = (text: string): Instant => instant(Date.parse(text))
