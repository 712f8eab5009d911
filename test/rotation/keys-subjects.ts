import type { KeysSubject } from '../conformance/keys-crash-world.ts'
import { apiKeysHarness } from '../doubles/google-api-keys-harness.ts'
import { ADMIN_TOKEN as GOOGLE_TOKEN } from '../doubles/google-iam-errors.ts'
import { iamHarness } from '../doubles/google-iam-harness.ts'
import { ADMIN_TOKEN as GRAPH_TOKEN } from '../doubles/graph.ts'
import { startGraphHarness } from '../doubles/graph-harness.ts'
import { ADMIN_TOKEN as ACME_TOKEN } from '../doubles/http-example.ts'
import { ADMIN_SECRET as BOLT_SECRET } from '../doubles/http-example-form.ts'
import { acmeHarness, boltHarness } from '../doubles/http-example-keys.ts'
import { ADMIN as IAM_ADMIN } from '../doubles/iam.ts'
import { startIamHarness } from '../doubles/iam-harness.ts'
import { ADMIN_TOKEN as STORAGE_TOKEN } from '../doubles/storage-management.ts'
import { startStorageHarness } from '../doubles/storage-management-harness.ts'

/** Every provider of keys: its double, and its clock where the age of a key decides. */

/** `call`: what a consumer does, over the wire; the status of the answer. */
export async function acme(): Promise<KeysSubject & { call(value: string): Promise<number> }> {
  const harness = await acmeHarness()
  const { url, advance } = harness.double
  const call = async (value: string): Promise<number> => {
    const answer = await fetch(`${url}/v1/whoami`, { headers: { 'x-api-key': value } })
    await answer.text()
    return answer.status
  }
  return { harness, admins: [ACME_TOKEN], advance, call }
}

export async function bolt(): Promise<KeysSubject> {
  const harness = await boltHarness()
  return { harness, admins: [BOLT_SECRET], advance: harness.double.advance }
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
