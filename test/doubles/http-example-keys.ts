import type { Target } from '../../shared/ports/target.ts'
import { type HttpApiKeySettings, httpApiKey } from '../../shared/targets/http-api-key.ts'
import { SecretText } from '../../shared/types.ts'
import { PLANTED } from '../conformance/target-harness.ts'
import { ACME, ADMIN_TOKEN, startExample } from './http-example.ts'
import { ADMIN_SECRET, BOLT, startFormExample } from './http-example-form.ts'
import { AT_ONCE, type ExampleHarness, exampleHarness, keyFieldsOf } from './http-example-harness.ts'

/** `url`: where its double is. */
export const acmeTarget = (url: string, settings: Partial<HttpApiKeySettings> = {}, description = ACME): Target =>
  httpApiKey(description, {
    ...AT_ONCE,
    endpoints: { 'api.acme.example': url },
    allowPrivate: ['api.acme.example'],
    admin: async () => new SecretText(JSON.stringify({ token: ADMIN_TOKEN, organization: 'org-1' })),
    ...settings
  })

/** `endpoints`: where the doubles of its hosts are. */
export const boltTarget = (endpoints: Readonly<Record<string, string>>): Target =>
  httpApiKey(BOLT, {
    ...AT_ONCE,
    endpoints,
    allowPrivate: true,
    admin: async () => new SecretText(JSON.stringify({ sid: 'main', secret: ADMIN_SECRET }))
  })

/** The keys' harness on Acme. */
export async function acmeHarness(): Promise<ExampleHarness> {
  const { double, shelf } = await startExample()
  const documentOf = (project: string) => ({
    type: 'http-api-key',
    provider: 'acme',
    config: { project },
    adminsecret: 'acme-admin'
  })
  const good = { ...documentOf('p'), keyId: 'k', apiKey: PLANTED }
  return exampleHarness({
    double,
    shelf,
    documentOf,
    ...keyFieldsOf(ACME),
    target: acmeTarget(double.url),
    unreadable: [
      [{ ...good, type: 'aws-iam-access-key' }, /type/],
      [{ ...good, provider: 'bolt' }, /provider/],
      [{ ...good, provider: { ...ACME, hosts: [PLANTED] } }, /provider/],
      [{ ...good, keyId: 7 }, /keyId/],
      [{ ...good, apiKey: [PLANTED] }, /apiKey/],
      [{ ...good, adminsecret: undefined }, /adminsecret/],
      [{ ...good, config: [PLANTED] }, /config/],
      [{ ...good, config: {} }, /config has no project/],
      [{ ...good, config: { project: 'p', host: PLANTED } }, /config has more than project/],
      [{ ...good, config: { project: { p: PLANTED } } }, /project/],
      [{ ...good, apiKey: `${PLANTED}\r\nx: y` }, /apiKey has characters that a header must not have/]
    ],
    denied: { status: 403, body: { error: { code: 'no_role' } } }
  })
}

/** The keys' harness on Bolt. */
export async function boltHarness(): Promise<ExampleHarness> {
  const { double, shelf } = await startFormExample()
  const documentOf = (account: string) => ({ type: 'http-api-key', provider: 'bolt', adminsecret: 'main', config: { account } })
  const good = { ...documentOf('a'), sid: 'SK1', secret: PLANTED }
  return exampleHarness({
    double,
    shelf,
    documentOf,
    ...keyFieldsOf(BOLT),
    target: boltTarget({ 'us.bolt.example': double.url }),
    unreadable: [
      [{ ...good, sid: undefined, keyId: 'SK1' }, /sid/],
      [{ ...good, secret: undefined, apiKey: PLANTED }, /secret/],
      [{ ...good, sid: `SK:${PLANTED}` }, /sid has characters/],
      [{ ...good, config: { account: 'a', region: PLANTED } }, /one of us, eu as region/]
    ],
    denied: { status: 403, body: { code: 20003, message: 'Permission denied' } }
  })
}
