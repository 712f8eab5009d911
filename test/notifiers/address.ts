import type { LookupFunction } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AddressSettings } from '../../shared/notifiers/remote.ts'
import type { Notifier } from '../../shared/ports/notifier.ts'
import { SecretText } from '../../shared/types.ts'
import { type ChannelHarness, failure, notice, soon } from '../conformance/notifier-harness.ts'

interface AddressHarness extends ChannelHarness {
  with(more: Partial<AddressSettings>): Notifier
}

const lookupTo =
  (address: string): LookupFunction =>
  (_, options, callback) =>
    options.all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4)

/** What every channel does whose address a person wrote into a variable. */
export function addressTests(name: string, start: () => Promise<AddressHarness>): void {
  describe(`${name}, at its address`, () => {
    let h: AddressHarness
    beforeAll(async () => {
      h = await start()
    })
    afterAll(() => h?.stop())
    const refused = async (more: Partial<AddressSettings>) => {
      const calls = h.proxy.calls.length
      const error = await failure((async () => h.with(more).send(notice(), soon()))(), {
        secrets: [...h.secrets, 'hooks.example.com', '169.254.169.254']
      })
      expect(h.proxy.calls.length).toBe(calls)
      return error
    }
    const host = (): string => new URL(h.proxy.url).host

    it('is not told where that is private, unless the deployment allows its host', async () => {
      for (const allowPrivate of [undefined, false, [], ['hooks.example.com'], ['127.0.0.1:1']])
        expect(await refused({ allowPrivate })).toMatchObject({ code: 'denied/address', retryable: false })
      await h.with({ allowPrivate: [host()] }).send(notice(), soon())
      await h.with({ allowPrivate: ['127.0.0.1'] }).send(notice(), soon())
      expect(await h.arrived()).toHaveLength(2)
    })

    it('is not told where its name has a private address; the name is asked once, for the connection itself', async () => {
      const url = new SecretText('https://hooks.example.com/planted-path')
      expect(await refused({ url, allowPrivate: false, lookup: lookupTo('10.0.0.7') })).toMatchObject({ code: 'denied/address' })
    })

    it('is not told where tokens are given away, whatever is allowed', async () => {
      const metadata = new SecretText('https://169.254.169.254/latest/meta-data')
      expect(await refused({ url: metadata, allowPrivate: true })).toMatchObject({ code: 'denied/address' })
      const named = { url: new SecretText('https://hooks.example.com/'), lookup: lookupTo('169.254.169.254') }
      expect(await refused({ ...named, allowPrivate: true })).toMatchObject({ code: 'denied/address' })
    })

    it('is not told without a certificate that is trusted', async () => {
      expect(await refused({ ca: undefined })).toMatchObject({ code: 'invalid/tls', retryable: false })
    })

    it('is not told where there is no such host, and the host is not named', async () => {
      const nowhere: LookupFunction = (hostname, _, callback) =>
        callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND' }), '', 4)
      const error = await refused({ url: new SecretText('https://hooks.example.com/'), lookup: nowhere, pausesMs: [] })
      expect(error).toMatchObject({ code: 'unavailable/channel', vendor: 'ENOTFOUND' })
    })
  })
}
