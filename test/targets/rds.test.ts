import {
  CreateDBClusterCommand,
  CreateDBInstanceCommand,
  CreateDBInstanceReadReplicaCommand,
  RDSClient
} from '@aws-sdk/client-rds'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RdsLookup, rds } from '../../shared/targets/rds.ts'
import { findMoto, type Moto, startMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'

const soon = (): AbortSignal => AbortSignal.timeout(20_000)
const unreachable = rds(async () => {
  throw new Error('nothing is asked here')
})

describe('hosts that are not RDS’s', () => {
  it.each([
    ['db.example', 'writer.example'],
    ['localhost', 'mydb.abc.eu-west-1.rds.amazonaws.com'],
    ['mydb.abc.eu-west-1.rds.amazonaws.com.evil.example', 'mydb.abc.eu-west-1.rds.amazonaws.com']
  ])('%s is no replica of %s, and RDS is not asked', async (host, writer) => {
    expect(await unreachable.isReplica(host, writer, soon())).toBe(false)
  })
})

const moto = findMoto()
if (moto === undefined) leaveOut('RDS look-ups', 'moto_server is not installed')
else
  describe('RDS, as moto plays it', () => {
    let server: Moto
    let client: RDSClient
    let lookup: RdsLookup
    let arns: { readonly instance: string; readonly cluster: string }
    let hosts: {
      readonly writer: string
      readonly replica: string
      readonly other: string
      readonly cluster: string
      readonly reader: string
    }

    beforeAll(async () => {
      server = await startMoto(moto)
      client = new RDSClient({
        region: 'us-east-1',
        endpoint: server.url,
        credentials: { accessKeyId: 'test', secretAccessKey: 'test' }
      })
      lookup = rds(async () => client)
      const instance = await makeInstance('writer')
      const other = await makeInstance('other')
      const replica = await client.send(
        new CreateDBInstanceReadReplicaCommand({ DBInstanceIdentifier: 'replica', SourceDBInstanceIdentifier: 'writer' })
      )
      const cluster = await client.send(
        new CreateDBClusterCommand({
          DBClusterIdentifier: 'aurora',
          Engine: 'aurora-postgresql',
          MasterUsername: 'postgres',
          MasterUserPassword: 'only-for-moto-1'
        })
      )
      arns = { instance: instance.arn, cluster: cluster.DBCluster?.DBClusterArn ?? '' }
      hosts = {
        writer: instance.host,
        other: other.host,
        replica: replica.DBInstance?.Endpoint?.Address ?? '',
        cluster: cluster.DBCluster?.Endpoint ?? '',
        reader: cluster.DBCluster?.ReaderEndpoint ?? ''
      }
    })
    afterAll(async () => {
      client?.destroy()
      await server?.close()
    })

    async function makeInstance(id: string): Promise<{ readonly arn: string; readonly host: string }> {
      const made = await client.send(
        new CreateDBInstanceCommand({
          DBInstanceIdentifier: id,
          DBInstanceClass: 'db.t4g.micro',
          Engine: 'postgres',
          AllocatedStorage: 20,
          MasterUsername: 'postgres',
          MasterUserPassword: 'only-for-moto-1'
        })
      )
      return { arn: made.DBInstance?.DBInstanceArn ?? '', host: made.DBInstance?.Endpoint?.Address ?? '' }
    }

    it('finds the writer of an instance and of a cluster by the ARN in RDS’s tag', async () => {
      expect(await lookup.writerOf(arns.instance, soon())).toMatchObject({ host: hosts.writer })
      expect(await lookup.writerOf(arns.cluster, soon())).toMatchObject({ host: hosts.cluster, port: 5432 })
    })

    it('an instance that RDS does not know is named, not guessed', async () => {
      const gone = arns.instance.replace(/writer$/, 'gone')
      await expect(lookup.writerOf(gone, soon())).rejects.toMatchObject({ code: 'not-found/instance' })
    })

    it('a read replica is one of its own source only', async () => {
      expect(await lookup.isReplica(hosts.replica, hosts.writer, soon())).toBe(true)
      expect(await lookup.isReplica(hosts.replica, hosts.other, soon())).toBe(false)
      expect(await lookup.isReplica(hosts.other, hosts.writer, soon())).toBe(false)
    })

    it('a cluster’s reader endpoint belongs to its writer endpoint', async () => {
      expect(await lookup.isReplica(hosts.reader, hosts.cluster, soon())).toBe(true)
      expect(await lookup.isReplica(hosts.other, hosts.cluster, soon())).toBe(false)
    })
  })
