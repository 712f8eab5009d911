import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { afterEach, describe, expect, it } from 'vitest'
import { findMoto, startMoto } from '../doubles/moto.ts'
import { type RotationEvent, type SecretsManagerOptions, startSecretsManager } from '../doubles/secrets-manager.ts'
import { leaveOut } from '../left-out.ts'
import { contract } from './secrets-manager-contract.ts'
import { MOTO } from './secrets-manager-contract-moto.ts'
import { ending, token } from './secrets-manager-contract-subject.ts'

const clientOf = (endpoint: string): SecretsManager =>
  new SecretsManager({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1
  })

contract(
  'the double of AWS Secrets Manager',
  async () => {
    const double = await startSecretsManager({ invoke: async () => {} })
    return {
      client: clientOf(double.url),
      functionArn: 'arn:aws:lambda:us-east-1:123456789012:function:rotate',
      idle: double.idle,
      close: double.close
    }
  },
  {}
)

const moto = findMoto()
if (moto) {
  contract(
    'moto',
    async () => {
      const server = await startMoto(moto)
      return { client: clientOf(server.url), functionArn: server.functionArn, idle: async () => {}, close: server.close }
    },
    MOTO
  )
} else leaveOut('Secrets Manager contract on moto', 'no moto_server (pip install "moto[server]")')

describe('what only the double of AWS Secrets Manager can show', () => {
  const open: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of open.splice(0)) await close()
  })

  async function withSecret(options: SecretsManagerOptions = {}) {
    const double = await startSecretsManager(options)
    open.push(double.close)
    const client = clientOf(double.url)
    await client.createSecret({ Name: 'app', SecretString: 'one', ClientRequestToken: token('a') })
    const put = (at: string, value: string, VersionStages?: string[]) =>
      client.putSecretValue({
        SecretId: 'app',
        SecretString: value,
        ClientRequestToken: token(at),
        ...(VersionStages && { VersionStages })
      })
    const rotate = (at: string, more: object = {}) =>
      client.rotateSecret({ SecretId: 'app', RotationLambdaARN: 'arn:f', ClientRequestToken: token(at), ...more })
    return { double, client, put, rotate }
  }

  it('loses the request, the answer, or neither, as the fault hook says', async () => {
    const { double, put } = await withSecret()
    const ids = () => double.versions('app').map((v) => v.id.charAt(0))
    double.setFault(() => 'before')
    expect(await ending(put('b', 'two'))).not.toBe('done')
    expect(ids()).toEqual(['a'])
    double.setFault(() => 'lost')
    expect(await ending(put('b', 'two'))).not.toBe('done')
    expect(ids()).toEqual(['a', 'b'])
    double.setFault(() => 'after')
    expect(await ending(put('c', 'three'))).toBe('done')
    expect(double.calls.map((c) => `${c.op} ${c.secretId} ${c.token?.charAt(0)}`)).toEqual([
      'CreateSecret app a',
      'PutSecretValue app b',
      'PutSecretValue app b',
      'PutSecretValue app c'
    ])
  })

  it('answers with the error that the fault hook names, and 500 for a fault of the server', async () => {
    const { double, client } = await withSecret()
    const seen: unknown[] = []
    for (const error of ['ThrottlingException', 'AccessDeniedException', 'DecryptionFailure', 'InternalServiceError']) {
      double.setFault(({ index }) => ({ error, message: `call ${index}` }))
      await client.getSecretValue({ SecretId: 'app' }).catch((e) => seen.push([e.name, e.$metadata.httpStatusCode, e.message]))
    }
    expect(seen).toEqual([
      ['ThrottlingException', 400, 'call 1'],
      ['AccessDeniedException', 400, 'call 2'],
      ['DecryptionFailure', 400, 'call 3'],
      ['InternalServiceError', 500, 'call 4']
    ])
  })

  it('lives by the clock that it is given', async () => {
    let now = Date.UTC(2030, 0, 1, 12, 0, 0, 250)
    const { double, client, put } = await withSecret({ now: () => now })
    now += 3_600_000
    await put('b', 'two', ['AWSPENDING'])
    const { CreatedDate, LastChangedDate } = await client.describeSecret({ SecretId: 'app' })
    expect([CreatedDate, LastChangedDate]).toEqual([new Date('2030-01-01T12:00:00.250Z'), new Date('2030-01-01T13:00:00.250Z')])
    const raw = await fetch(double.url, { method: 'POST', headers: { 'x-amz-target': 'secretsmanager.ListSecrets' }, body: '{}' })
    expect(raw.headers.get('date')).toBe('Tue, 01 Jan 2030 13:00:00 GMT')
    await client.deleteSecret({ SecretId: 'app', RecoveryWindowInDays: 7 })
    now += 7 * 86_400_000
    expect(await ending(client.describeSecret({ SecretId: 'app' }))).toBe('ResourceNotFoundException')
  })

  it('keeps a hundred versions, removes old ones without a label, and refuses more within 24 hours', async () => {
    let now = Date.UTC(2030, 0, 1)
    const { double, client } = await withSecret({ now: () => now })
    const put = () => client.putSecretValue({ SecretId: 'app', SecretString: 'more' })
    for (let i = 0; i < 99; i++) await put()
    expect(await ending(put())).toBe('LimitExceededException')
    now += 86_400_000
    expect(await ending(put())).toBe('done')
    expect(double.versions('app')).toHaveLength(100)
    expect(double.versions('app').map((v) => v.id)).not.toContain(token('a'))
    double.purgeDeprecated('app')
    expect(double.versions('app').map((v) => v.stages)).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']])
  })

  it('drives the four steps, and records the rotation when AWSCURRENT moved', async () => {
    const events: RotationEvent[] = []
    const { double, client, rotate, put } = await withSecret({
      invoke: async (event) => {
        events.push(event)
        if (event.Step === 'createSecret') await put('b', 'two', ['AWSPENDING'])
        if (event.Step !== 'finishSecret') return
        const move = { VersionStage: 'AWSCURRENT', MoveToVersionId: token('b'), RemoveFromVersionId: token('a') }
        await client.updateSecretVersionStage({ SecretId: event.SecretId, ...move })
      }
    })
    const { ARN } = await rotate('b', { RotationRules: { AutomaticallyAfterDays: 30 } })
    expect(await double.idle()).toEqual([
      { secret: 'app', token: token('b'), kind: 'rotation', steps: ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] }
    ])
    expect(new Set(events.map((e) => `${e.SecretId} ${e.ClientRequestToken}`))).toEqual(new Set([`${ARN} ${token('b')}`]))
    const seen = await client.describeSecret({ SecretId: 'app' })
    // Times are seconds with decimals on the wire: a millisecond may be rounded away.
    const between = (seen.NextRotationDate?.getTime() ?? 0) - (seen.LastRotatedDate?.getTime() ?? 0)
    expect(Math.round(between / 1_000)).toBe(30 * 86_400)
  })

  it('ends a rotation at the step that fails, keeps AWSPENDING, and can try it again with the same token', async () => {
    const steps: string[] = []
    const { double, rotate } = await withSecret({
      invoke: async ({ Step, ClientRequestToken }) => {
        steps.push(`${Step} ${ClientRequestToken.charAt(0)}`)
        if (Step === 'setSecret') throw new Error('the function failed')
      }
    })
    await rotate('b')
    await double.idle()
    double.retryRotation('app')
    const ended = await double.idle()
    expect(ended.map((r) => String(r.error))).toEqual(['Error: the function failed', 'Error: the function failed'])
    expect(steps).toEqual(['createSecret b', 'setSecret b', 'createSecret b', 'setSecret b'])
    expect(double.versions('app').map((v) => v.stages)).toEqual([['AWSCURRENT'], ['AWSPENDING']])
  })

  it('abandons a rotation when somebody writes a new current version meanwhile', async () => {
    const { double, rotate, put } = await withSecret({ invoke: async () => void (await put('c', 'three')) })
    await rotate('b')
    expect(String((await double.idle())[0]?.error)).toContain('RotationAbandoned')
    expect(double.versions('app').map((v) => v.id.charAt(0))).toEqual(['a', 'c'])
  })

  it('invokes testSecret alone, on the present value, when the rotation is to start later', async () => {
    const seen: unknown[] = []
    const { double, client, rotate } = await withSecret({
      invoke: async ({ Step, ClientRequestToken }) => {
        const pending = { SecretId: 'app', VersionId: ClientRequestToken, VersionStage: 'AWSPENDING' }
        seen.push([Step, (await client.getSecretValue(pending)).SecretString])
      }
    })
    await rotate('b', { RotateImmediately: false })
    await double.idle()
    expect(seen).toEqual([['testSecret', 'one']])
    expect(double.versions('app')).toHaveLength(1)
  })

  it('shows an owning service, a type and replicas that a test sets, and refuses to write what a service owns', async () => {
    const { double, client, put } = await withSecret()
    double.set('app', { owningService: 'rds', type: 'Partner', replication: [{ Region: 'eu-west-1', Status: 'Failed' }] })
    const { OwningService, Type, ReplicationStatus } = await client.describeSecret({ SecretId: 'app' })
    expect({ OwningService, Type, status: ReplicationStatus?.[0]?.Status }).toEqual({
      OwningService: 'rds',
      Type: 'Partner',
      status: 'Failed'
    })
    expect(await ending(put('b', 'two'))).toBe('InvalidRequestException')
  })
})
