import { statusNamed, TABLE } from '../audit/key-vault-operations.ts'
import { namesByKind } from './asked.ts'

/** A text in KQL that is known to have neither quotes nor backslashes in it. */
export const text = (value: string): string => `'${value}'`
export const texts = (values: Iterable<string>): string => [...values].map(text).join(', ')

const at = (ms: number): string => `datetime(${new Date(ms).toISOString()})`

/** The claim of an access token, under the name that Key Vault has for it or the one that Resource Manager has. */
const claim = (short: string, long: string): string =>
  `trim(@'\\s+', iff(isnotempty(tostring(claims.${short})), tostring(claims.${short}), tostring(claims[${text(long)}])))`

const SCHEMAS = 'http://schemas.microsoft.com/identity/claims'
const SOAP = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims'

/** Azure Resource Graph and Azure Policy, which take stock (shared/audit/from-key-vault.ts). */
const STOCKTAKERS = ['509e4652-da8d-478d-a730-e9d4a1996ca4', '8cae6e77-e04e-42ce-b5cb-50d82bce26b1']

/** The first of some texts that is not empty. */
const firstOf = (...some: readonly string[]): string => {
  const [last = "''", ...before] = some.toReversed()
  return before.reduce((rest, one) => `iff(isnotempty(${one}), ${one}, ${rest})`, last)
}

/**
 * Defines `events`: what AuditEvent has of Key Vault's records (shared/audit/from-key-vault.ts), a row an event, each once. Times
 * are milliseconds since the epoch. The table is the resource-specific one (azure-monitor/reference/tables/azkvauditlogs), as
 * the diagnostic setting makes it with the destination type “Resource specific”. How a call ended is told by its status and
 * never by ResultType. The Activity Log's records are not in this table.
 */
export const eventsKql = (from: number, until: number): string => `let told = AZKVAuditLogs
| where TimeGenerated >= ${at(from)} and TimeGenerated < ${at(until)}
| extend claims = Identity.claim, operation = OperationName, account = tolower(_ResourceId), is_published = OperationName endswith_cs 'EventGridNotification'
| extend what = case(${kinds()}, 'other')
| where not(is_published) or what != 'other'
| extend signature = tolower(replace_string(ResultSignature, ' ', ''))
| extend status = coalesce(HttpStatusCode, case(${SIGNATURES.map((name) => `signature == ${text(name)}, ${statusNamed(name)}`).join(', ')}, int(null)))
| where is_published or isnotnull(status) or isnotempty(ResultSignature)
| extend outcome = case(is_published or (status >= 200 and status < 300), 'done', status == 401, 'unauthenticated', status == 403, 'denied', status == 404, 'absent', 'failed')
| where not(operation == 'Authentication' and outcome == 'unauthenticated')
| where not(operation == 'VaultGet' and tostring(claims.appid) in (${texts(STOCKTAKERS)}))
| where what != 'other' or outcome in ('denied', 'unauthenticated')
| project TimeGenerated, operation, CorrelationId, account, is_published, what, outcome, told_claims = tostring(claims), Id, RequestUri, CallerIpAddress, SubnetId
| distinct TimeGenerated, operation, CorrelationId, account, is_published, what, outcome, told_claims, Id, RequestUri, CallerIpAddress, SubnetId;
let events = told
| extend claims = parse_json(told_claims), ms = datetime_diff('millisecond', TimeGenerated, datetime(1970-01-01))
| extend oid = ${claim('oid', `${SCHEMAS}/objectidentifier`)}, appid = tostring(claims.appid),
  upn = ${firstOf(claim('upn', `${SOAP}/upn`), claim('unique_name', `${SOAP}/name`))}
| extend is_person = tostring(claims.idtyp) != 'app' and (isnotempty(upn) or isnotempty(${claim('scp', `${SCHEMAS}/scope`)}))
| extend caller = ${firstOf('oid', "iff(is_person, upn, '')", "iff(isnotempty(appid), strcat('app/', appid), '')")}, resource = iff(is_person, '', tostring(claims.xms_mirid))
| extend identity = case(is_published, 'azure:service/key-vault', isempty(caller), 'azure:unknown', strcat('azure:', caller)),
  identity_type = case(is_published, 'service', isempty(caller), 'unknown', is_person, 'person', 'workload'),
  identity_name = case(is_published, 'Key Vault', isempty(caller), 'unknown', is_person, ${firstOf('upn', 'tostring(claims.name)', 'caller')}, ${firstOf("extract(@'([^/]*)$', 1, resource)", 'appid', 'caller')}),
  is_compute = not(is_published) and isnotempty(resource) and not(resource matches regex @'(?i)/providers/microsoft\\.(managedidentity/userassignedidentities|hybridcompute)/')
| extend full = parse_ipv6(CallerIpAddress), named = extract(@'(?i)/(?:deleted)?secrets/([^/?#]+)', 1, Id)
| extend address = iff(isnotempty(full), CallerIpAddress, ''), v4 = extract(@'^(?:::ffff:)?(\\d+\\.\\d+\\.\\d+)\\.\\d+$', 1, CallerIpAddress),
  secret_name = case(operation !startswith_cs 'Secret', '', isnotempty(named), tolower(named), operation == 'SecretRestore', '', tolower(extract(@'(?i)/(?:deleted)?secrets/([^/?#]+)', 1, RequestUri)))
| extend network = case(isnotempty(SubnetId), tolower(SubnetId), isempty(address), '', isnotempty(v4), strcat(v4, '.0/24'), strcat(${[0, 5, 10].map((from) => `extract(@'^0{0,3}(.+)$', 1, substring(full, ${from}, 4))`).join(`, ':', `)}, '::/48')),
  secret = iff(isempty(secret_name), '', strcat('azure:', account, '/', secret_name)), iat = tolong(claims.iat), exp = tolong(claims.exp)
| project ms, account, what, operation, outcome, identity, identity_name, identity_type, is_compute, address, network, secret, secret_name, iat, exp;`

const kinds = (): string =>
  [...namesByKind(TABLE)].map(([kind, names]) => `operation in (${texts(names)}), ${text(kind)}`).join(', ')

/** As ResultSignature spells the statuses that tell something. */
const SIGNATURES = ['ok', 'created', 'accepted', 'nocontent', 'unauthorized', 'forbidden', 'notfound']
