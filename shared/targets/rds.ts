import type { RDSClient } from '@aws-sdk/client-rds'
import { KeyturnError } from '../errors.ts'

/** Where an instance or cluster takes writes. */
export interface Writer {
  readonly host: string
  readonly port: number
}

/** What keyturn asks the RDS control plane. Needs rds:DescribeDBInstances and rds:DescribeDBClusters, nothing else. */
export interface RdsLookup {
  /**
   * The writer of an instance or cluster by its ARN: a master secret that RDS manages names no host, only the tag
   * `aws:rds:primaryDBInstanceArn` or `aws:rds:primaryDBClusterArn` (RDS user guide, "Password management with RDS").
   */
  writerOf(arn: string, signal: AbortSignal): Promise<Writer>

  /** Whether `host` is a read replica of the instance at `writer`, or a reader of the same cluster. */
  isReplica(host: string, writer: string, signal: AbortSignal): Promise<boolean>
}

/** The tags by which RDS marks a master secret of its own. */
export const RDS_TAGS = ['aws:rds:primaryDBInstanceArn', 'aws:rds:primaryDBClusterArn'] as const

/** The client is made at the first question: most rotations ask none, and the SDK's RDS half costs start-up time. */
export function rds(client: () => Promise<RDSClient>): RdsLookup {
  return {
    writerOf: async (arn, signal) => {
      const found = isCluster(arn) ? (await clusters(client, arn, signal))[0] : (await instances(client, arn, signal))[0]
      if (!found?.host) throw new KeyturnError('not-found/instance', `RDS knows no endpoint of ${arn}`)
      return { host: found.host, port: found.port }
    },
    isReplica: async (host, writer, signal) => {
      const [own, other] = [identifierOf(host), identifierOf(writer)]
      if (own === undefined || other === undefined) return false
      // A cluster's reader endpoint and an instance of the cluster carry the cluster's identifier, or are its members.
      if (isClusterHost(writer)) return inCluster((await clusters(client, other, signal))[0], own, host)
      const [instance] = await instances(client, own, signal)
      return instance?.source === other
    }
  }
}

interface Found {
  readonly host: string | undefined
  readonly port: number
  readonly source: string | undefined
  readonly reader: string | undefined
  readonly members: readonly string[]
}

const inCluster = (cluster: Found | undefined, identifier: string, host: string): boolean =>
  cluster !== undefined && (cluster.reader === host || cluster.members.includes(identifier))

async function instances(client: () => Promise<RDSClient>, id: string, signal: AbortSignal): Promise<readonly Found[]> {
  const { DescribeDBInstancesCommand } = await import('@aws-sdk/client-rds')
  const answer = await asking('rds:DescribeDBInstances', id, async () =>
    (await client()).send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }), { abortSignal: signal })
  )
  return (answer?.DBInstances ?? []).map((i) => ({
    host: i.Endpoint?.Address,
    port: i.Endpoint?.Port ?? 5432,
    source: i.ReadReplicaSourceDBInstanceIdentifier?.split(':').at(-1),
    reader: undefined,
    members: []
  }))
}

async function clusters(client: () => Promise<RDSClient>, id: string, signal: AbortSignal): Promise<readonly Found[]> {
  const { DescribeDBClustersCommand } = await import('@aws-sdk/client-rds')
  const answer = await asking('rds:DescribeDBClusters', id, async () =>
    (await client()).send(new DescribeDBClustersCommand({ DBClusterIdentifier: id }), { abortSignal: signal })
  )
  return (answer?.DBClusters ?? []).map((c) => ({
    host: c.Endpoint,
    port: c.Port ?? 5432,
    source: undefined,
    reader: c.ReaderEndpoint,
    members: (c.DBClusterMembers ?? []).flatMap((m) => m.DBInstanceIdentifier ?? [])
  }))
}

/** Undefined: RDS says that there is no such thing (API reference, errors of both calls). */
async function asking<T>(permission: string, id: string, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call()
  } catch (e) {
    const name = e instanceof Error ? e.name : ''
    if (/^DB(Instance|Cluster)NotFound(Fault)?$/.test(name)) return undefined
    if (/AccessDenied/.test(name)) throw new KeyturnError('denied/store', `${permission} is missing for ${id}`, name)
    if (/Throttling|RequestLimitExceeded/.test(name)) throw new KeyturnError('throttled/store', 'RDS asked to slow down', name)
    throw new KeyturnError('unavailable/store', `RDS did not answer ${permission}`, name)
  }
}

const isCluster = (arn: string): boolean => arn.split(':')[5] === 'cluster'

/** `mydb.abc123.eu-west-1.rds.amazonaws.com` → `mydb`. Undefined for a host that is not RDS's. */
const identifierOf = (host: string): string | undefined =>
  /\.rds\.amazonaws\.com(\.cn)?$/i.test(host) ? host.split('.')[0] : undefined

/** A cluster's endpoints have `cluster-…` (or `cluster-ro-…`) as the second label (Aurora user guide, "Endpoints"). */
const isClusterHost = (host: string): boolean => host.split('.')[1]?.startsWith('cluster-') ?? false
