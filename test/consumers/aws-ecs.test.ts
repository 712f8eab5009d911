import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ecsService } from '../../shared/consumers/aws-ecs.ts'
import { SecretText } from '../../shared/types.ts'
import { type EcsHarness, refused, startEcs } from '../doubles/consumer-ecs.ts'
import { consumerSuite, failure, NEWS, soon, TOKEN } from '../doubles/consumer-suite.ts'
import { findMoto, type Moto, startMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'

consumerSuite('a service of ECS', startEcs)

describe('a service of ECS', () => {
  let h: EcsHarness
  beforeAll(async () => {
    h = await startEcs()
  })
  afterAll(() => h?.stop())
  const restart = (name = 'orders/web') => h.restart({ kind: 'ecs', name }, NEWS, soon())

  it('gets a new deployment of what it runs, and no other change', async () => {
    await restart()
    const { json, headers } = h.double.seen.at(-1) ?? {}
    expect(json).toEqual({ cluster: 'orders', service: 'web', forceNewDeployment: true })
    expect(headers?.['x-amz-security-token']).toBe(TOKEN)
  })

  it('in a cluster that is not there is named with it', async () => {
    const error = await failure(restart('nowhere/web'))
    expect(error).toMatchObject({ code: 'not-found/principal', vendor: 'ClusterNotFoundException' })
    expect(error.message).toContain('nowhere/web')
  })

  it('that CodeDeploy deploys is not restarted, and the message says so', async () => {
    h.deployments.set('orders/blue-green', 0)
    h.elsewhere.add('orders/blue-green')
    const error = await failure(restart('orders/blue-green'))
    expect(error).toMatchObject({ code: 'unsupported/provider', vendor: 'InvalidParameterException' })
    expect(error.message).toContain('CodeDeploy')
  })

  it.each([
    ['ServiceNotActiveException', 'not-found/principal'],
    ['ClientException', 'denied/provider'],
    ['com.amazonaws.ecs#AccessDeniedException', 'denied/provider'],
    ['ExpiredTokenException', 'denied/provider'],
    ['UnrecognizedClientException', 'denied/provider'],
    ['RequestLimitExceeded', 'throttled/provider'],
    ['UnsupportedFeatureException', 'unsupported/provider'],
    ['AnErrorOfNextYear', 'unavailable/provider']
  ])('that ECS answers with %s fails with %s', async (type, code) => {
    h.double.setFault(() => refused(type, 'the vendor’s words'))
    const error = await failure(restart())
    h.double.setFault(undefined)
    expect(error).toMatchObject({ code, vendor: type.split('#').at(-1) })
    expect(error.message).not.toContain('words')
  })

  it('is not restarted by a page of a proxy’s', async () => {
    h.double.setFault(() => ({ status: 200, body: '<html>Sign in</html>' }))
    expect(await failure(restart())).toMatchObject({ code: 'unavailable/provider' })
    h.double.setFault(() => ({ status: 403, body: '<html>Blocked</html>' }))
    expect(await failure(restart())).toMatchObject({ code: 'denied/provider', vendor: '403' })
    h.double.setFault(undefined)
  })

  it('is asked for with a signature that ECS checks', async () => {
    h.sign('another-secret-access-key')
    expect(await failure(restart())).toMatchObject({ code: 'denied/provider', vendor: 'InvalidSignatureException' })
  })

  it('is not asked for where there are no credentials', async () => {
    const calls = h.double.calls.length
    const without = ecsService({
      region: 'eu-west-1',
      endpoint: h.double.url,
      credentials: async () => {
        throw new TypeError(`no profile ${TOKEN}`)
      }
    })
    const error = await failure(without({ kind: 'ecs', name: 'orders/web' }, NEWS, soon()))
    expect(error).toMatchObject({ code: 'denied/provider', vendor: 'TypeError' })
    expect(h.double.calls.length).toBe(calls)
  })

  it.each(['', 'eu-west-1.evil.example/', 'EU-WEST-1', 'eu-west-1@evil.example'])(
    'in %j, which is no region, is refused',
    (region) => {
      const credentials = async () => ({ accessKeyId: 'x', secretAccessKey: new SecretText('y') })
      expect(() => ecsService({ region, credentials })).toThrow(expect.objectContaining({ code: 'invalid/config' }))
    }
  )
})

const moto = findMoto()
if (moto === undefined) leaveOut('restarts of ECS services', 'moto_server is not installed')
else
  describe('a service of ECS, as moto plays it', () => {
    let server: Moto
    beforeAll(async () => {
      server = await startMoto(moto)
      await ask('CreateCluster', { clusterName: 'orders' })
      const containerDefinitions = [{ name: 'web', image: 'img', memory: 128 }]
      await ask('RegisterTaskDefinition', { family: 'web', containerDefinitions })
      await ask('CreateService', { cluster: 'orders', serviceName: 'web', taskDefinition: 'web', desiredCount: 1 })
    })
    afterAll(() => server?.close())

    async function ask(operation: string, body: object): Promise<void> {
      const answer = await fetch(server.url, {
        method: 'POST',
        headers: {
          authorization:
            'AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=none',
          'x-amz-target': `AmazonEC2ContainerServiceV20141113.${operation}`,
          'content-type': 'application/x-amz-json-1.1'
        },
        body: JSON.stringify(body)
      })
      if (!answer.ok) throw new Error(`moto answered ${answer.status} to ${operation}`)
    }
    const restart = (name: string) =>
      ecsService({
        region: 'us-east-1',
        endpoint: server.url,
        credentials: async () => ({ accessKeyId: 'test', secretAccessKey: new SecretText('test') })
      })({ kind: 'ecs', name }, NEWS, soon())

    it('is restarted, and again', async () => {
      await restart('orders/web')
      await restart('orders/web')
    })

    it.each([
      ['orders/gone', 'ServiceNotFoundException'],
      ['nowhere/web', 'ClusterNotFoundException']
    ])('as %s is answered with %s', async (name, vendor) => {
      expect(await failure(restart(name))).toMatchObject({ code: 'not-found/principal', vendor })
    })
  })
