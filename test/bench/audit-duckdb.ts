import { DuckDBInstance } from '@duckdb/node-api'

/**
 * The same logs by DuckDB with one thread and typed columns: reads of each path and hour, who came from where, and what was
 * denied. It keeps no state, and asks none of the other questions. Prints one JSON object.
 */
const VAULT = `{time:'VARCHAR', type:'VARCHAR', error:'VARCHAR',
  auth:'STRUCT(entity_id VARCHAR, display_name VARCHAR, policy_results STRUCT(allowed BOOLEAN))',
  request:'STRUCT(id VARCHAR, operation VARCHAR, path VARCHAR, remote_address VARCHAR)',
  response:'STRUCT(auth STRUCT(token_ttl BIGINT))'}`

const CLOUDTRAIL = `{Records:'STRUCT(eventSource VARCHAR, eventName VARCHAR, eventTime VARCHAR, errorCode VARCHAR,
  sourceIPAddress VARCHAR, userIdentity STRUCT(arn VARCHAR, sessionContext STRUCT(sessionIssuer STRUCT(arn VARCHAR))),
  requestParameters JSON)[]'}`

const quoted = (file: string): string => `'${file.replaceAll("'", "''")}'`
const list = (files: readonly string[]): string => `[${files.map(quoted).join(', ')}]`

const vaultEvents = (files: readonly string[]): string =>
  `SELECT request.path AS secret, auth.entity_id AS who, request.remote_address AS address,
     date_trunc('hour', CAST(time AS TIMESTAMP)) AS hour, error IS NOT NULL AS denied
   FROM read_json(${list(files)}, format = 'newline_delimited', columns = ${VAULT}, maximum_object_size = 33554432)
   WHERE type = 'response'`

const cloudTrailEvents = (files: readonly string[]): string =>
  `SELECT r.requestParameters->>'secretId' AS secret, r.userIdentity.sessionContext.sessionIssuer.arn AS who,
     r.sourceIPAddress AS address, date_trunc('hour', CAST(r.eventTime AS TIMESTAMP)) AS hour, r.errorCode IS NOT NULL AS denied
   FROM (SELECT unnest(Records) AS r FROM read_json(${list(files)}, columns = ${CLOUDTRAIL}, maximum_object_size = 268435456))
   WHERE r.eventSource = 'secretsmanager.amazonaws.com'`

const QUESTIONS = [
  'SELECT secret, hour, count(*) FROM events GROUP BY ALL',
  'SELECT DISTINCT who, address FROM events',
  'SELECT who, secret, count(*) FROM events WHERE denied GROUP BY ALL'
]

const [format, ...files] = process.argv.slice(2)
const database = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
const began = process.hrtime.bigint()
await database.run(`CREATE TABLE events AS ${format === 'vault' ? vaultEvents(files) : cloudTrailEvents(files)}`)
for (const question of QUESTIONS) await database.runAndReadAll(question)
const seconds = Number(process.hrtime.bigint() - began) / 1e9
const counted = await database.runAndReadAll('SELECT count(*)::INTEGER FROM events')
const [[events] = []] = counted.getRows()
process.stdout.write(`${JSON.stringify({ seconds, bytes: 0, events, rssBytes: process.resourceUsage().maxRSS * 1024 })}\n`)
