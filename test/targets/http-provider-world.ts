import { expect, onTestFinished } from 'vitest'
import { httpApiKey } from '../../shared/targets/http-api-key.ts'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { SecretText } from '../../shared/types.ts'
import { keysSuite } from '../conformance/keys.ts'
import type { KeyScene, KeysHarness } from '../conformance/keys-harness.ts'
import { PLANTED, soon } from '../conformance/target-harness.ts'
import { AT_ONCE, exampleHarness, keyFieldsOf } from '../doubles/http-example-harness.ts'
import type { KeyShelf } from '../doubles/key-shelf.ts'
import type { ProviderAnswer, ProviderDouble } from '../doubles/provider-double.ts'

export interface VendorDouble {
  readonly double: ProviderDouble
  readonly shelf: KeyShelf
}

export interface Vendor<D extends VendorDouble> extends Pick<KeysHarness, 'createOp' | 'denied' | 'throttled'> {
  readonly description: HttpDescription
  readonly start: () => Promise<D>
  /** The host of the description that the double stands for. */
  readonly host: string
  readonly config: (account: string) => Readonly<Record<string, unknown>>
  /** The admin’s secret of an account. */
  readonly admin: (account: string) => Readonly<Record<string, unknown>>
  /** A config that is refused, and the field that is named. */
  readonly wrong: readonly (readonly [config: Readonly<Record<string, unknown>>, names: RegExp])[]
}

/** A ready description against its vendor’s double: the address is all that differs from a real call. */
export async function vendorHarness<D extends VendorDouble>(vendor: Vendor<D>): Promise<KeysHarness & { readonly vendor: D }> {
  const { description, host, createOp, denied, throttled } = vendor
  const started = await vendor.start()
  const documentOf = (account: string) => ({
    type: 'http-api-key',
    provider: description.name,
    config: vendor.config(account),
    adminsecret: `admin-of-${account}`
  })
  const good = { ...documentOf('a'), keyId: 'k', apiKey: PLANTED }
  const harness = exampleHarness({
    ...started,
    documentOf,
    ...keyFieldsOf(description),
    target: httpApiKey(description, {
      ...AT_ONCE,
      endpoints: { [host]: started.double.url },
      allowPrivate: [host],
      admin: async (reference) => new SecretText(JSON.stringify(vendor.admin(reference.slice('admin-of-'.length))))
    }),
    unreadable: [
      [{ ...good, type: 'aws-iam-access-key' }, /type/],
      [{ ...good, provider: 'another' }, /provider/],
      [{ ...good, keyId: `${PLANTED}/..` }, /keyId/],
      [{ ...good, apiKey: [PLANTED] }, /apiKey/],
      [{ ...good, adminsecret: undefined }, /adminsecret/],
      [{ ...good, config: { ...good.config, more: PLANTED } }, /config has more/],
      ...vendor.wrong.map(([config, names]) => [{ ...good, config: { ...good.config, ...config } }, names] as const)
    ],
    denied
  })
  return { ...harness, createOp, throttled, vendor: started }
}

export const vendorSuite = <D extends VendorDouble>(vendor: Vendor<D>): void =>
  keysSuite(`${vendor.description.name}, as described`, () => vendorHarness(vendor))

/** One scene with what is behind it, for what is special to a vendor; it ends with the test. */
export async function vendorScene<D extends VendorDouble>(
  vendor: Vendor<D>
): Promise<KeyScene & { readonly h: KeysHarness; readonly vendor: D; readonly account: string }> {
  const h = await vendorHarness(vendor)
  onTestFinished(h.stop)
  const scene = await h.scene()
  return { ...scene, h, vendor: h.vendor, account: h.vendor.shelf.find(scene.current.principal)?.account ?? '' }
}

/** Answers to a call with the key that do not say that it is dead, nor that it lives. */
export async function provesNothing(
  { target, current, context, h }: KeyScene & { readonly h: KeysHarness },
  answers: readonly ProviderAnswer[]
): Promise<void> {
  for (const answer of answers) {
    h.setFault(() => answer)
    await expect(target.verify(current, context, soon())).rejects.toMatchObject({ code: 'unavailable/provider' })
  }
}
