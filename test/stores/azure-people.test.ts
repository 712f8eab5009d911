import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { factsOf } from '../../shared/stores/azure-lineage.ts'
import { instant } from '../../shared/types.ts'
import {
  attemptFrom,
  type Bench,
  bench,
  fresh,
  look,
  PLANTED,
  planted,
  refusal,
  rotated,
  signal
} from '../conformance/store-harness.ts'
import { type AzureHarness, nameOf, startAzure } from './azure-harness.ts'

/** What people do to a vault, with `az`, in the portal and by scripts. */
describe('on Azure Key Vault, a person’s', () => {
  let azure: AzureHarness
  let b: Bench
  beforeAll(async () => {
    azure = await startAzure()
    b = bench(azure)
  })
  afterAll(() => azure?.close())
  const write = async (id: string, text: string, tags?: Record<string, string>): Promise<string> =>
    (await azure.owner.setSecret(nameOf(id), `${PLANTED} ${text}`, tags ? { tags } : {})).properties.version ?? ''
  const listed = async (id: string): Promise<SecretFacts | undefined> => {
    for await (const facts of b.store.list(signal())) if (facts.id === id) return facts
    return undefined
  }

  test('new version, without tags, stays managed: policy and last promotion are found in the versions, once a process', async () => {
    const { id, base, current } = await rotated(b)
    await b.store.annotate(id, { owner: 'platform' }, undefined, signal())
    const theirs = await write(id, 'a person was here')
    const facts = await look(b, id)
    expect(facts).toMatchObject({
      current: theirs,
      currentToken: undefined,
      previous: current,
      metadata: { kind: 'postgres', owner: 'platform', promoted: { version: current, previous: base } }
    })
    const again = await azure.calls(() => b.store.describe(id, signal()))
    expect(again).toEqual([`GetSecret ${nameOf(id)}-pending`, `GetSecret ${nameOf(id)}`])
    const { seenAt: _, ...shown } = facts
    expect(await listed(id)).toMatchObject(shown)
  })

  test('new version gets the policy with the next promotion, and with the next change of it', async () => {
    const { id } = await rotated(b)
    azure.advance(1_000)
    const theirs = await write(id, 'a person was here', { team: 'shop' })
    await b.store.annotate(id, { owner: 'platform' }, undefined, signal())
    expect((await azure.owner.getSecret(nameOf(id))).properties.tags).toEqual({
      team: 'shop',
      keyturn: 'kind=postgres;owner=platform'
    })
    azure.advance(1_000)
    const last = await write(id, 'and again')
    const attempt = attemptFrom(last)
    await b.store.stage(id, attempt, planted('third'), signal())
    await b.store.promote(id, attempt, signal())
    expect((await azure.owner.getSecret(nameOf(id))).properties.tags?.keyturn).toBe('kind=postgres;owner=platform')
    expect((await look(b, id)).previous).toBe(last)
    expect(theirs).not.toBe(last)
  })

  test('new version after a retirement does not make the retired one live again', async () => {
    const { id, base, current } = await rotated(b)
    const retired = { version: base, at: (await look(b, id)).seenAt, refusal: '28P01' }
    await b.store.annotate(id, { retired }, undefined, signal())
    expect((await look(b, id)).metadata.retired).toEqual(retired)
    const theirs = await write(id, 'a person was here')
    const facts = await look(b, id)
    expect(facts.metadata.retired).toEqual(retired)
    // Of what was replaced before the last change it is no news.
    const promoted = { version: theirs, previous: current, at: facts.seenAt }
    await b.store.annotate(id, { promoted }, undefined, signal())
    expect((await look(b, id)).metadata).toEqual({ kind: 'postgres', promoted })
  })

  test('certificate is Key Vault’s own to renew, and says so', () => {
    const at = instant(0)
    const version = { name: 'tls', id: 'v', createdAt: at, updatedAt: at, tags: {}, contentType: undefined, isManaged: true }
    const lineage = { token: undefined, previous: undefined, promoted: undefined, policy: {}, records: {} }
    const facts = factsOf(new URL('https://keyturn.vault.azure.net'), version, { state: 'none' }, lineage, at)
    expect(facts.managedBy).toMatch(/certificate/)
  })

  test('return to an older version, with its tags and its value, is theirs and stays: no write lands hours late', async () => {
    const { id, current } = await rotated(b)
    const old = await azure.owner.getSecret(nameOf(id))
    const next = attemptFrom(current)
    await b.store.stage(id, next, planted('leaked'), signal())
    await b.store.promote(id, next, signal())
    await b.store.drop(id, next.token, signal())
    azure.advance(2 * 3_600_000)
    const { properties } = await azure.owner.setSecret(nameOf(id), old.value ?? '', { tags: old.properties.tags ?? {} })
    expect(await look(b, id)).toMatchObject({ current: properties.version, currentToken: undefined })
    expect(await azure.ordinaryRead(id)).toBe(old.value)
  })

  test('change of the attributes that took all tags off does not hide the last promotion', async () => {
    const { id, base, attempt, current } = await rotated(b)
    await azure.owner.updateSecretProperties(nameOf(id), current, { tags: {} })
    expect(await look(b, id)).toMatchObject({ current, currentToken: attempt.token, previous: base })
  })

  test('tags are at most thirteen: a promotion with more is not begun, and nothing is written', async () => {
    const { id, base } = await fresh(b)
    const many = Object.fromEntries(Array.from({ length: 14 }, (_, n) => [`tag-${n}`, 'x']))
    await azure.owner.updateSecretProperties(nameOf(id), base, { tags: { ...many, keyturn: 'kind=postgres' } })
    await look(b, id)
    const made = await azure.calls(async () => {
      await refusal(b.store.stage(id, attemptFrom(base), planted('second'), signal()), 'invalid/metadata')
      await refusal(b.store.annotate(id, { owner: 'a' }, undefined, signal()), 'invalid/metadata')
    })
    expect(made).toEqual(['read journal', `GetSecret ${nameOf(id)}`])
    const { 'tag-0': _, ...fewer } = many
    await azure.owner.updateSecretProperties(nameOf(id), base, { tags: { ...fewer, keyturn: 'kind=postgres' } })
    const attempt = attemptFrom(base)
    await look(b, id)
    await b.store.stage(id, attempt, planted('second'), signal())
    await b.store.promote(id, attempt, signal())
    expect(Object.keys((await azure.owner.getSecret(nameOf(id))).properties.tags ?? {})).toHaveLength(15)
  })

  test('policy that does not fit in a tag, or has a semicolon, is refused before it is sent', async () => {
    const { id } = await fresh(b)
    const long = { owner: 'o'.repeat(250), environment: 'e'.repeat(250) }
    const made = await azure.calls(async () => {
      await refusal(b.store.annotate(id, long, undefined, signal()), 'invalid/metadata')
      await refusal(b.store.annotate(id, { admin: 'a;b' }, undefined, signal()), 'invalid/metadata')
    })
    expect(made).not.toContain(`UpdateSecret ${nameOf(id)}`)
  })

  test('policy that cannot be read is said, and is not taken for none', async () => {
    const { id, base } = await fresh(b)
    await azure.owner.updateSecretProperties(nameOf(id), base, { tags: { keyturn: 'kind: postgres' } })
    await refusal(b.store.describe(id, signal()), 'invalid/metadata')
    const { id: other } = await fresh(b)
    const names = async () => {
      for await (const facts of b.store.list(signal())) seen.push(facts.id)
    }
    const seen: string[] = []
    for (const keyturn of ['kind: postgres', 'postgres']) {
      await azure.owner.updateSecretProperties(nameOf(id), base, { tags: { keyturn } })
      await refusal(names(), 'invalid/metadata')
    }
    expect(seen.filter((name) => name === other)).toHaveLength(2)
    await azure.owner.updateSecretProperties(nameOf(id), base, { tags: { keyturn: 'kind=postgres' } })
    await names()
    expect(seen).toContain(id)
  })

  test('secret that keyturn may not read does not hide the others from the list, and is said at its end', async () => {
    await fresh(b)
    await fresh(b)
    const all: string[] = []
    for await (const facts of b.store.list(signal())) all.push(facts.id)
    const denied = all[0] ?? ''
    azure.setFault(({ op, name }) =>
      op !== 'GetSecrets' && name === nameOf(denied) ? { error: 'Forbidden', inner: 'ForbiddenByRbac' } : undefined
    )
    const seen: string[] = []
    const walk = async () => {
      for await (const facts of b.store.list(signal())) seen.push(facts.id)
    }
    await refusal(walk(), 'denied/store')
    azure.setFault(undefined)
    expect(seen.sort()).toEqual(all.filter((id) => id !== denied).sort())
  })

  test('copy of a version with its old tags, and a value of their own, is theirs and stays', async () => {
    const { id, current } = await rotated(b)
    const oldTags = (await azure.owner.getSecret(nameOf(id))).properties.tags ?? {}
    const second = attemptFrom(current)
    await b.store.stage(id, second, planted('third'), signal())
    await b.store.promote(id, second, signal())
    await b.store.drop(id, second.token, signal())
    const theirs = await write(id, 'copied tags', oldTags)
    const facts = await look(b, id)
    expect(facts).toMatchObject({ current: theirs, currentToken: undefined, metadata: { kind: 'postgres' } })
    expect(facts.metadata.promoted?.previous).toBe(current)
    expect(await azure.ordinaryRead(id)).toBe(`${PLANTED} copied tags`)
    expect(await azure.calls(() => b.store.describe(id, signal()))).toHaveLength(2)
  })

  test('secret that was never rotated has the version before as its previous one, within the same second too', async () => {
    const { id, base } = await fresh(b)
    const second = await write(id, 'second', { keyturn: 'kind=postgres' })
    expect(await look(b, id)).toMatchObject({ current: second, previous: base })
  })

  test('vault is listed without reading a value, siblings left out', async () => {
    const { id } = await rotated(b)
    const { id: claimed, base } = await fresh(b)
    await b.store.claim(claimed, attemptFrom(base), ['K'], signal())
    const names: string[] = []
    const made = await azure.calls(async () => {
      for await (const facts of b.store.list(signal())) names.push(facts.name)
    })
    expect(names).toEqual(expect.arrayContaining([nameOf(id), nameOf(claimed)]))
    expect(names.filter((name) => name.endsWith('-pending'))).toEqual([])
    // But for the claim, whose value says what it had seen.
    expect(made.filter((call) => call.startsWith('GetSecret ') && !call.endsWith('-pending'))).toEqual(newestTies(made))
  })

  test('wish to stop a long list is heard between its pages, where the SDK does not hear it', async () => {
    for (let n = 0; n < 60; n++) await azure.create(`page-${n}`, PLANTED, {})
    const stop = new AbortController()
    let pages = 0
    azure.setFault(({ op }) => {
      if (op === 'GetSecrets' && ++pages === 2) stop.abort()
      return undefined
    })
    const walk = async () => {
      for await (const _ of b.store.list(stop.signal));
    }
    const made = await azure.calls(() => refusal(walk(), 'unavailable/store'))
    azure.setFault(undefined)
    expect(made).toEqual(['GetSecrets ', 'GetSecrets '])
  })

  /** Versions of one second: lists have no order, so that the vault is asked which of two is the newest. */
  const newestTies = (made: readonly string[]): readonly string[] =>
    made.filter((call) => {
      const name = call.replace('GetSecret ', '')
      const [last, before] = azure.double.versions(name).toReversed()
      return call.startsWith('GetSecret ') && !name.endsWith('-pending') && last?.created === before?.created
    })
})
