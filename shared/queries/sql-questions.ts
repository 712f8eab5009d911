import type { Asked, Question } from '../ports/audit-query.ts'
import { ACCESS_COLUMNS, FOREVER, SIGNAL_COLUMNS } from './asked.ts'
import type { QueryTexts } from './asked-query.ts'
import { listed, type SqlDialect, whole } from './sql-dialect.ts'

/** The questions of the signals (shared/audit/signals), with the same answers but for what is said at each. */
export const sqlTexts = (dialect: SqlDialect): QueryTexts => ({
  store: dialect.store,
  question: (question, asked) => TEXTS[question](dialect, asked),
  inventory: (asked) => inventory(dialect, asked)
})

function inventory(dialect: SqlDialect, { since, until, mostRows }: Asked): string {
  const count = (condition: string): string => `COUNT(CASE WHEN ${condition} THEN 1 END)`
  return `WITH ${dialect.events(since, until)}
SELECT account, identity, MAX(identity_name) AS identity_name, MAX(identity_type) AS identity_type, secret,
  MAX(secret_name) AS secret_name, MIN(ms) AS first_ms, MAX(ms) AS last_ms,
  ${count("kind = 'read' AND outcome = 'done'")} AS reads,
  ${count("kind IN ('write', 'rotate', 'delete') AND outcome = 'done'")} AS writes,
  ${count("outcome = 'denied'")} AS denied
FROM events
WHERE secret <> ''
GROUP BY account, identity, secret
${bounded(ACCESS_COLUMNS.slice(1, 2), mostRows, 'COUNT(*)')}`
}

type Text = (dialect: SqlDialect, asked: Asked) => string

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Six weeks: what is usual in an hour is asked of them. */
const USUAL_DAYS = 42

/** One row more than is wanted, which tells that there are more. */
const bounded = (by: readonly string[], mostRows: number, count = 'calls'): string =>
  `ORDER BY ${[`${count} DESC`, 'first_ms', ...by].join(', ')}\nLIMIT ${mostRows + 1}`

/** Every column of an answer, in its place: those that are not named have nothing to say. */
function selected(columns: { readonly [C in (typeof SIGNAL_COLUMNS)[number]]?: string }): string {
  const nothing = (name: string): string =>
    ['observed', 'usual', 'breadth', 'taken_ms'].includes(name) ? 'CAST(NULL AS BIGINT)' : "''"
  return SIGNAL_COLUMNS.map((name) => `${columns[name] ?? nothing(name)} AS ${name}`).join(', ')
}

const newNetwork: Text = (dialect, { since, until, historyMs, settings, mostRows }) =>
  `WITH ${dialect.events(since - historyMs, until)},
identities AS (
  SELECT identity, MAX(identity_name) AS identity_name, MIN(ms) AS known_ms
  FROM events WHERE identity_type <> 'service' AND NOT is_compute GROUP BY identity
),
networks AS (
  SELECT identity, network, MIN_BY(address, ms) AS address, MIN(ms) AS first_ms, MAX(ms) AS last_ms, COUNT(*) AS calls
  FROM events WHERE outcome = 'done' AND network <> '' GROUP BY identity, network
)
SELECT ${selected({
    ...{ identity: 'n.identity', identity_name: 'i.identity_name', address: "COALESCE(NULLIF(n.address, ''), n.network)" },
    ...{ network: 'n.network', first_ms: 'n.first_ms', last_ms: 'n.last_ms', calls: 'n.calls' }
  })}
FROM networks AS n JOIN identities AS i ON i.identity = n.identity
WHERE n.first_ms >= ${since} AND n.first_ms - i.known_ms >= ${settings.learnMs}
${bounded(['identity', 'network'], mostRows)}`

/**
 * The engine leaves out hours that were too many one after the other; here it is done twice, which is the same but where
 * most days of six weeks were too many.
 */
const readVolume: Text = (dialect, { since, until, historyMs, settings, mostRows }) => {
  const { volumeFactor, volumeZ, volumeDays } = settings
  const isTooMany = (usual: string): string =>
    `calls > ${volumeFactor} * GREATEST(${usual}, 1) AND 2 * SQRT(calls + 0.375) - 2 * SQRT(${usual} + 0.375) > ${volumeZ}`
  const judged = (name: string, without: string): string => `${name}_places AS (
  SELECT secret, hour_no, calls, reads, COUNT(*) OVER (PARTITION BY secret, hour_no) AS days,
    ROW_NUMBER() OVER (PARTITION BY secret, hour_no ORDER BY reads) AS place
  FROM before${without}
),
${name} AS (
  SELECT secret, hour_no, calls, AVG(reads) AS usual
  FROM ${name}_places WHERE days >= ${volumeDays} AND 2 * place BETWEEN days AND days + 2
  GROUP BY secret, hour_no, calls
)`
  return `WITH ${dialect.events(since - historyMs, until)},
days AS (SELECT DISTINCT account, ${whole(`ms / ${DAY}e0`)} AS day_no FROM events),
secrets AS (
  SELECT secret, account, MAX(secret_name) AS secret_name, ${whole(`MIN(ms) / ${DAY}e0`)} AS first_day
  FROM events WHERE secret <> '' GROUP BY secret, account
),
hours AS (
  SELECT secret, account, ${whole(`ms / ${HOUR}e0`)} AS hour_no, ${whole(`ms / ${DAY}e0`)} AS day_no, COUNT(*) AS calls, MAX(ms) AS last_ms
  FROM events WHERE secret <> '' AND kind = 'read' AND outcome = 'done' GROUP BY 1, 2, 3, 4
),
before AS (
  SELECT h.secret, h.hour_no, h.calls, d.day_no * 24 + MOD(h.hour_no, 24) AS before_no, COALESCE(b.calls, 0) AS reads
  FROM hours AS h
  JOIN secrets AS s ON s.secret = h.secret
  JOIN days AS d ON d.account = h.account AND d.day_no < h.day_no AND d.day_no >= GREATEST(s.first_day, h.day_no - ${USUAL_DAYS})
    AND (MOD(d.day_no + 3, 7) >= 5) = (MOD(h.day_no + 3, 7) >= 5)
  LEFT JOIN hours AS b ON b.secret = h.secret AND b.hour_no = d.day_no * 24 + MOD(h.hour_no, 24)
  WHERE h.calls > ${volumeFactor} AND 2 * SQRT(h.calls + 0.375) - 2 * SQRT(0.375) > ${volumeZ}
),
${judged('rough', '')},
odd AS (SELECT secret, hour_no FROM rough WHERE ${isTooMany('usual')}),
${judged('judged', ' AS b WHERE NOT EXISTS (SELECT 1 FROM odd AS o WHERE o.secret = b.secret AND o.hour_no = b.before_no)')}
SELECT ${selected({
    ...{ account: 's.account', secret: 's.secret', secret_name: 's.secret_name', first_ms: `j.hour_no * ${HOUR}` },
    ...{ last_ms: `j.hour_no * ${HOUR} + ${HOUR - 1}`, calls: 'j.calls', observed: 'j.calls', usual: 'j.usual' }
  })}
FROM judged AS j
JOIN secrets AS s ON s.secret = j.secret
JOIN hours AS h ON h.secret = j.secret AND h.hour_no = j.hour_no
WHERE h.last_ms >= ${since} AND ${isTooMany('j.usual').replaceAll('calls', 'j.calls')}
${bounded(['secret'], mostRows)}`
}

/** An hour is its person's habit where it was seen in three of the five weeks before. */
const offHours: Text = (dialect, { since, until, historyMs, settings, mostRows }) => {
  const { zone, workHours, workDays, holidays } = settings
  const local = (what: 'hour' | 'weekday' | 'day'): string => dialect.local('h.hour_no', zone, what)
  const days = listed(['0', ...workDays.map(String)])
  const isWork = `${local('hour')} >= '${twoDigits(workHours[0])}' AND ${local('hour')} < '${twoDigits(workHours[1])}'
    AND ${local('weekday')} IN (${days})${holidays.length > 0 ? ` AND ${local('day')} NOT IN (${listed(holidays)})` : ''}`
  return `WITH ${dialect.events(since - Math.min(historyMs, 36 * DAY), until)},
hours AS (
  SELECT identity, MAX(identity_name) AS identity_name, ${whole(`ms / ${HOUR}e0`)} AS hour_no, COUNT(CASE WHEN ms >= ${since} THEN 1 END) AS calls
  FROM events WHERE identity_type = 'person' GROUP BY 1, 3
),
odd AS (
  SELECT h.identity, h.identity_name, h.hour_no, h.calls, ${local('day')} AS day
  FROM hours AS h
  LEFT JOIN hours AS b ON b.identity = h.identity AND b.hour_no BETWEEN h.hour_no - 840 AND h.hour_no - 168 AND MOD(h.hour_no - b.hour_no, 168) = 0
  WHERE h.calls > 0 AND NOT (${isWork})
  GROUP BY h.identity, h.identity_name, h.hour_no, h.calls
  HAVING COUNT(b.hour_no) < 3
)
SELECT ${selected({
    ...{ identity: 'identity', identity_name: 'MAX(identity_name)', first_ms: `MIN(hour_no) * ${HOUR}` },
    ...{ last_ms: `MAX(hour_no) * ${HOUR} + ${HOUR - 1}`, calls: 'SUM(calls)' }
  })}
FROM odd
GROUP BY identity, day
${bounded(['identity'], mostRows)}`
}

const twoDigits = (hour: number): string => String(hour).padStart(2, '0')

const denied: Text = (dialect, { since, until, mostRows }) => {
  const only = (column: string): string => `CASE WHEN COUNT(DISTINCT thing) = 1 THEN MAX(${column}) ELSE '' END`
  return `WITH ${dialect.events(since, until)},
refused AS (
  SELECT events.*, CASE WHEN secret <> '' THEN secret ELSE CONCAT(' ', operation) END AS thing FROM events WHERE outcome = 'denied'
)
SELECT ${selected({
    ...{ account: `CASE WHEN ${only('secret')} <> '' THEN MAX(account) ELSE '' END`, identity: 'identity' },
    ...{ identity_name: 'MAX(identity_name)', secret: only('secret'), secret_name: only('secret_name') },
    ...{ first_ms: 'MIN(ms)', last_ms: 'MAX(ms)', calls: 'COUNT(*)', breadth: 'COUNT(DISTINCT thing)' }
  })}
FROM refused
GROUP BY identity
${bounded(['identity'], mostRows)}`
}

/** Five minutes and the next five, so that ten are seen wherever they begin; of windows that touch, the one with the most. */
const BUCKET = 300_000

const failedLogins: Text = (dialect, { since, until, historyMs, settings, mostRows }) =>
  `WITH ${dialect.events(since - Math.min(historyMs, DAY), until)},
logins AS (
  SELECT address, identity, outcome, ms, ${whole(`ms / ${BUCKET}e0`)} AS bucket
  FROM events WHERE address <> '' AND (kind = 'login' OR outcome = 'unauthenticated')
),
taken AS (SELECT address, MAX(ms) AS taken_ms FROM logins WHERE outcome = 'done' GROUP BY address),
starts AS (SELECT DISTINCT address, bucket FROM logins WHERE outcome <> 'done'),
windows AS (
  SELECT s.address, s.bucket, COUNT(*) AS calls, COUNT(DISTINCT l.identity) AS breadth, MIN(l.ms) AS first_ms, MAX(l.ms) AS last_ms
  FROM starts AS s JOIN logins AS l ON l.address = s.address AND l.bucket BETWEEN s.bucket AND s.bucket + 1 AND l.outcome <> 'done'
  GROUP BY s.address, s.bucket HAVING COUNT(*) >= ${settings.failedLogins}
),
islands AS (SELECT windows.*, bucket - ROW_NUMBER() OVER (PARTITION BY address ORDER BY bucket) AS island FROM windows),
placed AS (
  SELECT islands.*, ROW_NUMBER() OVER (PARTITION BY address, island ORDER BY breadth DESC, calls DESC, bucket) AS place FROM islands
)
SELECT ${selected({
    ...{ address: 'p.address', first_ms: 'p.first_ms', last_ms: 'p.last_ms', calls: 'p.calls', observed: 'p.calls' },
    ...{ breadth: 'p.breadth', taken_ms: 't.taken_ms' }
  })}
FROM placed AS p LEFT JOIN taken AS t ON t.address = p.address
WHERE p.place = 1 AND p.last_ms >= ${since}
${bounded(['address'], mostRows)}`

/** What 99 of 100 live is known of fifty tokens, in powers of two, and not where such as never end are usual. */
const longTtl: Text = (dialect, { since, until, historyMs, settings, mostRows }) => {
  const place = `CASE WHEN ttl >= ${FOREVER} THEN 39 WHEN ttl <= 1 THEN 0 ELSE LEAST(38, ${whole('CEIL(LN(ttl) / LN(2) - 1e-9)')}) END`
  return `WITH ${dialect.events(since - historyMs, until)},
tokens AS (SELECT events.*, ${place} AS place FROM events WHERE ttl IS NOT NULL),
places AS (SELECT account, source, place, COUNT(*) AS tokens FROM tokens GROUP BY account, source, place),
added AS (
  SELECT account, source, place, SUM(tokens) OVER (PARTITION BY account, source ORDER BY place) AS so_far,
    SUM(tokens) OVER (PARTITION BY account, source) AS tokens
  FROM places
),
lives AS (
  SELECT account, source, MIN(place) AS place FROM added WHERE tokens >= 50 AND so_far >= tokens * 0.99 GROUP BY account, source
),
lasting AS (
  SELECT account, source, identity, MAX(identity_name) AS identity_name, MAX(ttl) AS ttl, MIN(ms) AS first_ms, MAX(ms) AS last_ms, COUNT(*) AS calls
  FROM tokens WHERE ms >= ${since} AND ttl > ${settings.longTtlSeconds[dialect.store]}
  GROUP BY account, source, identity
),
compared AS (
  SELECT l.*, CASE WHEN u.place < 39 THEN POWER(2, u.place) END AS usual
  FROM lasting AS l LEFT JOIN lives AS u ON u.account = l.account AND u.source = l.source
)
SELECT ${selected({
    ...{ account: 'account', identity: 'identity', identity_name: 'identity_name', source: 'source', first_ms: 'first_ms' },
    ...{ last_ms: 'last_ms', calls: 'calls', observed: 'ttl', usual: 'usual' }
  })}
FROM compared
WHERE usual IS NULL OR ttl > usual
${bounded(['identity', 'source'], mostRows)}`
}

const TEXTS: Readonly<Record<Question, Text>> = {
  'new-network': newNetwork,
  'read-volume': readVolume,
  'off-hours': offHours,
  denied,
  'failed-logins': failedLogins,
  'long-ttl': longTtl
}
