import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CloudRunHarness, runService, startCloudRun, TEMPLATE } from '../doubles/consumer-cloud-run.ts'
import { consumerSuite, failure, NEWS, soon } from '../doubles/consumer-suite.ts'

consumerSuite('a service of Cloud Run', startCloudRun)

describe('a service of Cloud Run', () => {
  let h: CloudRunHarness
  beforeEach(async () => {
    h = await startCloudRun()
  })
  afterEach(() => h?.stop())
  const restart = (name = 'europe-west1/orders') => h.restart({ kind: 'run', name }, NEWS, soon())
  const orders = () => {
    const service = h.services.get('shop/europe-west1/orders')
    if (!service) throw new Error('no such service')
    return service
  }

  it('gets a new revision of the same template, with an annotation more', async () => {
    await restart()
    const { revision: _, annotations, ...rest } = TEMPLATE
    const time = expect.stringMatching(/^2026-03-01T02:00:00\.\d{3}Z$/)
    expect(orders().template).toEqual({ ...rest, annotations: { ...annotations, 'keyturn/restarted-at': time } })
    expect(orders().others).toEqual(runService().others)
    expect(h.double.seen.map(({ url }) => url.search)).toEqual(['', '?updateMask=template'])
    expect(Object.keys(h.double.seen.at(-1)?.json ?? {})).toEqual(['etag', 'template'])
  })

  it('may have no annotations, and no name of a revision', async () => {
    orders().template = { containers: [{ image: 'img' }] }
    await restart()
    expect(h.restarts()).toBe(1)
  })

  it('may be another project’s, also one of a domain', async () => {
    for (const project of ['other-shop', 'example.com:old-shop', '123456789012']) {
      h.services.set(`${project}/us-central1/orders`, runService())
      await restart(`${project}/us-central1/orders`)
      expect(h.services.get(`${project}/us-central1/orders`)?.revisions.size).toBe(2)
    }
    expect(h.restarts()).toBe(0)
  })

  it('that somebody deploys meanwhile keeps what was deployed', async () => {
    let deployments = 0
    h.between(() => {
      if (deployments++ > 0) return
      orders().template = { ...orders().template, containers: [{ image: 'deployed meanwhile' }] }
      orders().etag += 1
    })
    await restart()
    expect(orders().template.containers).toEqual([{ image: 'deployed meanwhile' }])
    expect(orders().template.annotations).toHaveProperty('keyturn/restarted-at')
  })

  it('that is deployed without an end is asked for later', async () => {
    h.between(() => {
      orders().etag += 1
    })
    expect(await failure(restart())).toMatchObject({ code: 'unavailable/provider', vendor: 'ABORTED', retryable: true })
    expect(h.double.calls.map(({ op }) => op).join(' ')).toBe('get patch get patch get patch')
    expect(h.restarts()).toBe(0)
  })

  it('whose new revision was made, and the answer lost, is not given a second one', async () => {
    h.double.setFault(({ op }, index) => (op === 'patch' && index === 1 ? 'lost' : undefined))
    await restart()
    expect(h.restarts()).toBe(1)
    expect(h.double.calls.map(({ op }) => op)).toEqual(['get', 'patch', 'patch', 'get'])
  })

  it.each([
    ['is held by a revision', [{ type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: 'orders-00001-abc', percent: 100 }]],
    [
      'is split',
      [
        { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent: 90 },
        { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: 'orders-00001-abc', percent: 10 }
      ]
    ]
  ])('whose traffic %s is left alone, for a new revision would not serve it', async (_, traffic) => {
    orders().traffic = traffic
    expect(await failure(restart())).toMatchObject({ code: 'unsupported/provider' })
    expect(h.restarts()).toBe(0)
  })

  it('may have revisions with a tag, and no traffic', async () => {
    orders().traffic = [
      { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST', percent: 100 },
      { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision: 'orders-00001-abc', tag: 'old' }
    ]
    await restart()
    expect(h.restarts()).toBe(1)
  })

  it.each([
    [400, 'FAILED_PRECONDITION', 'unavailable/provider'],
    [401, 'UNAUTHENTICATED', 'denied/provider'],
    [403, 'AnErrorOfNextYear', 'denied/provider']
  ])('that is answered with %i and %s fails with its own code', async (code, status, expected) => {
    h.double.setFault(() => ({ status: code, body: { error: { code, status, message: 'the vendor’s words' } } }))
    const error = await failure(restart())
    expect(error).toMatchObject({ code: expected, vendor: status })
    expect(error.message).not.toContain('words')
  })

  it.each([
    ['no template', { status: 200, body: { etag: '"1"' } }, 'invalid/answer'],
    ['a page of a proxy’s', { status: 200, body: '<html>Sign in</html>' }, 'unavailable/provider'],
    ['a page of a missing path', { status: 404, body: '<html>Error 404</html>' }, 'unavailable/provider']
  ])('that is answered with %s is not written', async (_, answer, code) => {
    h.double.setFault(() => answer)
    expect(await failure(restart())).toMatchObject({ code })
    expect(h.double.calls.map(({ op }) => op)).toEqual(['get'])
  })
})
