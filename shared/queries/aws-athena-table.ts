import { isAwsRegion } from '../aws-region.ts'
import { KeyturnError } from '../errors.ts'
import { checkedName } from './asked.ts'
import type { TrailTable } from './aws-athena-sql.ts'

export interface TrailPlace extends TrailTable {
  readonly bucket: string
  /** What the trail puts before `AWSLogs/`, without a slash at its end. Default: nothing. */
  readonly prefix?: string | undefined
  /** `o-…`, of a trail of an organization. */
  readonly organization?: string | undefined
  /** The first day that the trail has, `2024-01-01`. */
  readonly firstDay: string
}

/** Throws `invalid/query` for a name that is none, or that AWS does not allow. */
export function checkedTable<T extends TrailTable>(table: T): T {
  // docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html: lower case, digits and underscores.
  checkedName(table.database, /^[a-z0-9_]{1,255}$/, 'the database')
  checkedName(table.table, /^[a-z0-9_]{1,255}$/, 'the table')
  for (const account of table.accounts) checkedName(account, /^\d{12}$/, 'an account')
  for (const region of table.regions) if (!isAwsRegion(region)) throw new KeyturnError('invalid/query', 'a region is not one')
  if (table.accounts.length === 0 || table.regions.length === 0)
    throw new KeyturnError('invalid/query', 'at least one account and one region must be named')
  return table
}

const STRUCTS = {
  useridentity: {
    ...texts('type principalid arn accountid invokedby accesskeyid username'),
    sessioncontext: {
      attributes: texts('mfaauthenticated creationdate'),
      sessionissuer: texts('type principalid arn accountid username'),
      ...texts('ec2roledelivery')
    },
    inscopeof: texts('issuertype credentialsissuedto')
  },
  ...texts('eventtime eventsource eventname sourceipaddress errorcode errormessage requestparameters responseelements'),
  ...texts('additionaleventdata eventid recipientaccountid vpcendpointid'),
  addendum: texts('reason originaleventid')
}

function texts(names: string): Readonly<Record<string, 'string'>> {
  return Object.fromEntries(names.split(' ').map((name) => [name, 'string']))
}

type Type = 'string' | { readonly [name: string]: Type }

const typeOf = (type: Type): string =>
  type === 'string'
    ? type
    : `struct<${Object.entries(type)
        .map(([name, one]) => `${name}:${typeOf(one)}`)
        .join(',')}>`

/**
 * The statement that makes the table, for a person to run once; it costs nothing. It follows AWS's own
 * (docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html), with the columns that the
 * questions ask for and two that AWS's has not, `inscopeof` and `addendum`. The partitions are the account (injected: it is
 * named in each query), the region and the day, so that a query reads the days of its period alone, and none has to be
 * added (partition-projection-supported-types.html). Throws `invalid/query`.
 */
export function trailTable(place: TrailPlace): string {
  const { database, table, regions, bucket, prefix, organization, firstDay } = checkedTable(place)
  checkedName(bucket, /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the bucket')
  if (prefix !== undefined) checkedName(prefix, /^[\w./=-]{0,199}[\w.=-]$/, 'the prefix')
  if (organization !== undefined) checkedName(organization, /^o-[a-z0-9]{10,32}$/, 'the organization')
  checkedName(firstDay, /^\d{4}-\d\d-\d\d$/, 'the first day')
  const root = `s3://${[bucket, prefix, 'AWSLogs', organization].filter((part) => part !== undefined).join('/')}/`
  const properties = {
    'projection.enabled': 'true',
    'projection.account.type': 'injected',
    'projection.region.type': 'enum',
    'projection.region.values': regions.join(','),
    'projection.timestamp.type': 'date',
    'projection.timestamp.format': 'yyyy/MM/dd',
    'projection.timestamp.interval': '1',
    'projection.timestamp.interval.unit': 'DAYS',
    'projection.timestamp.range': `${firstDay.replaceAll('-', '/')},NOW`,
    'storage.location.template': `${root}\${account}/CloudTrail/\${region}/\${timestamp}`
  }
  return `CREATE EXTERNAL TABLE ${database}.${table} (
  ${Object.entries(STRUCTS)
    .map(([name, type]) => `${name} ${typeOf(type)}`)
    .join(',\n  ')}
)
PARTITIONED BY (account string, region string, \`timestamp\` string)
ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'
STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
LOCATION '${root}'
TBLPROPERTIES (
  ${Object.entries(properties)
    .map(([name, value]) => `'${name}' = '${value}'`)
    .join(',\n  ')}
)`
}
