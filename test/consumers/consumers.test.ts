import { expect, test } from 'vitest'
import { consumers } from '../../shared/consumers/consumers.ts'
import { startHook } from '../doubles/consumer-http.ts'
import { failure, NEWS, soon } from '../doubles/consumer-suite.ts'

test.each([
  ['run', /the functions on Google Cloud can; this one restarts ecs/],
  ['toString', /no host can/]
])('a kind that this host cannot restart is refused, and who can is named: %s', async (kind, names) => {
  const { restart } = consumers({ ecs: async () => {} })
  const error = await failure(restart({ kind, name: 'europe-west1/shop' }, NEWS, soon()))
  expect(error.code).toBe('unsupported/restart')
  expect(error.message).toMatch(names)
})

test('a hook is called on hosts alone that the deployment allows, and on a private one where it says so', async () => {
  const hook = await startHook()
  try {
    const nowhere = hook.hookWith({ hosts: [] })
    expect(await failure(nowhere(hook.consumer, NEWS, soon()))).toMatchObject({
      code: 'denied/address',
      message: expect.stringContaining('KEYTURN_RESTART_HOSTS')
    })
    const outside = hook.hookWith({ allowPrivate: false })
    expect(await failure(outside(hook.consumer, NEWS, soon()))).toMatchObject({ code: 'denied/address' })
    expect(hook.restarts()).toBe(0)
    expect(() => hook.hookWith({ hosts: ['https://a.example/path'] })).toThrow(
      expect.objectContaining({ code: 'invalid/config' })
    )
  } finally {
    await hook.stop()
  }
})
