import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AwsHarness, startAws } from '../stores/aws-harness.ts'
import { ADMIN, type LocalWorld, place, startLocalWorld } from './local-world.ts'

let world: LocalWorld
let aws: AwsHarness
beforeAll(async () => {
  world = await startLocalWorld()
  aws = await startAws()
  process.env.AWS_REGION = 'us-east-1'
})
afterAll(async () => {
  await aws.close()
  await world.stop()
})

const keyturn = (...args: string[]) =>
  world.keyturn([...args, '--store', 'aws', '--json'], { env: { SECRETS_MANAGER_ENDPOINT: aws.double.url } })

test('a secret of AWS Secrets Manager is adopted, rotated and retired from the command line', async () => {
  await world.server.query(`CREATE ROLE web LOGIN PASSWORD 'alone'; GRANT web TO keyturn_admin WITH ADMIN OPTION`)
  const admin = { ...place(world.server), username: 'keyturn_admin', password: ADMIN }
  const masterarn = await aws.create('admin', JSON.stringify(admin), {})
  const id = await aws.create(
    'web',
    JSON.stringify({ ...place(world.server), username: 'web', password: 'alone', masterarn }),
    {}
  )
  const adopted = await keyturn('adopt', 'web', '--yes', '--owner', 'platform')
  expect([adopted.exit, adopted.json]).toMatchObject([0, { adopted: true, pair: ['web', 'web_b'] }])
  expect(JSON.parse(await aws.ordinaryRead(id))).toMatchObject({ username: 'web', password: 'alone', pair: ['web', 'web_b'] })
  expect((await keyturn('rotate', 'web')).json).toMatchObject({ ok: true, results: [{ current: 'web_b', previous: 'web' }] })
  expect((await keyturn('retire', 'web', '--force')).json.results[0].done).toMatchObject([{ proof: { refusal: '28P01' } }])
  const { json } = await keyturn('status')
  expect(json.secrets).toMatchObject([{ secret: 'web', phase: 'settled', current: 'web_b', retired: { refusal: '28P01' } }])
})

test('create is for the file store', async () => {
  expect(await keyturn('create', 'other', '--from', '-')).toMatchObject({ exit: 1, json: { code: 'unsupported/store' } })
})
