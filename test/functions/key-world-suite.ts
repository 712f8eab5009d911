import { describe, expect, test } from 'vitest'
import type { MetadataPatch } from '../../shared/metadata.ts'
import type { Document, KeyHost, KeyProviderDouble, Said } from './key-world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** More than any provider's telemetry lags, and any store converges. */
const LATER = 8 * DAY

const SHORT: MetadataPatch = { graceMs: HOUR, quietMs: HOUR, soakMs: HOUR, periodMs: 300 * DAY }

export interface Owned {
  readonly name: string
  readonly first: Document
}

let made = 0

/** A secret of its own with a key of the provider's. */
export async function ownKey(host: KeyHost, keys: KeyProviderDouble, more: MetadataPatch = {}): Promise<Owned> {
  const name = `key-app${++made}`
  const first = keys.open()
  await host.put(name, first, { kind: keys.kind, ...SHORT, ...more })
  return { name, first }
}

/** What a report says of one secret. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests assert.
export const about = (said: Said, name: string): any => {
  if (said.code !== undefined) throw new Error(`it failed with ${said.code}`)
  return said.results.find((r) => r.secret === name)
}

const stepsOf = (report: { done: readonly { step: string }[] }): readonly string[] => report.done.map(({ step }) => step)

/** What keys of every kind have in common, on every host. */
export function describeKeys(kind: string, hostNow: () => KeyHost, keysNow: () => KeyProviderDouble): void {
  describe(`a secret of kind ${kind}`, () => {
    const rotated = async (more: MetadataPatch = {}) => {
      const [host, keys] = [hostNow(), keysNow()]
      const secret = await ownKey(host, keys, more)
      const report = about(await host.ask({ action: 'rotate', secretId: secret.name }), secret.name)
      return { host, keys, ...secret, report, second: await host.read(secret.name) }
    }

    test('is rotated on demand: the new key is current and works, the old one works on and is previous', async () => {
      const { keys, first, second, report } = await rotated()
      const [old, current] = [keys.principalOf(first), keys.principalOf(second)]
      expect(current).not.toBe(old)
      expect(report).toMatchObject({ ok: true, phase: 'draining', current, previous: old })
      expect(stepsOf(report).filter((step) => step !== 'settle')).toEqual(['issue', 'promote'])
      expect([keys.works(second), keys.works(first)]).toEqual([true, true])
      expect(Object.keys(second)).toEqual(Object.keys(first))
    })

    test('is left alone by a second request as long as the old key lives', async () => {
      const { host, name, second } = await rotated()
      expect(await host.ask({ action: 'rotate', secretId: name })).toMatchObject({ code: 'conflict/inside-grace' })
      expect(await host.read(name)).toEqual(second)
    })

    test('is retired by sweeps once nobody has used the old key for long enough: each step is proved and recorded', async () => {
      const { host, keys, name, first, second } = await rotated()
      const old = keys.principalOf(first)
      expect(about(await host.ask({ action: 'sweep' }), name)).toMatchObject({ phase: 'draining', done: [] })
      expect(keys.works(first)).toBe(true)
      for (const [index, step] of keys.ends.entries()) {
        host.advance(index === 0 ? LATER : 2 * HOUR)
        keys.advance(index === 0 ? LATER : 2 * HOUR)
        const swept = about(await host.ask({ action: 'sweep' }), name)
        expect(swept).toMatchObject({ ok: true, done: [{ step, principal: old }] })
        expect(swept.phase).toBe(step === 'disable' ? 'soaking' : 'settled')
        expect([keys.works(first), keys.works(second)]).toEqual([false, true])
        if (step === 'retire') expect(swept.done[0].proof).toMatchObject({ refusal: keys.refusal, at: expect.any(String) })
        expect(await host.record(name)).toContain(step === 'retire' ? 'retired' : 'disabled')
      }
      expect(about(await host.ask({ action: 'sweep' }), name)).toMatchObject({ phase: 'settled', previous: null, done: [] })
    })

    test('tells its consumers after the promotion, and keeps in its metadata how that went', async () => {
      const { hook } = hostNow().common
      const before = hook.restarts()
      const { host, name, report } = await rotated({ restart: `http:${hook.consumer.name}` })
      expect(report.done).toContainEqual(expect.objectContaining({ step: 'tell', outcome: 'ok' }))
      expect(hook.restarts() - before).toBe(1)
      expect(JSON.parse(hook.double.seen.at(-1)?.text ?? '')).toMatchObject({
        event: 'promoted',
        secret: expect.stringContaining(name)
      })
      expect(await host.record(name)).toMatch(/restarted\S*ok/)
    })
  })
}

/** What the two functions of a deployment leave to each other, what is refused, and what is never written. The last of a file. */
export function describeDeployment(hostNow: () => KeyHost, keysNow: () => readonly KeyProviderDouble[]): void {
  describe('beside rotate-database', () => {
    test('a sweep leaves the secret of a database alone, and one of rotate-database leaves a key alone', async () => {
      const host = hostNow()
      const name = await host.database()
      const login = await host.read(name)
      host.advance(31 * DAY)
      expect(about(await host.ask({ action: 'sweep' }), name)).toBeUndefined()
      expect(await host.read(name)).toEqual(login)
      const due = await Promise.all(keysNow().map((keys) => ownKey(host, keys)))
      host.advance(301 * DAY)
      const swept = await host.askDatabases({ action: 'sweep' })
      expect(about(swept, name)).toMatchObject({ ok: true, done: expect.arrayContaining([expect.anything()]) })
      for (const { name: key, first } of due) {
        expect(about(swept, key)).toBeUndefined()
        expect(await host.read(key)).toEqual(first)
      }
    })

    test('each refuses by name what is the other’s, and calls nobody', async () => {
      const host = hostNow()
      const name = await host.database()
      expect(await host.ask({ action: 'rotate', secretId: name })).toMatchObject({ code: 'conflict/other-function' })
      for (const keys of keysNow()) {
        const { name: key } = await ownKey(host, keys)
        const calls = keys.calls().length
        expect(await host.askDatabases({ action: 'rotate', secretId: key })).toMatchObject({ code: 'conflict/other-function' })
        expect([keys.calls().length, host.versions(key)]).toEqual([calls, 1])
      }
    })
  })

  test('a key that its provider refuses is told to people, once, and is a failure of the sweep', async () => {
    const host = hostNow()
    const { acme, chat } = host.common
    const keys = keysNow().find(({ kind }) => kind === 'http-api-key')
    if (keys === undefined) throw new Error('no keys of the described provider')
    const { name, first } = await ownKey(host, keys)
    acme.shelf.remove(keys.principalOf(first))
    for (const _ of [1, 2]) expect((await host.ask({ action: 'sweep' })).code).toBeDefined()
    const pages = (await chat.arrived()).filter(({ text }) => text.includes(name))
    expect(pages.map(({ text }) => text)).toEqual([expect.stringContaining('event: broken')])
    expect(pages[0]?.text).toContain(keys.principalOf(first))
  })

  test('a document of another kind than the metadata say is refused, and its provider is not called', async () => {
    const host = hostNow()
    for (const keys of keysNow()) {
      const name = `key-wrong${++made}`
      const other = ['aws-iam-access-key', 'entra-client-secret', 'gcp-api-key'].find((kind) => kind !== keys.kind)
      await host.put(name, keys.open(), { kind: other ?? '' })
      const calls = keys.calls().length
      expect(await host.ask({ action: 'rotate', secretId: name })).toMatchObject({ code: 'invalid/kind' })
      expect([keys.calls().length, host.versions(name)]).toEqual([calls, 1])
    }
  })

  test('no key, token or login of an administrator is in anything that the processes wrote, neither in the news of a hook nor in a page', async () => {
    const host = hostNow()
    const planted: string[] = ['Bearer ']
    for (const keys of keysNow()) {
      const { name, first } = await ownKey(host, keys)
      await host.ask({ action: 'rotate', secretId: name })
      planted.push(...keys.secretsIn(first), ...keys.secretsIn(await host.read(name)))
    }
    const { hook, chat } = host.common
    const paged = JSON.stringify(chat.last())
    const written = `${await host.output()}${hook.double.seen.map(({ text }) => text).join()}${paged}`
    planted.push(...chat.secrets)
    expect(planted.filter((text) => written.includes(text))).toHaveLength(0)
    expect(written).toContain('"invalid/kind"')
  })
}
