/**
 * The columns of a log view in BigQuery that are asked for (cloud.google.com/logging/docs/analyze/query-linked-dataset):
 * LogEntry's and AuditLog's, JSON where they have no schema.
 */
export const ALL_LOGS = (project: string, dataset: string): string => `CREATE TABLE \`${project}.${dataset}._AllLogs\` (
  insert_id STRING, log_name STRING, log_id STRING, timestamp DATETIME, receive_timestamp DATETIME,
  resource STRUCT<type STRING, labels JSON>,
  operation STRUCT<id STRING, producer STRING, first BOOL, last BOOL>,
  proto_payload STRUCT<type STRING, audit_log STRUCT<
    service_name STRING, method_name STRING, resource_name STRING,
    authentication_info STRUCT<principal_email STRING, principal_subject STRING,
      service_account_delegation_info ARRAY<STRUCT<principal_subject STRING, first_party_principal STRUCT<principal_email STRING>>>>,
    authorization_info ARRAY<STRUCT<resource STRING, permission STRING, granted BOOL>>,
    request_metadata STRUCT<caller_ip STRING, caller_network STRING>,
    request JSON,
    status STRUCT<code INT64, message STRING>
  >>
)`
