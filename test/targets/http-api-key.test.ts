import { httpApiKey } from '../../shared/targets/http-api-key.ts'
import { SecretText } from '../../shared/types.ts'
import { keysSuite } from '../conformance/keys.ts'
import type { KeysHarness } from '../conformance/keys-harness.ts'
import { PLANTED } from '../conformance/target-harness.ts'
import { ACME, startExample } from '../doubles/http-example.ts'
import { BOLT, startFormExample } from '../doubles/http-example-form.ts'
import { AT_ONCE, exampleHarness } from '../doubles/http-example-harness.ts'

keysSuite('a described provider with marks, disabled keys and a precise last use', async (): Promise<KeysHarness> => {
  const { double, shelf, admins } = await startExample()
  admins.add('admin-token-91c2')
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
    idField: 'keyId',
    valueField: 'apiKey',
    target: httpApiKey(ACME, {
      ...AT_ONCE,
      endpoints: { 'api.acme.example': double.url },
      allowPrivate: ['api.acme.example'],
      admin: async () => new SecretText('{"token":"admin-token-91c2","organization":"org-1"}')
    }),
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
})

keysSuite('a described provider with forms, Basic authentication and no last use', async (): Promise<KeysHarness> => {
  const { double, shelf } = await startFormExample()
  const documentOf = (account: string) => ({ type: 'http-api-key', provider: 'bolt', adminsecret: 'main', config: { account } })
  const good = { ...documentOf('a'), sid: 'SK1', secret: PLANTED }
  return exampleHarness({
    double,
    shelf,
    documentOf,
    idField: 'sid',
    valueField: 'secret',
    target: httpApiKey(BOLT, {
      ...AT_ONCE,
      endpoints: { 'us.bolt.example': double.url },
      allowPrivate: true,
      admin: async () => new SecretText('{"sid":"main","secret":"main-secret-5521"}')
    }),
    unreadable: [
      [{ ...good, sid: undefined, keyId: 'SK1' }, /sid/],
      [{ ...good, secret: undefined, apiKey: PLANTED }, /secret/],
      [{ ...good, sid: `SK:${PLANTED}` }, /sid has characters/],
      [{ ...good, config: { account: 'a', region: PLANTED } }, /one of us, eu as region/]
    ],
    denied: { status: 403, body: { code: 20003, message: 'Permission denied' } }
  })
})
