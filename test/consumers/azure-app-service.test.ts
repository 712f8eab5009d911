import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { refused } from '../doubles/arm-answers.ts'
import { type AppServiceHarness, SUBSCRIPTION, startAppService } from '../doubles/consumer-app-service.ts'
import { consumerSuite, failure, NEWS, soon } from '../doubles/consumer-suite.ts'

consumerSuite('a site of App Service', startAppService)

describe('a site of App Service', () => {
  let h: AppServiceHarness
  beforeEach(async () => {
    h = await startAppService()
  })
  afterEach(() => h?.stop())
  const name = `${SUBSCRIPTION}/rg-shop/orders`
  const call = (restart: AppServiceHarness['restart'], of = name) => restart({ kind: 'appservice', name: of }, NEWS, soon())
  const ops = () => h.double.calls.map(({ op }) => op)

  it('starts with the value that the vault has now: its references are resolved first', async () => {
    await call(h.restart)
    expect(ops()).toEqual(['refresh', 'restart'])
    expect(h.sites.get('rg-shop/orders')).toMatchObject({ process: 2, restarts: 1 })
  })

  it('is restarted softly, and fully where that is set', async () => {
    await call(h.restart)
    await call(h.siteWith({ softRestart: false }))
    const restarts = h.double.seen.filter(({ url }) => url.pathname.endsWith('/restart'))
    expect(restarts.map(({ url }) => url.searchParams.get('softRestart'))).toEqual(['true', 'false'])
    expect(restarts.every(({ text }) => text === '')).toBe(true)
  })

  it('of another cloud is asked for with a token for that cloud', async () => {
    await call(h.restart)
    await call(h.siteWith({ armResource: 'https://management.usgovcloudapi.net' }))
    expect(new Set(h.audiences)).toEqual(new Set([h.double.url, 'https://management.usgovcloudapi.net']))
  })

  it('may be in a group whose name has what a URL has not', async () => {
    const group = 'rg-(käufe).2'
    h.sites.set(`${group}/orders`, { vault: 2, kept: 1, process: 1, restarts: 0 })
    await call(h.restart, `${SUBSCRIPTION}/${group}/orders`)
    expect(h.sites.get(`${group}/orders`)).toMatchObject({ restarts: 1 })
  })

  it('without anything to resolve is restarted all the same', async () => {
    h.double.setFault(({ op }) => (op === 'refresh' ? refused(404, 'NotFound', 'no references') : undefined))
    await call(h.restart)
    expect(h.restarts()).toBe(1)
  })

  it('whose references may not be resolved is not restarted: it would get the old value again', async () => {
    h.double.setFault(({ op }) => (op === 'refresh' ? h.denied.answer : undefined))
    const error = await failure(call(h.restart))
    expect(error).toMatchObject({ code: 'denied/provider' })
    expect(error.message).toContain('refresh of its Key Vault references')
    expect(h.restarts()).toBe(0)
  })

  it.each([
    [409, { error: { code: 'ScopeLocked', message: 'locked' } }, 'denied/provider-policy'],
    [
      409,
      { Code: 'Conflict', Message: 'Cannot modify this site because another operation is in progress.' },
      'throttled/provider'
    ],
    [404, { error: { code: 'ResourceGroupNotFound', message: 'gone' } }, 'not-found/principal'],
    [404, { error: { code: 'SubscriptionNotFound', message: 'gone' } }, 'not-found/principal'],
    [401, { error: { code: 'ExpiredAuthenticationToken', message: 'gone' } }, 'denied/provider'],
    [403, { error: { code: 'RequestDisallowedByPolicy', message: 'no' } }, 'denied/provider-policy'],
    [404, { Code: 'NotFound', Message: 'gone' }, 'not-found/principal'],
    [403, '<html>a page</html>', 'denied/provider'],
    [400, { error: { code: 'Of/next year' } }, 'unavailable/provider'],
    [200, '<html>Sign in</html>', 'unavailable/provider']
  ])('whose restart is answered with %i and %j fails with its own code', async (status, body, code) => {
    h.double.setFault(({ op }) => (op === 'restart' ? { status, body } : undefined))
    expect(await failure(call(h.restart))).toMatchObject({ code })
  })
})
