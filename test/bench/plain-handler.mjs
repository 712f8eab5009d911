import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand
} from '@aws-sdk/client-secrets-manager'
import pg from 'pg'

/**
 * What keyturn is compared with: AWS's template for PostgreSQL, multi-user, as one would write it for Node, unbundled.
 * Fair to it: no GetRandomPassword, no deliberate failed login, no second DescribeSecret where one will do; TLS is verified.
 * Ten calls of Secrets Manager and two logins for a rotation. It does none of what keyturn does beside the four steps.
 */
const client = new SecretsManagerClient({ endpoint: process.env.SECRETS_MANAGER_ENDPOINT })
const ca = process.env.KEYTURN_CA_FILE && readFileSync(process.env.KEYTURN_CA_FILE, 'utf8')

export const handler = async ({ Step, SecretId, ClientRequestToken }) => {
  const step = { createSecret, setSecret, testSecret, finishSecret }[Step]
  if (!step) throw new Error(`unknown step ${Step}`)
  await step(SecretId, ClientRequestToken)
  return 'done'
}

async function createSecret(arn, token) {
  const { RotationEnabled, VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: arn }))
  if (!RotationEnabled) throw new Error('rotation is not enabled')
  if (!VersionIdsToStages[token]) throw new Error('the token is no version')
  if (VersionIdsToStages[token].includes('AWSCURRENT')) return
  const current = await read(arn, { VersionStage: 'AWSCURRENT' })
  try {
    await read(arn, { VersionId: token, VersionStage: 'AWSPENDING' })
  } catch (e) {
    if (e.name !== 'ResourceNotFoundException') throw e
    const next = { ...current, username: other(current.username), password: randomBytes(24).toString('base64url') }
    const staged = { SecretId: arn, ClientRequestToken: token, SecretString: JSON.stringify(next), VersionStages: ['AWSPENDING'] }
    await client.send(new PutSecretValueCommand(staged))
  }
}

async function setSecret(arn, token) {
  const current = await read(arn, { VersionStage: 'AWSCURRENT' })
  const pending = await read(arn, { VersionId: token, VersionStage: 'AWSPENDING' })
  if (current.host !== pending.host) throw new Error('the hosts differ')
  const admin = await read(current.masterarn, { VersionStage: 'AWSCURRENT' })
  await withDatabase({ ...current, username: admin.username, password: admin.password }, async (db) => {
    const [role, password] = [db.escapeIdentifier(pending.username), db.escapeLiteral(pending.password)]
    const { rowCount } = await db.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [pending.username])
    if (rowCount === 0) {
      await db.query(`CREATE ROLE ${role} WITH LOGIN PASSWORD ${password}`)
      await db.query(`GRANT ${db.escapeIdentifier(current.username)} TO ${role}`)
    } else await db.query(`ALTER USER ${role} WITH PASSWORD ${password}`)
  })
}

async function testSecret(arn, token) {
  const pending = await read(arn, { VersionId: token, VersionStage: 'AWSPENDING' })
  await withDatabase(pending, (db) => db.query('SELECT NOW()'))
}

async function finishSecret(arn, token) {
  const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: arn }))
  const [from] = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes('AWSCURRENT'))
  if (from === token) return
  const move = { SecretId: arn, VersionStage: 'AWSCURRENT', MoveToVersionId: token, RemoveFromVersionId: from }
  await client.send(new UpdateSecretVersionStageCommand(move))
}

const read = async (arn, which) =>
  JSON.parse((await client.send(new GetSecretValueCommand({ SecretId: arn, ...which }))).SecretString)

const other = (user) => (user.endsWith('_clone') ? user.slice(0, -'_clone'.length) : `${user}_clone`)

async function withDatabase({ host, port, dbname, username, password }, work) {
  const db = new pg.Client({ host, port, database: dbname, user: username, password, ssl: { ca }, connectionTimeoutMillis: 5000 })
  await db.connect()
  try {
    await work(db)
  } finally {
    await db.end()
  }
}
