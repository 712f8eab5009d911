import { expect, test } from 'vitest'
import type { HttpProxy, ProxiedCall, ProxyFault } from '../doubles/http-proxy.ts'
import {
  all,
  bytesFrom,
  bytesOf,
  CALLS,
  codeOf,
  fresh,
  type Network,
  type ObjectsBench,
  signal,
  textFrom
} from './objects-harness.ts'

const isWrite = ({ method }: ProxiedCall): boolean => ['PUT', 'POST'].includes(method)

/** With faults between keyturn and the service; a place without a network gives its reason. */
export function networkTests(b: () => ObjectsBench): void {
  const behind = async (work: (network: Network) => Promise<void>): Promise<void> => {
    const { network } = b().harness
    if (typeof network === 'string') return expect(network.length).toBeGreaterThan(20)
    try {
      await work(network)
    } finally {
      network.proxy.setFault(undefined)
    }
  }
  const once = (proxy: HttpProxy, fault: ProxyFault, hits: (call: ProxiedCall) => boolean): void => {
    let done = false
    proxy.setFault((call) => {
      if (done || !hits(call)) return undefined
      done = true
      return fault
    })
  }

  for (const [refusal, code] of [
    ['denied', 'denied/archive'],
    ['throttled', 'throttled/archive']
  ] as const) {
    test(`who is ${refusal} is told so by every call`, () =>
      behind(async ({ proxy, refusals }) => {
        proxy.setFault(() => refusals[refusal])
        for (const [call, work] of CALLS) expect([call, await codeOf(work(b().objects, 'any'))]).toEqual([call, code])
      }))
  }

  test('no answer is no answer, and an answer of somebody in between is none', () =>
    behind(async ({ proxy }) => {
      const page = { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>not here</html>' }
      const welcome = { ...page, status: 200, body: '<html>log in first</html>' }
      for (const fault of ['before', page, welcome] as const) {
        proxy.setFault(() => fault)
        for (const [call, work] of CALLS)
          expect([call, await codeOf(work(b().objects, 'any'))]).toEqual([call, 'unavailable/archive'])
      }
    }))

  test('a service that says nothing is waited for so long and no longer', () =>
    behind(async ({ proxy, hasty }) => {
      proxy.setFault(() => 'silent')
      const objects = hasty(50)
      for (const [call, work] of CALLS) expect([call, await codeOf(work(objects, 'any'))]).toEqual([call, 'unavailable/archive'])
    }))

  test('who is throttled a little succeeds all the same', () =>
    behind(async ({ proxy, refusals, throttledOnce }) => {
      const { harness, objects } = b()
      const [there, made] = [`${fresh()}log`, `${fresh()}state`]
      await harness.write(there, bytesOf('text'))
      for (const [call, work] of CALLS) {
        once(proxy, refusals.throttled, () => true)
        const outcome = await codeOf(work(objects, call === 'put' ? made : there))
        expect([call, outcome]).toEqual([call, call === 'put' ? throttledOnce : undefined])
      }
    }))

  test('a write whose answer was lost is done or not, and whoever reads again can go on', () =>
    behind(async ({ proxy }) => {
      const { objects } = b()
      const name = `${fresh()}state`
      once(proxy, 'lost', isWrite)
      expect(await codeOf(objects.put(name, bytesOf('one'), undefined, signal()))).toBe('unavailable/archive')
      expect(await codeOf(objects.put(name, bytesOf('one'), undefined, signal()))).toBe('conflict/object-changed')
      const found = await objects.get(name, 100, signal())
      expect(Buffer.from(found?.bytes ?? []).toString()).toBe('one')
      once(proxy, 'lost', isWrite)
      expect(await codeOf(objects.put(name, bytesOf('two'), found?.tag, signal()))).toBe('unavailable/archive')
      expect(await codeOf(objects.put(name, bytesOf('two'), found?.tag, signal()))).toBe('conflict/object-changed')
      expect(await textFrom(objects, name, 0)).toBe('two')
      // And one that never arrived was not done.
      const { tag } = (await objects.describe(name, signal())) ?? {}
      once(proxy, 'before', isWrite)
      expect(await codeOf(objects.put(name, bytesOf('three'), tag, signal()))).toBe('unavailable/archive')
      await objects.put(name, bytesOf('three'), tag, signal())
    }))

  test('a write is sent once where its answer was lost', () =>
    behind(async ({ proxy }) => {
      const before = proxy.calls.length
      proxy.setFault((call) => (isWrite(call) ? 'lost' : undefined))
      expect(await codeOf(b().objects.put(`${fresh()}state`, bytesOf('one'), undefined, signal()))).toBe('unavailable/archive')
      expect(proxy.calls.slice(before).filter(isWrite)).toHaveLength(1)
    }))

  const LONG = Buffer.from(Array.from({ length: 200_000 }, (_, n) => `line ${n}\n`).join(''))

  test.each([
    ['broke', { cutAfter: 500_000 }],
    ['fell silent', { stallAfter: 500_000 }]
  ])('a connection that %s in the middle is made again where it ended', (_, fault) =>
    behind(async ({ proxy }) => {
      const { harness, objects } = b()
      const name = `${fresh()}log`
      await harness.write(name, LONG)
      once(proxy, fault, () => true)
      expect((await bytesFrom(objects, name, 10)).equals(LONG.subarray(10))).toBe(true)
      once(proxy, fault, () => true)
      expect(Buffer.from((await objects.get(name, LONG.length, signal()))?.bytes ?? []).equals(LONG)).toBe(true)
    })
  )

  test('a read that waits ends when its signal is over', () =>
    behind(async ({ proxy, hasty }) => {
      const name = `${fresh()}log`
      await b().harness.write(name, LONG)
      once(proxy, { stallAfter: 500_000 }, () => true)
      const abort = new AbortController()
      const reading = async () => {
        let read = 0
        for await (const part of hasty(10_000).read(name, 0, abort.signal)) {
          read += part.length
          if (read === 500_000) abort.abort()
        }
      }
      expect(await codeOf(reading())).toBe('unavailable/archive')
      expect(abort.signal.aborted).toBe(true)
    }))

  test('a connection that breaks again and again without a byte ends the read', () =>
    behind(async ({ proxy }) => {
      const { harness, objects } = b()
      const name = `${fresh()}log`
      await harness.write(name, LONG)
      let calls = 0
      proxy.setFault(() => (calls++ === 0 ? { cutAfter: 500_000 } : { cutAfter: 0 }))
      expect(await codeOf(all(objects.read(name, 0, signal())))).toBe('unavailable/archive')
    }))

  test('an object that changed while its connection was broken is not read on', () =>
    behind(async ({ proxy }) => {
      const { harness, objects } = b()
      const name = `${fresh()}log`
      await harness.write(name, LONG)
      once(proxy, { cutAfter: 500_000 }, () => true)
      const reading = async () => {
        let isFirst = true
        for await (const _ of objects.read(name, 0, signal())) {
          if (isFirst) await harness.write(name, LONG.subarray(1))
          isFirst = false
        }
      }
      expect(await codeOf(reading())).toBe('unavailable/archive')
    }))

  test('a reader that leaves early leaves no connection open', () =>
    behind(async ({ proxy }) => {
      const { harness, objects } = b()
      const name = `${fresh()}log`
      await harness.write(name, Buffer.alloc(32 * 2 ** 20, 'x'))
      for await (const _ of objects.read(name, 0, signal())) break
      expect(await codeOf(objects.get(name, 10, signal()))).toBe('invalid/object')
      await proxy.idle()
      await harness.remove(name)
    }))
}
