import { logAnalytics } from '../../shared/queries/azure-log-analytics.ts'
import { azureCredential } from '../doubles/azure-credential.ts'
import { AUDIENCE, startLogAnalytics, WORKSPACE } from '../doubles/log-analytics.ts'
import { localIdentity, sharedAuthority } from '../servers/certificates.ts'
import { forDuck } from './duck.ts'
import { equalSuite } from './equal-suite.ts'
import { type VaultRecord, vaultRecords } from './vault-records.ts'

/** azure-monitor/reference/tables/azkvauditlogs: the columns that are asked for. */
const TABLE = {
  TimeGenerated: 'TIMESTAMP',
  OperationName: 'TEXT',
  CorrelationId: 'TEXT',
  _ResourceId: 'TEXT',
  HttpStatusCode: 'INTEGER',
  ResultSignature: 'TEXT',
  Identity: 'JSON',
  Id: 'TEXT',
  RequestUri: 'TEXT',
  CallerIpAddress: 'TEXT',
  SubnetId: 'TEXT'
}

/** Kusto has no null text. */
const tableRow = ({ properties, ...record }: VaultRecord): object => ({
  TimeGenerated: record.time,
  OperationName: record.operationName,
  CorrelationId: record.correlationId,
  _ResourceId: record.resourceId,
  HttpStatusCode: properties.httpStatusCode,
  ResultSignature: record.resultSignature ?? '',
  Identity: record.identity,
  Id: properties.id ?? '',
  RequestUri: properties.requestUri ?? '',
  CallerIpAddress: record.callerIpAddress,
  SubnetId: properties.subnetId ?? ''
})

/** duckdb-kql does not know it. New York is four hours behind for all of the log. */
const IN_NEW_YORK = 'let datetime_utc_to_local = (at: datetime, zone: string) { at - 4h };\n'

equalSuite('Log Analytics', vaultRecords, async ({ records }, duck, python) => {
  await duck.run(`CREATE TABLE AZKVAuditLogs (${Object.entries(TABLE).map((column) => column.join(' '))})`)
  await duck.fill('AZKVAuditLogs', (records as readonly VaultRecord[]).map(tableRow))
  const kusto = { python, read: 'kusto', columns: { AZKVAuditLogs: Object.keys(TABLE) } } as const
  const double = await startLogAnalytics({
    execute: async (text) => ({ rows: await duck.rows(forDuck(kusto, `${IN_NEW_YORK}${text}`)) }),
    tls: await localIdentity()
  })
  const query = logAnalytics({
    workspaceId: WORKSPACE,
    credential: azureCredential('keyturn'),
    ...{ endpoint: `${double.url}/v1`, audience: AUDIENCE },
    clientOptions: { tlsOptions: { ca: (await sharedAuthority()).caPem } }
  })
  return { query, close: () => double.close() }
})
