import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'

/**
 * Logs as their writers write them, of any length, the same for the same seed: Vault's audit device (two lines a call, of
 * 1.6 kB), and CloudTrail's objects (one line of 3,000 records, of which one in six is of Secrets Manager or KMS).
 */

const IDENTITIES = 2_000
const PATHS = 8_000
const START = Date.UTC(2026, 5, 1)
/** A call each nine seconds of the log's own time. */
const STEP_MS = 9_000

/** Park and Miller's generator: what is drawn is the same on every machine. */
export function drawing(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return Math.floor((state / 2_147_483_647) * below)
  }
}

const hmac = (text: string): string => `hmac-sha256:${createHash('sha256').update(text).digest('hex')}`
const HMACS = Array.from({ length: 4_096 }, (_, at) => hmac(`${at}`))
const hmacOf = (at: number): string => HMACS[at % HMACS.length] ?? ''

function uuid(draw: (below: number) => number): string {
  const hex = (length: number): string =>
    draw(16 ** Math.min(length, 7))
      .toString(16)
      .padStart(length, '0')
  return `${hex(7)}a-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(7)}${hex(5)}`
}

/** Both lines of one call of Vault. */
function call(at: number, n: number, draw: (below: number) => number): string {
  const who = draw(IDENTITIES)
  // Most paths belong to few identities, as in a cluster.
  const path = (who * 4 + draw(4)) % PATHS
  const entity = `6b7c2f10-51a0-4c1e-9d2a-${String(who).padStart(12, '0')}`
  const time = `${new Date(at).toISOString().slice(0, -1)}${String(n % 1_000_000).padStart(6, '0')}Z`
  const policies = [`app-${who}`, 'default']
  const auth = {
    ...{ client_token: hmacOf(who), accessor: hmacOf(who * 7), display_name: `kubernetes-team-${who % 40}-app-${who}` },
    ...{ policies, token_policies: policies },
    policy_results: { allowed: true, granting_policies: [{ name: `app-${who}`, namespace_id: 'root', type: 'acl' }] },
    metadata: { role: `app-${who}`, service_account_name: 'app', service_account_namespace: `team-${who % 40}` },
    ...{ entity_id: entity, token_type: 'service', token_ttl: 3_600, token_issue_time: '2026-06-01T00:00:00Z' }
  }
  const request = {
    ...{ id: uuid(draw), client_id: entity, operation: 'read', mount_point: 'secret/', mount_type: 'kv' },
    ...{ mount_accessor: 'kv_6f1d2c3b', mount_running_version: 'v2.6.2+builtin.bao', mount_class: 'secret' },
    ...{ client_token: hmacOf(who), client_token_accessor: hmacOf(who * 7), namespace: { id: 'root' } },
    path: `secret/data/team-${who % 40}/app-${who}/key-${path}`,
    ...{ remote_address: `10.${who % 20}.${who % 250}.${(who % 200) + 1}`, remote_port: 40_000 + draw(20_000) }
  }
  const data = {
    data: { username: hmacOf(path), password: hmacOf(path * 3) },
    metadata: { created_time: hmacOf(1), custom_metadata: null, deletion_time: hmacOf(2), destroyed: false, version: 3 }
  }
  const response = { mount_point: 'secret/', mount_type: 'kv', mount_accessor: 'kv_6f1d2c3b', mount_class: 'secret', data }
  return `${JSON.stringify({ time, type: 'request', auth, request })}\n${JSON.stringify({ time, type: 'response', auth, request, response })}\n`
}

export async function* vaultLog(bytes: number, seed = 1): AsyncGenerator<Buffer> {
  const draw = drawing(seed)
  let [written, n] = [0, 0]
  while (written < bytes) {
    const lines: string[] = []
    for (let some = 0; some < 200; some++) lines.push(call(START + n * STEP_MS, n++, draw))
    const chunk = Buffer.from(lines.join(''))
    written += chunk.length
    yield chunk
  }
}

const OTHERS = ['ec2.amazonaws.com', 's3.amazonaws.com', 'logs.amazonaws.com', 'dynamodb.amazonaws.com', 'lambda.amazonaws.com']

function record(at: number, draw: (below: number) => number): object {
  const kind = draw(100)
  const role = draw(200)
  const arn = `arn:aws:iam::123456789012:role/team-${role % 20}/app-${role}`
  const session = `arn:aws:sts::123456789012:assumed-role/app-${role}/i-0${String(role).padStart(16, 'a')}`
  const issuer = { type: 'Role', principalId: `AROA${role}EXAMPLE`, arn, accountId: '123456789012', userName: `app-${role}` }
  const base = {
    eventVersion: '1.11',
    userIdentity: {
      ...{ type: 'AssumedRole', principalId: `AROA${role}EXAMPLE:i-0`, arn: session, accountId: '123456789012' },
      ...{ accessKeyId: 'ASIAEXAMPLE', sessionContext: { sessionIssuer: issuer, attributes: { mfaAuthenticated: 'false' } } }
    },
    eventTime: `${new Date(at).toISOString().slice(0, 19)}Z`
  }
  const end = {
    ...{
      awsRegion: 'us-east-1',
      sourceIPAddress: `10.0.${role % 250}.${(role % 200) + 1}`,
      userAgent: 'aws-sdk-java/2.29 Linux'
    },
    ...{ requestID: uuid(draw), eventID: uuid(draw), readOnly: true, eventType: 'AwsApiCall', managementEvent: true },
    ...{ recipientAccountId: '123456789012', eventCategory: 'Management' },
    tlsDetails: {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_128_GCM_SHA256',
      clientProvidedHostHeader: 'example.amazonaws.com'
    }
  }
  const secret = `arn:aws:secretsmanager:us-east-1:123456789012:secret:team-${role % 20}/app-${role}-AbCdEf`
  if (kind < 10)
    return {
      ...{ ...base, eventSource: 'secretsmanager.amazonaws.com', eventName: 'GetSecretValue', ...end },
      ...{ requestParameters: { secretId: secret }, responseElements: null }
    }
  if (kind < 16)
    return {
      ...{ ...base, eventSource: 'kms.amazonaws.com', eventName: 'Decrypt', ...end, responseElements: null },
      requestParameters: { encryptionContext: { SecretARN: secret }, encryptionAlgorithm: 'SYMMETRIC_DEFAULT' }
    }
  return {
    ...{ ...base, eventSource: OTHERS[kind % OTHERS.length], eventName: 'DescribeInstances', ...end },
    ...{
      requestParameters: { filterSet: { items: [{ name: 'vpc-id', valueSet: { items: [{ value: 'vpc-1' }] } }] } },
      responseElements: null
    }
  }
}

/** One object of CloudTrail, plain. */
export function cloudTrailObject(n: number, records = 3_000): Buffer {
  const draw = drawing(n + 1)
  const all = Array.from({ length: records }, (_, at) => JSON.stringify(record(START + (n * records + at) * 100, draw)))
  return Buffer.from(`{"Records":[${all.join(',')}]}`)
}

/** The same, packed as CloudTrail and Vault's log rotation pack. */
export const packed = (bytes: Buffer): Buffer => gzipSync(bytes)
