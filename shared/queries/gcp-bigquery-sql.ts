import { COMPUTE, GOOGLE, PROGRAM } from '../audit/gcp-identity.ts'
import { TABLE } from '../audit/gcp-operations.ts'
import { FOREVER } from './asked.ts'
import { addressIn, firstOf, isKnown, kindOf, listed, networkOf, quoted, type SqlDialect } from './sql-dialect.ts'

/** A view of Cloud Audit Logs in BigQuery; names are checked by whoever makes it. */
export interface LogView {
  readonly project: string
  /** The dataset that is linked to the log bucket. */
  readonly dataset: string
  /** Default `_AllLogs`. */
  readonly view?: string | undefined
}

const PAYLOAD = 'proto_payload.audit_log'
const PATTERNS = { google: GOOGLE.source, program: PROGRAM.source, compute: COMPUTE.source }

/**
 * GoogleSQL, with what Cloud Audit Logs say (shared/audit/from-gcp.ts). The columns are those of Log Analytics
 * (cloud.google.com/logging/docs/analyze/query-linked-dataset): LogEntry's and AuditLog's members with underscores, and JSON
 * for what has no schema, such as the request and the labels.
 */
export const bigquerySql = (view: LogView): SqlDialect => {
  const dialect: SqlDialect = {
    store: 'gcp',
    extract: (text, pattern) => `COALESCE(REGEXP_EXTRACT(${text}, r${quoted(pattern)}), '')`,
    local: (hour, zone, what) => {
      const form = { hour: '%H', weekday: '%u', day: '%F' }[what]
      return `FORMAT_DATETIME('${form}', DATETIME(TIMESTAMP_MILLIS(${hour} * 3600000), ${quoted(zone)}))`
    },
    events: (from, until) => [recordsOf(view, from, until), namedOf(dialect), eventsOf(dialect)].join(',\n')
  }
  return dialect
}

const LOGS = ['activity', 'data_access', 'policy', 'system_event'].map((name) => `cloudaudit.googleapis.com/${name}`)
const METHOD = `LOWER(REGEXP_EXTRACT(${PAYLOAD}.method_name, r'([^.]*)$'))`

/** What takes long has an entry for its start and one for its end: the first says who. */
function recordsOf({ project, dataset, view = '_AllLogs' }: LogView, from: number, until: number): string {
  const authentication = `${PAYLOAD}.authentication_info`
  const texts = {
    api: `${PAYLOAD}.service_name`,
    operation_name: `${PAYLOAD}.method_name`,
    method: METHOD,
    resource_name: `${PAYLOAD}.resource_name`,
    came_from: `${PAYLOAD}.request_metadata.caller_ip`,
    caller_network: `${PAYLOAD}.request_metadata.caller_network`,
    labelled: "JSON_VALUE(resource.labels, '$.project_id')",
    parent: `JSON_VALUE(${PAYLOAD}.request, '$.parent')`,
    secret_id: `JSON_VALUE(${PAYLOAD}.request, '$.secretId')`,
    ...{ log_name: 'log_name', email: `${authentication}.principal_email`, subject: `${authentication}.principal_subject` }
  }
  const behind = `SELECT id FROM (
      SELECT COALESCE(NULLIF(d.first_party_principal.principal_email, ''), REGEXP_REPLACE(d.principal_subject, r'^(user|serviceAccount):', ''), '') AS id, place
      FROM UNNEST(${authentication}.service_account_delegation_info) AS d WITH OFFSET AS place
    ) WHERE ${typeOf('id')} = 'person' ORDER BY place LIMIT 1`
  return `records AS (
  SELECT CONCAT(log_name, '|', CAST(timestamp AS STRING), '|', insert_id) AS id, UNIX_MILLIS(timestamp) AS ms,
    ${Object.entries(texts)
      .map(([name, column]) => `COALESCE(${column}, '') AS ${name}`)
      .join(', ')},
    JSON_VALUE(${PAYLOAD}.request, '$.lifetime') AS lifetime, COALESCE(${PAYLOAD}.status.code, 0) AS code,
    EXISTS(SELECT 1 FROM UNNEST(${PAYLOAD}.authorization_info) AS a WHERE a.granted IS NOT TRUE) AS is_refused,
    COALESCE((${behind}), '') AS behind,
    ROW_NUMBER() OVER (PARTITION BY log_name, timestamp, insert_id ORDER BY receive_timestamp) AS nth
  FROM \`${project}.${dataset}.${view}\`
  WHERE timestamp >= TIMESTAMP_MILLIS(${from}) AND timestamp < TIMESTAMP_MILLIS(${until})
    AND log_id IN (${listed(LOGS)})
    AND (${isKnown(TABLE, `${PAYLOAD}.service_name`, METHOD)})
    AND NOT (operation.last IS TRUE AND operation.first IS NOT TRUE)
)`
}

/** As typeOf of gcp-identity.ts. */
const typeOf = (id: string): string =>
  `CASE WHEN REGEXP_CONTAINS(${id}, r'${PATTERNS.google}') THEN 'service' WHEN REGEXP_CONTAINS(${id}, r'${PATTERNS.program}') THEN 'workload'
      WHEN REGEXP_CONTAINS(${id}, r'@|/workforcePools/') THEN 'person' ELSE 'unknown' END`

const SECRET = '^projects/[^/]+/(?:locations/[^/]+/)?secrets/([^/]+)'
const REGION = '^projects/[^/]+/locations/([^/]+)/secrets/'

function namedOf({ extract }: SqlDialect): string {
  const made =
    "CASE WHEN secret_id <> '' THEN CONCAT(COALESCE(NULLIF(parent, ''), resource_name), '/secrets/', secret_id) ELSE '' END"
  const named = `CASE WHEN ${extract('resource_name', SECRET)} <> '' THEN resource_name ELSE ${made} END`
  const ofLog = extract('log_name', '^(?:projects/)?((?:folders/|organizations/|billingAccounts/)?[^/]+)/logs/')
  return `callers AS (
  SELECT records.*, COALESCE(NULLIF(email, ''), REGEXP_REPLACE(subject, r'^(user|serviceAccount):', '')) AS principal,
    CASE WHEN api = 'secretmanager.googleapis.com' THEN ${named} ELSE '' END AS named,
    ${firstOf('labelled', ofLog, extract('resource_name', '^projects/([^/]+)'))} AS account,
    ${kindOf(TABLE, 'api', 'method')} AS kind
  FROM records WHERE nth = 1
)`
}

function eventsOf(dialect: SqlDialect): string {
  const { extract } = dialect
  const [secret, region] = [extract('named', SECRET), extract('named', REGION)]
  const seconds = `SAFE_CAST(${extract("COALESCE(lifetime, '3600s')", '^(\\d{1,9}(?:\\.\\d{1,9})?)s$')} AS FLOAT64)`
  return `told AS (
  SELECT callers.*, CASE WHEN ${region} <> '' THEN CONCAT(${region}, '/', ${secret}) ELSE ${secret} END AS secret_name,
    CASE WHEN behind <> '' THEN 'person' WHEN principal = '' THEN 'unknown' ELSE ${typeOf('principal')} END AS identity_type,
    CASE WHEN method = 'loginfailure' OR code = 16 OR (kind = 'login' AND code <> 0) THEN 'unauthenticated'
      WHEN code = 7 OR is_refused THEN 'denied' WHEN code = 0 THEN 'done' WHEN code = 5 THEN 'absent' ELSE 'failed' END AS outcome,
    ${addressIn(dialect, 'came_from')} AS address
  FROM callers
),
events AS (
  SELECT id, ms, account, kind, operation_name AS operation, outcome, identity_type, address, secret_name,
    CONCAT('gcp:', CASE WHEN principal = '' THEN 'redacted' WHEN behind <> '' THEN CONCAT(behind, '>', principal) ELSE principal END) AS identity,
    CASE WHEN principal = '' THEN 'redacted' WHEN behind <> '' THEN CONCAT(behind, ' as ', principal) ELSE principal END AS identity_name,
    identity_type = 'workload' AND REGEXP_CONTAINS(principal, r'${PATTERNS.compute}') AS is_compute,
    ${firstOf('caller_network', networkOf(dialect, 'address'))} AS network,
    CASE WHEN secret_name = '' THEN '' ELSE CONCAT('gcp:', account, '/', secret_name) END AS secret,
    CASE WHEN outcome <> 'done' THEN NULL WHEN method = 'createserviceaccountkey' THEN ${FOREVER} WHEN method = 'generateaccesstoken' THEN ${seconds} END AS ttl,
    CASE WHEN kind IN ('login', 'token') THEN ${extract('api', '^([^.]*)')} ELSE '' END AS source
  FROM told
)`
}
