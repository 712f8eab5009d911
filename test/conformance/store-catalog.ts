import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { MetadataPatch } from '../../shared/metadata.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { instant } from '../../shared/types.ts'
import { attemptFrom, type Bench, fresh, look, PLANTED, planted, refusal, rotated, signal } from './store-harness.ts'

/** Every field of the metadata, with what people write into them. */
const EVERYTHING: Required<MetadataPatch> = {
  kind: 'postgres',
  owner: 'team "Größe" / ops = 🔑',
  environment: 'prod-eu_1',
  dataClass: 'confidential/äöü',
  periodMs: 30 * 86_400_000,
  graceMs: 36 * 3_600_000,
  quietMs: 90 * 60_000,
  soakMs: 2 * 86_400_000,
  limitMs: 45 * 86_400_000,
  overLimit: 'cut',
  restart: 'ecs:a/b http:https://c.d?e=f',
  window: 'sat+sun 02:00-04:00',
  hold: { reason: 'audit 50% / "freeze" until = Monday', until: instant(1_900_000_000_000) },
  admin: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:db/admin-a1b2c3',
  pair: ['app/ünï', 'app=2'],
  managedSince: instant(1_700_000_000_000),
  promoted: { version: 'v-2', previous: 'v-1', at: instant(1_800_000_000_000) },
  retired: { version: 'v-1', at: instant(1_800_000_100_000), refusal: '28P01 "refused" a/b=c' },
  disabled: { version: 'v-1', at: instant(1_800_000_050_000) },
  acknowledged: { version: 'v-1', at: instant(1_800_000_040_000), by: 'Ann/ops' },
  restarted: { version: 'v-2', at: instant(1_800_000_020_000), outcome: 'denied/provider' }
}

export function catalogTests(b: () => Bench): void {
  describe('annotate', () => annotateOnly(b))
  describe('list', () => listOnly(b))
}

function annotateOnly(b: () => Bench): void {
  test('keeps every field exactly, whatever people write into it', async () => {
    const { id } = await fresh(b())
    await b().store.annotate(id, EVERYTHING, undefined, signal())
    expect((await look(b(), id)).metadata).toEqual(EVERYTHING)
  })

  test('sets the keys of the patch, removes the nulls, and leaves the others', async () => {
    const { id } = await fresh(b())
    await b().store.annotate(id, { owner: 'a', environment: 'b', graceMs: 1_000 }, undefined, signal())
    await b().store.annotate(id, { owner: 'c', graceMs: null, hold: { reason: 'why', until: undefined } }, undefined, signal())
    expect((await look(b(), id)).metadata).toEqual({
      kind: 'postgres',
      owner: 'c',
      environment: 'b',
      hold: { reason: 'why', until: undefined }
    })
  })

  test('may be repeated, also when there is nothing to do', async () => {
    const { id } = await fresh(b())
    for (const _ of [1, 2]) await b().store.annotate(id, { owner: 'a', graceMs: null }, undefined, signal())
    await b().store.annotate(id, {}, undefined, signal())
    expect((await look(b(), id)).metadata).toEqual({ kind: 'postgres', owner: 'a' })
  })

  test('with a revision that is not the last one is refused, where the store can compare', async () => {
    const { id } = await fresh(b())
    const first = await look(b(), id)
    expect(first.revision === undefined).toBe(!b().store.facts.metadataCompareAndSet)
    await b().store.annotate(id, { owner: 'a' }, first.revision, signal())
    const late = b().store.annotate(id, { owner: 'b' }, first.revision, signal())
    if (b().store.facts.metadataCompareAndSet) await refusal(late, 'conflict/metadata-changed')
    else await late
    const { metadata, revision } = await look(b(), id)
    expect(metadata.owner).toBe(b().store.facts.metadataCompareAndSet ? 'a' : 'b')
    await b().store.annotate(id, { owner: 'c' }, revision, signal())
  })

  test('touches no stage, and no stage touches it', async () => {
    const { id, base } = await fresh(b())
    const attempt = attemptFrom(base)
    await b().store.stage(id, attempt, planted('second'), signal())
    const { revision } = await look(b(), id)
    await b().store.annotate(id, { owner: 'a' }, revision, signal())
    expect(await look(b(), id)).toMatchObject({ current: base, pendings: [{ token: attempt.token, base }] })
    await b().store.promote(id, attempt, signal())
    const { promoted, ...metadata } = (await look(b(), id)).metadata
    expect(metadata).toEqual({ kind: 'postgres', owner: 'a' })
    // Where the commit is its own record, it tells of this promotion and no other.
    if (promoted) expect(promoted).toMatchObject({ version: (await look(b(), id)).current, previous: base })
  })

  test('keeps a record of a version that a person wrote after the last promotion', async () => {
    const { id, current } = await rotated(b())
    await b().harness.overwrite(id, `${PLANTED} a person was here`)
    await look(b(), id)
    const facts = await look(b(), id)
    const promoted = { version: facts.current ?? '', previous: current, at: facts.seenAt }
    expect(promoted.version).not.toBe(current)
    await b().store.annotate(id, { promoted }, facts.revision, signal())
    expect((await look(b(), id)).metadata.promoted).toEqual(promoted)
  })

  test('of a secret that is not there is not-found', async () => {
    await refusal(b().store.annotate('suite-never-made', { owner: 'a' }, undefined, signal()), 'not-found/secret')
  })
}

async function listed(b: Bench): Promise<readonly SecretFacts[]> {
  const found: SecretFacts[] = []
  for await (const facts of b.store.list(signal())) found.push(facts)
  return found
}

function listOnly(b: () => Bench): void {
  test('gives every managed secret once, over many pages, and no other', async () => {
    const prefix = `many-${randomUUID().slice(0, 8)}`
    for (let n = 0; n < 120; n++)
      await b().harness.create(`${prefix}-${n}`, `${PLANTED} ${n}`, { kind: 'postgres', owner: `o${n}` })
    await b().harness.create(`${prefix}-unmanaged`, PLANTED, { owner: 'nobody' })
    const found = (await listed(b())).filter((f) => f.name.startsWith(prefix))
    expect(found.map((f) => f.name).sort()).toEqual(Array.from({ length: 120 }, (_, n) => `${prefix}-${n}`).sort())
    expect(found.map((f) => f.metadata.owner).sort()).toEqual(Array.from({ length: 120 }, (_, n) => `o${n}`).sort())
  })

  test('shows what a look shows', async () => {
    const { id, base } = await fresh(b())
    await b().store.annotate(id, EVERYTHING, undefined, signal())
    const attempt = attemptFrom(base)
    await b().store.claim(id, attempt, ['K'], signal())
    const same = async () => {
      // A look at a claim reads its note, and a store that tells when it was read counts that.
      const { seenAt: _, revision: __, lastReadAt: ___, ...facts } = await look(b(), id)
      const found = (await listed(b())).find((f) => f.id === facts.id)
      expect(found).toMatchObject(facts)
    }
    await same()
    await b().store.stage(id, attempt, planted('second'), signal())
    await same()
    await b().store.promote(id, attempt, signal())
    await same()
  })

  test('gives all the others before it says that one secret’s metadata cannot be read', async () => {
    const prefix = `spoiled-${randomUUID().slice(0, 8)}`
    for (const n of [1, 2, 3]) await b().harness.create(`${prefix}-${n}`, PLANTED, { kind: 'postgres' })
    await b().harness.writeRaw(`${prefix}-2`, 'grace', 'a while')
    const found: string[] = []
    const walk = async () => {
      for await (const facts of b().store.list(signal())) found.push(facts.name)
    }
    await refusal(walk(), 'invalid/metadata')
    expect(found.filter((name) => name.startsWith(prefix)).sort()).toEqual([`${prefix}-1`, `${prefix}-3`])
    await b().harness.writeRaw(`${prefix}-2`, 'grace', '1h')
  })
}
