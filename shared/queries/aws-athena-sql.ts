import { DENIED_CODES, TABLE } from '../audit/cloudtrail-operations.ts'
import { DAY_MS } from '../duration.ts'
import { addressIn, firstOf, isKnown, kindOf, listed, networkOf, quoted, type SqlDialect } from './sql-dialect.ts'

/** A table of CloudTrail records that trailTable (aws-athena-table.ts) made; names are checked there. */
export interface TrailTable {
  readonly database: string
  readonly table: string
  /** Whose logs are read; the partitions are asked for by name. */
  readonly accounts: readonly string[]
  readonly regions: readonly string[]
}

/** SQL of Athena's engine version 3, which is Trino's, with what CloudTrail says (shared/audit/from-cloudtrail.ts). */
export const athenaSql = (table: TrailTable): SqlDialect => {
  const extract: SqlDialect['extract'] = (text, pattern) => `COALESCE(REGEXP_EXTRACT(${text}, ${quoted(pattern)}, 1), '')`
  const dialect: SqlDialect = {
    store: 'aws',
    extract,
    local: (hour, zone, what) => {
      const at = `FROM_UNIXTIME(${hour} * 3600) AT TIME ZONE ${quoted(zone)}`
      if (what === 'weekday') return `CAST(DAY_OF_WEEK(${at}) AS VARCHAR)`
      return `DATE_FORMAT(${at}, ${what === 'hour' ? "'%H'" : "'%Y-%m-%d'"})`
    },
    events: (from, until) => [recordsOf(table, from, until), namedOf(dialect), eventsOf(dialect)].join(',\n')
  }
  return dialect
}

/** What is there of each record, once: a record that is issued again has the id of the first in its addendum. */
function recordsOf({ database, table, accounts, regions }: TrailTable, from: number, until: number): string {
  const member = (column: string, ...path: readonly string[]): string =>
    `COALESCE(${path.map((name) => `JSON_EXTRACT_SCALAR(${column}, '$.${name}')`).join(', ')}, '')`
  const texts = {
    name: 'eventname',
    api: 'eventsource',
    error_code: 'errorcode',
    error_text: 'errormessage',
    came_from: 'sourceipaddress',
    endpoint: 'vpcendpointid',
    recipient: 'recipientaccountid',
    caller_type: 'useridentity.type',
    caller_arn: 'useridentity.arn',
    principal: 'useridentity.principalid',
    caller_account: 'useridentity.accountid',
    user_name: 'useridentity.username',
    invoked_by: 'useridentity.invokedby',
    issuer_arn: 'useridentity.sessioncontext.sessionissuer.arn',
    delivery: 'useridentity.sessioncontext.ec2roledelivery',
    issuer_type: 'useridentity.inscopeof.issuertype'
  }
  const id = "COALESCE(NULLIF(addendum.originaleventid, ''), eventid)"
  return `records AS (
  SELECT ${id} AS id, CAST(TO_UNIXTIME(FROM_ISO8601_TIMESTAMP(eventtime)) * 1000 AS BIGINT) AS ms,
    ${Object.entries(texts)
      .map(([name, column]) => `COALESCE(${column}, '') AS ${name}`)
      .join(', ')},
    ${member('requestparameters', 'secretId')} AS asked, ${member('responseelements', 'arn')} AS answered,
    ${member('responseelements', 'aRN')} AS answered_before, ${member('additionaleventdata', 'SecretId')} AS additional,
    ${member('additionaleventdata', 'ARN')} AS additional_arn, ${member('requestparameters', 'name')} AS created,
    ${member('responseelements', 'ConsoleLogin')} AS console,
    TRY_CAST(JSON_EXTRACT_SCALAR(requestparameters, '$.durationSeconds') AS DOUBLE) AS seconds,
    ROW_NUMBER() OVER (PARTITION BY ${id} ORDER BY eventtime, eventid) AS nth
  FROM "${database}"."${table}"
  WHERE account IN (${listed(accounts)}) AND region IN (${listed(regions)})
    AND "timestamp" BETWEEN ${quoted(dayOf(from))} AND ${quoted(dayOf(until + LATE_MS))}
    AND eventtime >= ${quoted(secondOf(from))} AND eventtime < ${quoted(secondOf(until))}
    AND (${isKnown(Object.entries(TABLE), 'eventsource', 'eventname')})
    AND NOT (eventname = 'AssumeRole' AND COALESCE(useridentity.type, '') = 'AWSService')
)`
}

/** A record lies in the folder of the day on which it was delivered. */
const LATE_MS = DAY_MS
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10).replaceAll('-', '/')
/** Records have whole seconds: what begins within one begins with the next. */
const secondOf = (at: number): string => `${new Date(Math.ceil(at / 1000) * 1000).toISOString().slice(0, 19)}Z`

/** Who, and which secret: cloudtrail-identity.ts and cloudtrail-names.ts. */
function namedOf({ extract }: SqlDialect): string {
  const named = firstOf(
    'asked',
    'answered',
    'answered_before',
    'additional',
    'additional_arn',
    'created',
    extract('error_text', 'on resource: ([^\\s"]+)')
  )
  const session = firstOf(extract('caller_arn', ':assumed-role/[^/]+/(.+)$'), extract('principal', '^[^:]*:([^:]*)'))
  const account = extract(firstOf('asked', 'answered', 'additional'), '^arn:[^:]*:[^:]*:[^:]*:(\\d{12}):')
  return `callers AS (
  SELECT records.*, ${firstOf('issuer_arn', 'caller_arn')} AS base_arn, ${session} AS session,
    CASE WHEN api = 'secretsmanager.amazonaws.com' THEN ${named} ELSE '' END AS named,
    ${firstOf('recipient', account, 'caller_account')} AS account,
    ${kindOf(Object.entries(TABLE), 'api', 'name')} AS kind
  FROM records WHERE nth = 1
)`
}

function eventsOf(dialect: SqlDialect): string {
  const { extract } = dialect
  const isAws = "(caller_type = 'AWSService' OR (caller_type = '' AND caller_arn = ''))"
  const isSso = "STRPOS(base_arn, '/AWSReservedSSO_') > 0"
  const isOrdinary = `NOT (caller_type = 'Root' OR ${isAws} OR ${isSso})`
  const isOfCompute = `(${isOrdinary} AND (delivery <> '' OR REGEXP_LIKE(issuer_type, '^AWS::EC2::') OR REGEXP_LIKE(session, '^i-[0-9a-f]{8,17}$')))`
  const key = firstOf('base_arn', 'principal', 'caller_account')
  const aws = "COALESCE(NULLIF(invoked_by, ''), 'aws')"
  const isLogin = "kind = 'login'"
  const inArn = extract('named', '^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:(.+)$')
  const secret = `CASE WHEN ${inArn} <> '' THEN REGEXP_REPLACE(${inArn}, '-[A-Za-z0-9]{6}$', '') ELSE named END`
  const address = addressIn(dialect, 'came_from')
  return `told AS (
  SELECT callers.*, ${isOfCompute} AS is_compute, ${secret} AS secret_name, ${address} AS address
  FROM callers
),
events AS (
  SELECT id, ms, account, kind, name AS operation, is_compute, address, secret_name,
    CASE WHEN error_code = '' AND console <> 'Failure' THEN CASE WHEN name IN ('RotationFailed', 'RotationAbandoned') THEN 'failed' ELSE 'done' END
      WHEN ${isLogin} THEN 'unauthenticated' WHEN error_code IN (${listed(DENIED_CODES)}) THEN 'denied'
      WHEN error_code IN ('ResourceNotFoundException', 'NoSuchEntityException') THEN 'absent' ELSE 'failed' END AS outcome,
    CONCAT('aws:', CASE WHEN caller_type = 'Root' THEN CONCAT('root/', caller_account) WHEN ${isAws} THEN CONCAT('service/', ${aws})
      WHEN ${isSso} THEN CONCAT(base_arn, '/', session) WHEN is_compute THEN CONCAT(${key}, '#compute') ELSE ${key} END) AS identity,
    CASE WHEN caller_type = 'Root' THEN 'root' WHEN ${isAws} THEN ${aws} WHEN ${isSso} THEN session
      ELSE COALESCE(NULLIF(user_name, ''), REGEXP_REPLACE(${key}, '^arn:[^:]*:[^:]*:[^:]*:[^:]*:(?:user|role)/', '')) END AS identity_name,
    CASE WHEN caller_type = 'Root' THEN 'person' WHEN ${isAws} THEN 'service' WHEN ${isSso} THEN 'person'
      WHEN caller_type IN ('IAMUser', 'IdentityCenterUser') THEN 'person' ELSE 'workload' END AS identity_type,
    ${firstOf('endpoint', networkOf(dialect, 'address'))} AS network,
    CASE WHEN secret_name = '' THEN '' ELSE CONCAT('aws:', account, '/', secret_name) END AS secret,
    CASE WHEN error_code = '' AND console <> 'Failure' THEN seconds END AS ttl,
    CASE WHEN kind IN ('login', 'token') THEN ${extract('api', '^([^.]*)')} ELSE '' END AS source
  FROM told
)`
}
