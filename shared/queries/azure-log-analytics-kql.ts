import type { Asked, Question } from '../ports/audit-query.ts'
import { ACCESS_COLUMNS, SIGNAL_COLUMNS } from './asked.ts'
import type { QueryTexts } from './asked-query.ts'
import { eventsKql, text, texts } from './azure-log-analytics-events.ts'

/** The questions of the signals (shared/audit/signals) in the Kusto query language; sql-questions.ts says the same in SQL. */
export const kqlTexts: QueryTexts = {
  store: 'azure',
  question: (question, asked) => TEXTS[question](asked),
  inventory: ({ since, until, mostRows }) => `${eventsKql(since, until)}
events
| where isnotempty(secret)
| summarize identity_name = take_any(identity_name), identity_type = take_any(identity_type), secret_name = take_any(secret_name), first_ms = min(ms), last_ms = max(ms), calls = count(),
  reads = countif(what == 'read' and outcome == 'done'), writes = countif(what in ('write', 'rotate', 'delete') and outcome == 'done'), denied = countif(outcome == 'denied') by account, identity, secret
| order by calls desc, first_ms asc, identity asc
| take ${mostRows + 1}
| project ${ACCESS_COLUMNS.join(', ')}`
}

type Text = (asked: Asked) => string

const HOUR = 3_600_000
const DAY = 24 * HOUR
const USUAL_DAYS = 42
const BUCKET = 300_000

/** Every column of an answer, in its place; one row more than is wanted tells that there are more. */
function answered(columns: { readonly [C in (typeof SIGNAL_COLUMNS)[number]]?: string }, { mostRows }: Asked): string {
  const nothing = (name: string): string => (['observed', 'usual', 'breadth', 'taken_ms'].includes(name) ? 'real(null)' : "''")
  return `| project ${SIGNAL_COLUMNS.map((name) => `${name} = ${columns[name] ?? nothing(name)}`).join(', ')}
| order by calls desc, first_ms asc, identity asc
| take ${mostRows + 1}`
}

const same = (...names: readonly (typeof SIGNAL_COLUMNS)[number][]) => Object.fromEntries(names.map((name) => [name, name]))

const newNetwork: Text = (asked) => `${eventsKql(asked.since - asked.historyMs, asked.until)}
let identities = events
| where identity_type != 'service' and not(is_compute)
| summarize identity_name = take_any(identity_name), known_ms = min(ms) by identity;
events
| where outcome == 'done' and isnotempty(network)
| summarize arg_min(ms, address), last_ms = max(ms), calls = count() by identity, network
| project-rename first_ms = ms
| join kind=inner identities on identity
| where first_ms >= ${asked.since} and first_ms - known_ms >= ${asked.settings.learnMs}
${answered({ ...same('identity', 'identity_name', 'network', 'first_ms', 'last_ms', 'calls'), address: 'iff(isnotempty(address), address, network)' }, asked)}`

const readVolume: Text = (asked) => {
  const { since, until, historyMs, settings } = asked
  const { volumeFactor, volumeZ, volumeDays } = settings
  const judged = `
| summarize days = count(), counts = array_sort_asc(make_list(reads)) by account, secret, secret_name, hour_no, calls, read_ms
| where days >= ${volumeDays}
| extend usual = (toreal(counts[(days - 1) / 2]) + toreal(counts[days / 2])) / 2
| where calls > ${volumeFactor} * max_of(usual, 1.0) and 2 * sqrt(calls + 0.375) - 2 * sqrt(usual + 0.375) > ${volumeZ}`
  return `${eventsKql(since - historyMs, until)}
let days = events | summarize by account, before_day = ms / ${DAY};
let secrets = events | where isnotempty(secret) | summarize secret_name = take_any(secret_name), first_day = min(ms) / ${DAY} by secret, account;
let hours = events | where isnotempty(secret) and what == 'read' and outcome == 'done'
| summarize calls = count(), read_ms = max(ms) by secret, account, hour_no = ms / ${HOUR}, day_no = ms / ${DAY};
let before = hours
| where calls > ${volumeFactor} and 2 * sqrt(calls + 0.375) - 2 * sqrt(0.375) > ${volumeZ}
| join kind=inner (secrets | project secret, secret_name, first_day) on secret
| join kind=inner days on account
| where before_day < day_no and before_day >= max_of(first_day, day_no - ${USUAL_DAYS}) and ((before_day + 3) % 7 >= 5) == ((day_no + 3) % 7 >= 5)
| extend before_no = before_day * 24 + hour_no % 24
| join kind=leftouter (hours | project secret, before_no = hour_no, reads = calls) on secret, before_no
| project account, secret, secret_name, hour_no, calls, read_ms, before_no, reads = coalesce(reads, long(0));
let odd = before${judged} | project secret, before_no = hour_no;
before
| join kind=leftanti odd on secret, before_no${judged}
| where read_ms >= ${since}
${answered({ ...same('account', 'secret', 'secret_name', 'calls', 'usual'), first_ms: `hour_no * ${HOUR}`, last_ms: `hour_no * ${HOUR} + ${HOUR - 1}`, observed: 'toreal(calls)' }, asked)}`
}

const offHours: Text = (asked) => {
  const { zone, workHours, workDays, holidays } = asked.settings
  const isHoliday = holidays.length > 0 ? ` and day !in (${texts(holidays)})` : ''
  return `${eventsKql(asked.since - Math.min(asked.historyMs, 36 * DAY), asked.until)}
let hours = events | where identity_type == 'person'
| summarize identity_name = take_any(identity_name), calls = countif(ms >= ${asked.since}) by identity, hour_no = ms / ${HOUR};
hours
| where calls > 0
| extend local = datetime_utc_to_local(datetime(1970-01-01) + hour_no * 1h, ${text(zone)})
| extend day = format_datetime(local, 'yyyy-MM-dd'), weekday = (toint(dayofweek(local) / 1d) + 6) % 7 + 1
| where not(hourofday(local) >= ${workHours[0]} and hourofday(local) < ${workHours[1]} and weekday in (${[0, ...workDays].join(', ')})${isHoliday})
| mv-expand week = dynamic([1, 2, 3, 4, 5]) to typeof(long)
| extend before_no = hour_no - week * 168
| join kind=leftouter (hours | project identity, before_no = hour_no, is_seen = true) on identity, before_no
| summarize weeks = countif(is_seen == true) by identity, identity_name, hour_no, calls, day
| where weeks < 3
| summarize identity_name = take_any(identity_name), first_no = min(hour_no), last_no = max(hour_no), calls = sum(calls) by identity, day
${answered({ ...same('identity', 'identity_name', 'calls'), first_ms: `first_no * ${HOUR}`, last_ms: `last_no * ${HOUR} + ${HOUR - 1}` }, asked)}`
}

const denied: Text = (asked) => `${eventsKql(asked.since, asked.until)}
events
| where outcome == 'denied'
| extend thing = iff(isnotempty(secret), secret, strcat(' ', operation))
| summarize identity_name = take_any(identity_name), things = array_length(make_set(thing)), one = take_any(secret), one_name = take_any(secret_name), one_account = take_any(account),
  first_ms = min(ms), last_ms = max(ms), calls = count() by identity
| extend secret = iff(things == 1, one, ''), secret_name = iff(things == 1, one_name, '')
${answered({ ...same('identity', 'identity_name', 'secret', 'secret_name', 'first_ms', 'last_ms', 'calls'), account: "iff(isnotempty(secret), one_account, '')", breadth: 'toreal(things)' }, asked)}`

const failedLogins: Text = (asked) => `${eventsKql(asked.since - Math.min(asked.historyMs, DAY), asked.until)}
let logins = events | where isnotempty(address) and (what == 'login' or outcome == 'unauthenticated') | extend bucket = ms / ${BUCKET};
let taken = logins | where outcome == 'done' | summarize taken_ms = max(ms) by address;
let windows = logins
| where outcome != 'done'
| distinct address, bucket
| mv-expand next = dynamic([0, 1]) to typeof(long)
| extend within = bucket + next
| join kind=inner (logins | where outcome != 'done' | project address, within = bucket, identity, ms) on address, within
| summarize calls = count(), breadth = array_length(make_set(identity)), first_ms = min(ms), last_ms = max(ms) by address, bucket
| where calls >= ${asked.settings.failedLogins};
let starts = windows
| join kind=leftanti (windows | project address, bucket = bucket + 1) on address, bucket
| project address, start = bucket;
windows
| join kind=inner starts on address
| where start <= bucket
| summarize start = max(start) by address, bucket, calls, breadth, first_ms, last_ms
| extend rank = breadth * 1000000000000 + min_of(calls, 999999) * 1000000 - (bucket - start)
| summarize arg_max(rank, calls, breadth, first_ms, last_ms) by address, start
| where last_ms >= ${asked.since}
| join kind=leftouter taken on address
${answered({ ...same('address', 'first_ms', 'last_ms', 'calls'), observed: 'toreal(calls)', breadth: 'toreal(breadth)', taken_ms: 'toreal(taken_ms)' }, asked)}`

/** A token is shown by each call that it is used for, and counts once. */
const longTtl: Text = (asked) => `${eventsKql(asked.since - asked.historyMs, asked.until)}
let tokens = events
| where exp > iat
| summarize arg_min(ms, account, identity_name) by identity, iat, exp
| extend ttl = toreal(exp - iat)
| extend place = iff(ttl <= 1, 0, min_of(38, toint(ceiling(log2(ttl) - 1e-9))));
let places = tokens | summarize tokens = count() by account, place;
let lives = places
| join kind=inner (places | project account, upto = place, some = tokens) on account
| where upto <= place
| summarize so_far = sum(some) by account, place
| join kind=inner (tokens | summarize total = count() by account) on account
| where total >= 50 and so_far >= total * 0.99
| summarize usual = exp2(min(place)) by account;
tokens
| where ms >= ${asked.since} and ttl > ${asked.settings.longTtlSeconds.azure}
| summarize identity_name = take_any(identity_name), ttl = max(ttl), first_ms = min(ms), last_ms = max(ms), calls = count() by account, identity
| join kind=leftouter lives on account
| where isnull(usual) or ttl > usual
${answered({ ...same('account', 'identity', 'identity_name', 'first_ms', 'last_ms', 'calls', 'usual'), source: "'entra'", observed: 'ttl' }, asked)}`

const TEXTS: Readonly<Record<Question, Text>> = {
  'new-network': newNetwork,
  'read-volume': readVolume,
  'off-hours': offHours,
  denied,
  'failed-logins': failedLogins,
  'long-ttl': longTtl
}
