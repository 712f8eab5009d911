import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { dueAt, isHeld } from '../../shared/rotation/plan.ts'
import { keyVaultListing } from '../../shared/stores/azure-listing.ts'
import { secretManagerListing } from '../../shared/stores/gcp-listing.ts'
import { listMetadata } from '../../shared/stores/vault-catalog.ts'
import { kvOf } from '../../shared/stores/vault-kv.ts'
import { SecretText } from '../../shared/types.ts'
import { vaultClient } from '../../shared/vault/client.ts'
import { tokenLogin } from '../../shared/vault/login-token.ts'
import {
  attemptFrom,
  bench,
  fresh,
  look,
  planted,
  refusal,
  rotated,
  type StoreHarness,
  signal
} from '../conformance/store-harness.ts'
import { azureCredential } from '../doubles/azure-credential.ts'
import { startAzure } from './azure-harness.ts'
import { PROJECT, startGcp } from './gcp-harness.ts'
import { places, startVault, tokenFor, type VaultPlace } from './vault-harness.ts'

interface Subject {
  readonly harness: StoreHarness
  /** By somebody who may read no value. */
  readonly list: (signal: AbortSignal) => AsyncIterable<SecretFacts>
  /** What was asked of the service. */
  readonly calls: () => readonly string[]
}

async function azure(): Promise<Subject> {
  const harness = await startAzure()
  const { double } = harness
  double.setRights('viewer', ['readMetadata'])
  const clientOptions = { tlsOptions: { ca: double.caPem } }
  return {
    harness,
    list: keyVaultListing({ vaultUrl: double.url, credential: azureCredential('viewer'), clientOptions }),
    calls: () => double.calls.map(({ op }) => op)
  }
}

async function google(): Promise<Subject> {
  const harness = await startGcp()
  const { double } = harness.place
  // Of roles/secretmanager.viewer.
  const may = ['secretmanager.secrets.list', 'secretmanager.secrets.get', 'secretmanager.versions.get']
  double.allow('viewer@example.com', { '*': may })
  double.accept('viewer-token', 'viewer@example.com')
  const authorize = async () => new Headers({ authorization: 'Bearer viewer-token' })
  return {
    harness,
    list: secretManagerListing({ project: PROJECT, endpoint: double.url, authorize }),
    calls: () => double.calls.map(({ op }) => op)
  }
}

async function vault(start: () => Promise<VaultPlace>): Promise<Subject> {
  const harness = await startVault(start)
  const { server, mount, openbao, token } = harness.place
  await openbao?.writePolicy(`${mount}-viewer`, `path "${mount}/metadata/*" { capabilities = ["read", "list"] }`)
  const own = openbao ? await tokenFor(openbao, `${mount}-viewer`) : token
  const client = vaultClient({ address: server.url, login: tokenLogin(new SecretText(own)) })
  return {
    harness,
    list: (signal) => listMetadata(kvOf({ client, mount }), signal),
    calls: () => server.calls.map(({ op }) => op)
  }
}

const SUBJECTS: readonly (readonly [name: string, start: () => Promise<Subject>, asked: readonly string[]])[] = [
  ['Azure Key Vault', azure, ['GetSecrets', 'GetSecretVersions']],
  ['Google Secret Manager', google, ['ListSecrets', 'GetSecretVersion']],
  ...places.map(([name, start]) => [`Vault KV v2 on ${name}`, () => vault(start), ['LIST metadata', 'GET metadata']] as const)
]

describe.each(SUBJECTS)('a listing of %s, for reports,', (_, start, asked) => {
  let subject: Subject
  beforeAll(async () => {
    subject = await start()
  })
  afterAll(() => subject?.harness.close())

  const listed = async (list: Subject['list']): Promise<ReadonlyMap<string, SecretFacts>> => {
    const found = new Map<string, SecretFacts>()
    for await (const facts of list(signal())) found.set(facts.id, facts)
    return found
  }
  /** What reports say of a secret. */
  const told = (facts: SecretFacts | undefined) =>
    facts && { name: facts.name, current: facts.current, due: dueAt(facts), kind: facts.metadata.kind }

  test('says of managed secrets what the store says that may read them, and asks for no value', async () => {
    const b = bench(subject.harness)
    const ids = [(await fresh(b)).id, (await rotated(b)).id]
    const pending = await fresh(b)
    await b.store.stage(pending.id, attemptFrom(pending.base), planted('second'), signal())
    const written = await rotated(b)
    subject.harness.advance(2_000)
    await subject.harness.overwrite(written.id, 'a person’s')
    // A person comes just before somebody looks.
    await look(b, written.id)
    await subject.harness.create('nobodys', 'a person’s', {})
    ids.push(pending.id, written.id)
    const whole = await listed((signal) => b.store.list(signal))
    const before = subject.calls().length
    const found = await listed(subject.list)
    const calls = subject.calls().slice(before)
    expect([...new Set(calls)].sort()).toEqual([...asked].sort())
    expect([...found.keys()].sort()).toEqual([...ids].sort())
    expect(ids.map((id) => told(found.get(id)))).toEqual(ids.map((id) => told(whole.get(id))))
  })

  test('shows a hold, and what is bad in one secret’s metadata after all the others', async () => {
    const b = bench(subject.harness)
    const [{ id: bad }, { id }] = [await fresh(b), await fresh(b)]
    await b.store.annotate(id, { hold: { reason: 'an incident' } }, undefined, signal())
    await subject.harness.writeRaw(bad, 'period', 'often')
    const found = new Map<string, SecretFacts>()
    const all = async () => {
      for await (const facts of subject.list(signal())) found.set(facts.id, facts)
    }
    await refusal(all(), 'invalid/metadata')
    const facts = found.get(id)
    expect([facts && isHeld(facts.metadata, facts.seenAt), found.has(bad)]).toEqual([true, false])
  })
})
