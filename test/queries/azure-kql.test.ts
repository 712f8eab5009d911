import { describe, expect, it } from 'vitest'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { type Asked, QUESTIONS } from '../../shared/ports/audit-query.ts'
import { ACCESS_COLUMNS, SIGNAL_COLUMNS } from '../../shared/queries/asked.ts'
import { kqlTexts } from '../../shared/queries/azure-log-analytics-kql.ts'
import { kusto } from './kusto.ts'

/** azure-monitor/reference/tables/azkvauditlogs, every column. */
const COLUMNS = `AddressAuthorizationType:string, Algorithm:string, AppliedAssignmentId:string, _BilledSize:real, CallerIpAddress:string,
  CertificateIssuerProperties:dynamic, CertificatePolicyProperties:dynamic, CertificateProperties:dynamic, CertificateRequestProperties:dynamic,
  ClientInfo:string, CorrelationId:string, DurationMs:int, EnabledForDeployment:bool, EnabledForDiskEncryption:bool,
  EnabledForTemplateDeployment:bool, EnablePurgeProtection:bool, EnableRbacAuthorization:bool, EnableSoftDelete:bool, HsmPoolResourceId:string,
  HttpStatusCode:int, Id:string, Identity:dynamic, IsAccessPolicyMatch:bool, IsAddressAuthorized:bool, _IsBillable:string, IsRbacAuthorized:bool,
  KeyProperties:dynamic, NetworkAcls:dynamic, Nsp:dynamic, OperationName:string, OperationVersion:string, Properties:dynamic, RequestUri:string,
  _ResourceId:string, ResultDescription:string, ResultSignature:string, ResultType:string, SecretProperties:dynamic, Sku:dynamic,
  SoftDeleteRetentionInDays:int, SourceSystem:string, StorageAccountProperties:dynamic, StorageSasDefinitionProperties:dynamic, SubnetId:string,
  _SubscriptionId:string, TenantId:string, TimeGenerated:datetime, Tlsversion:string, TrustedService:string, Type:string, VaultProperties:dynamic`

const bound = (columns = COLUMNS) => kusto({ AZKVAuditLogs: `(${columns})` })
const workspace = bound()

const ASKED: Asked = {
  since: Date.UTC(2026, 6, 9),
  until: Date.UTC(2026, 6, 10),
  historyMs: 42 * 86_400_000,
  settings: { ...AUDIT_DEFAULTS, zone: 'Europe/London', holidays: ['2026-12-25'] },
  mostRows: 1_000
}
const TEXTS = QUESTIONS.map((question) => [question, kqlTexts.question(question, ASKED)] as const)
const INVENTORY = kqlTexts.inventory(ASKED)
const typeOf = (name: string): string => (/_ms$|^calls$/.test(name) && name !== 'taken_ms' ? 'long' : 'string')

describe.each(TEXTS)('the query for %s, as Kusto reads it', (_, text) => {
  it('has every name and every type as the table of Log Analytics has them', () => {
    expect(workspace.problems(text)).toEqual([])
  })

  it('answers with the columns that a row is made of, in their order', () => {
    const numbers = ['observed', 'usual', 'breadth', 'taken_ms']
    expect(workspace.columns(text)).toEqual(
      SIGNAL_COLUMNS.map((name) => `${name}:${numbers.includes(name) ? 'real' : typeOf(name)}`)
    )
  })
})

describe('the query for the inventory, as Kusto reads it', () => {
  it('has every name and every type as the table of Log Analytics has them', () => {
    expect(workspace.problems(INVENTORY)).toEqual([])
  })

  it('answers with the columns that a row is made of, in their order', () => {
    const counts = ['reads', 'writes', 'denied']
    expect(workspace.columns(INVENTORY)).toEqual(
      ACCESS_COLUMNS.map((name) => `${name}:${counts.includes(name) ? 'long' : typeOf(name)}`)
    )
  })
})

describe('Kusto’s reading of a query', () => {
  const changed = (from: string, to: string): string => {
    expect(INVENTORY).toContain(from)
    return INVENTORY.replace(from, to)
  }

  it.each([
    ['a column that the table has not', changed('OperationName', 'operationName'), 'operationName'],
    ['a table that is not there', changed('AZKVAuditLogs', 'AzureDiagnostic'), 'AzureDiagnostic'],
    ['a number where a text must be', changed('replace_string(ResultSignature', 'replace_string(DurationMs'), 'DurationMs'],
    ['a function that there is not', changed('tolower(', 'lowercase('), 'lowercase'],
    ['a bracket that is not closed', changed('not(is_published)', 'not(is_published'), '']
  ])('finds %s', (_, text, at) => {
    expect(workspace.problems(text).map((problem) => problem.at)).toContain(at)
  })

  it('finds a column that changed its type', () => {
    const problems = bound(COLUMNS.replace('TimeGenerated:datetime', 'TimeGenerated:string')).problems(INVENTORY)
    expect(problems.length).toBeGreaterThan(0)
  })
})
