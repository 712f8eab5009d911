import { httpApiKey } from '../../shared/targets/http-api-key.ts'
import { SecretText } from '../../shared/types.ts'
import type { KeysSubject } from '../conformance/keys-crash-world.ts'
import { apiKeysHarness } from '../doubles/google-api-keys-harness.ts'
import { iamHarness } from '../doubles/google-iam-harness.ts'
import { ADMIN_TOKEN as GRAPH_TOKEN } from '../doubles/graph.ts'
import { startGraphHarness } from '../doubles/graph-harness.ts'
import { ACME, startExample } from '../doubles/http-example.ts'
import { BOLT, startFormExample } from '../doubles/http-example-form.ts'
import { AT_ONCE, exampleHarness } from '../doubles/http-example-harness.ts'
import { ADMIN as IAM_ADMIN } from '../doubles/iam.ts'
import { startIamHarness } from '../doubles/iam-harness.ts'
import { ADMIN_TOKEN as STORAGE_TOKEN } from '../doubles/storage-management.ts'
import { startStorageHarness } from '../doubles/storage-management-harness.ts'

/** The administrator's of the doubles of Google. */
const GOOGLE_TOKEN = 'ya29.an-administrators-token'

/** Every provider of keys: its double, and its clock where the age of a key decides. */

const ADMINS = { acme: 'admin-token-91c2', bolt: 'main-secret-5521' }

/** `call`: what a consumer does, over the wire; the status of the answer. */
export async function acme(): Promise<KeysSubject & { call(value: string): Promise<number> }> {
  const { double, shelf, admins } = await startExample()
  admins.add(ADMINS.acme)
  const harness = exampleHarness({
    double,
    shelf,
    documentOf: (project) => ({ type: 'http-api-key', provider: 'acme', config: { project }, adminsecret: 'acme-admin' }),
    idField: 'keyId',
    valueField: 'apiKey',
    target: httpApiKey(ACME, {
      ...AT_ONCE,
      endpoints: { 'api.acme.example': double.url },
      allowPrivate: ['api.acme.example'],
      admin: async () => new SecretText(JSON.stringify({ token: ADMINS.acme, organization: 'org-1' }))
    }),
    unreadable: [],
    denied: { status: 403, body: { error: { code: 'no_role' } } }
  })
  const call = async (value: string): Promise<number> => {
    const answer = await fetch(`${double.url}/v1/whoami`, { headers: { 'x-api-key': value } })
    await answer.text()
    return answer.status
  }
  return { harness, admins: [ADMINS.acme], advance: double.advance, call }
}

export async function bolt(): Promise<KeysSubject> {
  const { double, shelf } = await startFormExample()
  const harness = exampleHarness({
    double,
    shelf,
    documentOf: (account) => ({ type: 'http-api-key', provider: 'bolt', adminsecret: 'main', config: { account } }),
    idField: 'sid',
    valueField: 'secret',
    target: httpApiKey(BOLT, {
      ...AT_ONCE,
      endpoints: { 'us.bolt.example': double.url },
      allowPrivate: true,
      admin: async () => new SecretText(JSON.stringify({ sid: 'main', secret: ADMINS.bolt }))
    }),
    unreadable: [],
    denied: { status: 403, body: { code: 20003, message: 'Permission denied' } }
  })
  return { harness, admins: [ADMINS.bolt], advance: double.advance }
}

export async function entra(): Promise<KeysSubject> {
  const harness = await startGraphHarness()
  return { harness, admins: [GRAPH_TOKEN], advance: harness.graph.advance }
}

export async function storage(): Promise<KeysSubject> {
  return { harness: await startStorageHarness(), admins: [STORAGE_TOKEN], reusesNames: true }
}

export async function serviceAccounts(): Promise<KeysSubject> {
  return { harness: await iamHarness(), admins: [GOOGLE_TOKEN, 'ya29.of-'] }
}

export async function googleApiKeys(): Promise<KeysSubject> {
  const harness = await apiKeysHarness()
  return { harness, admins: [GOOGLE_TOKEN], advance: harness.double.advance }
}

export async function iam(): Promise<KeysSubject> {
  return { harness: await startIamHarness(), admins: [IAM_ADMIN.secretAccessKey] }
}
