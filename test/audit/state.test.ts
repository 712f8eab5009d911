import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { loadState, saveState, withState } from '../../shared/audit/keep-state.ts'
import { addTally, forget } from '../../shared/audit/merge.ts'
import { reviewOf } from '../../shared/audit/reports/drift.ts'
import { seen } from '../../shared/audit/seen.ts'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { type AuditState, decodeState, emptyState, encodeState } from '../../shared/audit/state.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { folder } from '../../shared/objects/file.ts'
import { counted, DAY, event, HOUR, identity, MONDAY, many, person, run, sweepOf } from './events.ts'

const NASTY = '$map"\n\u2028😀\u0000__proto__'

/** Of everything something. */
function someState(): AuditState {
  const state = emptyState()
  const events = [
    ...sweepOf(30, { at: MONDAY, who: identity(NASTY), address: '203.0.113.1' }),
    event({ at: MONDAY + 1, kind: 'list', who: identity(NASTY) }),
    ...many(6, { at: MONDAY, kind: 'login', outcome: 'unauthenticated', address: '203.0.113.2' }),
    event({ at: MONDAY, who: person('ann'), secret: NASTY, outcome: 'denied' }),
    event({ at: MONDAY, kind: 'list', outcome: 'denied' }),
    event({ at: MONDAY, kind: 'policy', policy: 'p', policyHash: 'h' }),
    event({ at: MONDAY, kind: 'token', issuer: 'sts', ttlSeconds: Number.POSITIVE_INFINITY })
  ]
  const { findings } = run(events, { state })
  for (const { id } of events) state.seen.add(id)
  state.objects.set('s3://logs/a', { tag: '"etag"', changedAt: MONDAY, offset: 17 })
  state.listedSince.set('s3://logs/', MONDAY - DAY)
  Object.assign(state, { recent: findings, review: reviewOf(state.tally, MONDAY, NASTY) })
  state.untold.push(...findings.map((finding) => ({ finding, channels: ['slack:TEAM'] })))
  state.told.set('finding', MONDAY)
  return state
}

const codeOf = (bytes: Uint8Array): string => {
  try {
    decodeState(bytes)
    return 'read'
  } catch (e) {
    return e instanceof KeyturnError ? e.code : `not coded: ${e}`
  }
}

describe('a state', () => {
  test('is read as it was written, with names and numbers that JSON has not', () => {
    const state = someState()
    const { seen: ids, ...rest } = decodeState(encodeState(state))
    const { seen: _, ...written } = state
    expect(rest).toEqual(written)
    expect(ids.hashes()).toEqual(state.seen.hashes())
    expect(run([event({ at: MONDAY + HOUR })], { state: { ...rest, seen: ids } })).toEqual(
      expect.objectContaining({ inventory: expect.arrayContaining([expect.objectContaining({ identityName: NASTY })]) })
    )
  })

  test('that is empty is read as that', () => {
    const { seen: _, review: none, ...rest } = decodeState(encodeState(emptyState()))
    const { seen: __, review, ...empty } = emptyState()
    expect([rest, none]).toEqual([empty, review])
  })

  test('that is damaged at any byte, or cut off anywhere, is invalid/state', () => {
    const bytes = encodeState(someState())
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Uint8Array.from(bytes)
      damaged[at] = (bytes[at] as number) ^ (1 << (at % 8))
      expect(codeOf(damaged), `byte ${at}`).toBe('invalid/state')
      expect(codeOf(bytes.subarray(0, at)), `the first ${at} bytes`).toBe('invalid/state')
    }
    expect(codeOf(Uint8Array.from([...bytes, 0]))).toBe('invalid/state')
  })

  test('that is anything else is invalid/state', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.json().map((text) => Buffer.from(`${text}\n${text}`))
    )
    fc.assert(
      fc.property(bytes, (some) => {
        expect(codeOf(some)).toBe('invalid/state')
      }),
      { seed: 6 }
    )
  })

  test('of a newer version is invalid/state, and says so', () => {
    const text = Buffer.from(encodeState(emptyState())).toString('latin1').replace('"version":1', '"version":2')
    expect(() => decodeState(Buffer.from(text, 'latin1'))).toThrow('the audit state is of version 2, this keyturn knows 1')
    expect(codeOf(Buffer.from(text, 'latin1'))).toBe('invalid/state')
  })

  test('of 10,000 secrets and 2,000 identities is below 1 MB, and a million ids of events are 9 MB more', () => {
    const state = emptyState()
    const callers = Array.from({ length: 2_000 }, (_, n) => identity(`team-${n % 40}/app-${n}`))
    for (let hour = 8; hour < 16; hour++) {
      const reads = Array.from({ length: 10_000 }, (_, n) =>
        event({ at: MONDAY + hour * HOUR + n * 300, who: callers[n % 2_000] ?? 'app', secret: `app-${n % 2_000}/key-${n}` })
      )
      addTally(state.tally, counted(reads))
      forget(state.tally, MONDAY + hour * HOUR, AUDIT_DEFAULTS)
    }
    expect([state.tally.secrets.size, state.tally.identities.size, state.tally.hours]).toEqual([10_000, 2_000, 80_000])
    expect(encodeState(state).length).toBeLessThan(1_000_000)
    for (let n = 0; n < 1_000_000; n++) state.seen.add(`${n}-4b1d-8e0a`)
    expect(encodeState(state).length).toBeLessThan(10_000_000)
  })
})

describe('a state that is kept in a folder', () => {
  const roots: string[] = []
  const newPlace = async () => {
    const root = await mkdtemp(join(tmpdir(), 'keyturn-state-'))
    roots.push(root)
    return { place: folder({ folder: root }), file: join(root, 'state') }
  }
  afterAll(async () => {
    for (const root of roots) await rm(root, { recursive: true, force: true })
  })
  const never = new AbortController().signal
  const told = async (place: ReturnType<typeof folder>) => [...(await loadState(place, 'state', never)).state.told.keys()].sort()

  test('of two that write at once none loses what the other one wrote: the later one does its work again', async () => {
    const { place } = await newPlace()
    let meet = (): void => undefined
    const met = new Promise<void>((resolve) => {
      meet = resolve
    })
    let works = 0
    const work = (id: string) =>
      withState(place, 'state', never, async (state) => {
        if (++works === 2) meet()
        await met
        state.told.set(id, works)
        return id
      })
    expect(await Promise.all([work('a'), work('b')])).toEqual(['a', 'b'])
    expect(await told(place)).toEqual(['a', 'b'])
    expect(works).toBe(3)
  })

  test('who finds it written by others four times gives up, and leaves it as it is', async () => {
    const { place } = await newPlace()
    let attempts = 0
    const robbed = withState(place, 'state', never, async (state) => {
      state.told.set('mine', ++attempts)
      const kept = await loadState(place, 'state', never)
      kept.state.told.set(`theirs ${attempts}`, attempts)
      await saveState(place, 'state', kept, never)
    })
    await expect(robbed).rejects.toMatchObject({ code: 'conflict/object-changed' })
    expect(await told(place)).toEqual(['theirs 1', 'theirs 2', 'theirs 3', 'theirs 4'])
  })

  test('that cannot be read is never written over, and no work is done for it', async () => {
    const { place, file } = await newPlace()
    await withState(place, 'state', never, async (state) => void state.told.set('a', 1))
    const damaged = (await readFile(file)).map((byte, at) => (at === 100 ? byte ^ 1 : byte))
    await writeFile(file, damaged)
    let works = 0
    const work = withState(place, 'state', never, async () => void works++)
    await expect(work).rejects.toMatchObject({ code: 'invalid/state' })
    expect(works).toBe(0)
    expect(await readFile(file)).toEqual(Buffer.from(damaged))
  })

  test('is not written where the work fails', async () => {
    const { place } = await newPlace()
    await withState(place, 'state', never, async (state) => void state.told.set('a', 1))
    const failing = withState(place, 'state', never, async (state) => {
      state.told.set('b', 1)
      throw new KeyturnError('invalid/log', 'in words')
    })
    await expect(failing).rejects.toMatchObject({ code: 'invalid/log' })
    expect(await told(place)).toEqual(['a'])
  })
})

describe('ids that were counted', () => {
  test('are known again, of three hundred thousand each and none twice', () => {
    const ids = seen()
    const all = Array.from({ length: 300_000 }, (_, n) => `${n.toString(16).padStart(8, '0')}-91ab-4c2d-8f00-0123456789ab`)
    expect(all.filter((id) => ids.add(id))).toEqual([])
    expect(all.every((id) => ids.add(id))).toBe(true)
  })

  test('of a million and a half the newest half million are known, also after they were kept', () => {
    const [before, after] = [seen(), seen()]
    for (let n = 0; n < 1_500_000; n++) before.add(`event ${n}`)
    for (const hashes of before.hashes()) after.restore(hashes)
    expect(after.hashes()).toEqual(before.hashes())
    const last = Array.from({ length: 524_288 }, (_, n) => `event ${1_499_999 - n}`)
    for (const ids of [before, after]) expect(last.every((id) => ids.add(id))).toBe(true)
    expect(before.add('event 0')).toBe(false)
    expect(before.hashes().every(({ length }) => length <= 524_288)).toBe(true)
  })

  test('two parts of a log share an id where an event is in both', () => {
    const [some, others, more] = [seen(), seen(), seen()]
    for (const id of ['a', 'b']) some.add(id)
    for (const id of ['b', 'c']) others.add(id)
    for (const id of ['c', 'd']) more.add(id)
    const shares = (one: typeof some) => one.hashes().some((hashes) => some.shares(hashes))
    expect([shares(others), shares(more)]).toEqual([true, false])
  })
})
