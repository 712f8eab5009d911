import { describe, expect, test } from 'vitest'
import type { AuditEvent } from '../../shared/audit/event.ts'
import type { Metadata } from '../../shared/metadata.ts'
import type { SecretFacts } from '../../shared/ports/secret-store.ts'
import { instant } from '../../shared/types.ts'
import { DAY, event, HOUR, MONDAY, run } from './events.ts'

const NOW = MONDAY + 200 * DAY
const ACCOUNT = '111122223333'
const arn = (name: string, account = ACCOUNT) => `arn:aws:secretsmanager:eu-west-1:${account}:secret:${name}-aB3xY9`

/** A database's secret that is rotated every 30 days, and was 10 days ago. */
const facts = (name: string, metadata: Metadata = {}, more: Partial<SecretFacts> = {}): SecretFacts => ({
  ...{ id: arn(name), name, seenAt: instant(NOW), current: 'v2', pendings: [], spent: [], replicasInSync: true },
  rotatedAt: instant(NOW - 10 * DAY),
  ...more,
  metadata: { kind: 'postgres', ...metadata }
})
const rotatedAgo = (ms: number) => ({ rotatedAt: instant(NOW - ms) })
const unmanaged = (more: Partial<SecretFacts> = {}): SecretFacts => ({ ...facts('app/db', {}, more), metadata: {} })

const rows = (listed: readonly SecretFacts[] | undefined, events: readonly AuditEvent[] = []) =>
  run(events, { listed, now: NOW }).rotation.map(({ controls, ...row }) => {
    expect(controls.length).toBeGreaterThan(0)
    return row
  })
const failed = (ago: number, secret = 'app/db') => event({ at: NOW - ago, kind: 'rotate', outcome: 'failed', secret })

describe('what the store lists', () => {
  test.each<readonly [string, SecretFacts, string, string]>([
    ['rotated in time', facts('app/db'), 'in-time', 'every 30d'],
    ['due in seven days', facts('app/db', {}, rotatedAgo(23 * DAY)), 'in-time', 'every 30d'],
    ['due in less', facts('app/db', {}, rotatedAgo(23 * DAY + 1)), 'due-soon', 'due in 7d'],
    ['due in minutes', facts('app/db', {}, rotatedAgo(30 * DAY)), 'due-soon', 'due in 1h'],
    ['overdue', facts('app/db', {}, rotatedAgo(30 * DAY + 36 * HOUR)), 'overdue', 'it was due 36h ago'],
    ['by a period of its own', facts('app/db', { periodMs: 9 * DAY }), 'overdue', 'it was due 1d ago'],
    ['an API key, every 90 days', facts('app/db', { kind: 'openai' }, rotatedAgo(60 * DAY)), 'in-time', 'every 90d'],
    ['held', facts('app/db', { hold: { reason: 'migration' } }, rotatedAgo(90 * DAY)), 'held', 'a person put it on hold'],
    ['held until yesterday', facts('app/db', { hold: { reason: 'x', until: instant(NOW - DAY) } }), 'in-time', 'every 30d'],
    ['without any time', facts('app/db', {}, { rotatedAt: undefined }), 'never', 'the store shows no rotation of it'],
    ['nobody’s', unmanaged(), 'unmanaged', 'nothing rotates it: keyturn does not manage it'],
    [
      'rotated by the store',
      unmanaged({ rotationEnabled: true }),
      'unknown',
      'the store rotates it by itself, and does not tell how often'
    ],
    [
      'not yet rotated by the store',
      unmanaged({ rotationEnabled: true, rotatedAt: undefined }),
      'never',
      'the store shows no rotation of it'
    ],
    [
      'with a policy that contradicts itself',
      facts('app/db', { graceMs: 40 * DAY }),
      'unknown',
      'invalid/grace: grace 3456000000 ms is not shorter than period 2592000000 ms'
    ]
  ])('a secret that is %s', (_, one, state, why) => {
    expect(rows([one])).toMatchObject([{ secret: 'app/db', store: 'listed', state, why, failures: 0 }])
  })

  test('tells when it was rotated last and is due', () => {
    expect(rows([facts('app/db')])).toMatchObject([{ lastRotated: NOW - 10 * DAY, due: NOW + 20 * DAY }])
  })

  test('a rotation that failed after the last one that did not is failing, by the log', () => {
    const events = [failed(3 * HOUR), failed(HOUR)]
    expect(rows([facts('app/db')], events)).toMatchObject([
      { store: 'aws', state: 'failing', failures: 2, why: 'its last rotation failed, and 2 in all' }
    ])
    expect(rows([facts('app/db', {}, rotatedAgo(HOUR / 2))], events)).toMatchObject([{ state: 'in-time', failures: 2 }])
    const taken = event({ at: NOW - HOUR / 2, kind: 'rotate', secret: 'app/db' })
    expect(rows([facts('app/db')], [...events, taken])).toMatchObject([{ state: 'in-time', failures: 2 }])
    expect(rows([facts('app/db')], [failed(HOUR, 'app/other')])).toMatchObject([
      { secret: 'app/other', state: 'failing' },
      { secret: 'app/db', state: 'in-time' }
    ])
  })

  test('the worst come first, of equals what is due first', () => {
    const listed = [
      unmanaged(),
      facts('b'),
      facts('late', {}, rotatedAgo(40 * DAY)),
      facts('later', {}, rotatedAgo(35 * DAY)),
      facts('soon', {}, rotatedAgo(25 * DAY)),
      facts('a', {}, rotatedAgo(11 * DAY))
    ]
    expect(rows(listed, [failed(HOUR, 'b')]).map(({ secret }) => secret)).toEqual(['b', 'late', 'later', 'soon', 'a', 'app/db'])
  })
})

describe('a secret of a log and a secret of the store', () => {
  const states = (listed: readonly SecretFacts[], events: readonly AuditEvent[]) =>
    rows(listed, events).map(({ secret, store, state }) => `${store} ${secret} ${state}`)

  test.each<readonly [string, SecretFacts, AuditEvent]>([
    ['Secrets Manager: name and account', facts('prod/db'), event({ at: NOW, secret: 'prod/db' })],
    [
      'Key Vault: names are in small letters in the log',
      facts('Prod-Db', {}, { id: 'https://v.vault.azure.net/secrets/Prod-Db' }),
      event({ at: NOW, store: 'azure', secret: 'prod-db' })
    ],
    [
      'Vault: the log has the mount before it',
      facts('app/db', {}, { id: 'app/db' }),
      event({ at: NOW, store: 'vault', secret: 'team/kv/app/db' })
    ],
    [
      'Secret Manager: the log has the project before it',
      facts('db', {}, { id: 'projects/my/secrets/db' }),
      event({ at: NOW, store: 'gcp', secret: 'projects/12/secrets/db' })
    ]
  ])('are the same in %s', (_, one, logged) => {
    expect(states([one], [logged])).toEqual([`${logged.store} ${one.name} in-time`])
  })

  test.each<readonly [string, SecretFacts, AuditEvent]>([
    ['the same name in another account', facts('prod/db'), event({ at: NOW, secret: 'prod/db', account: '999988887777' })],
    ['a name that only ends like it', facts('db'), event({ at: NOW, secret: 'prod/db' })],
    ['a name in other letters', facts('Prod/Db'), event({ at: NOW, secret: 'prod/db' })],
    ['another store’s', facts('app/db'), event({ at: NOW, store: 'vault', secret: 'secret/app/db' })]
  ])('are not the same: %s', (_, one, logged) => {
    expect(states([one], [logged])).toEqual([`listed ${one.name} in-time`, `${logged.store} ${logged.secret?.name} unknown`])
  })

  test('of a secret that the store does not list only the log is told', () => {
    const events = [
      event({ at: NOW - 3 * HOUR, kind: 'write', secret: 'a' }),
      event({ at: NOW - 2 * HOUR, kind: 'rotate', secret: 'a' }),
      failed(4 * HOUR, 'a'),
      event({ at: NOW - 3 * HOUR, kind: 'write', secret: 'b' }),
      failed(HOUR, 'b')
    ]
    const why = 'only the log was read, which knows no period: give the store to be told'
    expect(rows(undefined, events)).toEqual([
      {
        secret: 'b',
        store: 'aws',
        state: 'failing',
        lastRotated: NOW - 3 * HOUR,
        due: undefined,
        failures: 1,
        why: 'its last rotation failed, and 1 in all'
      },
      { secret: 'a', store: 'aws', state: 'unknown', lastRotated: NOW - 2 * HOUR, due: undefined, failures: 1, why }
    ])
    expect(rows([], events)[1]?.why).toBe('the store does not list it: it is another account’s, or is gone')
  })

  test('a secret that was deleted is not asked for any more, unless it was written again', () => {
    const deleted = [event({ at: NOW - HOUR, kind: 'delete', secret: 'gone' })]
    expect(rows(undefined, deleted)).toEqual([])
    expect(rows(undefined, [...deleted, event({ at: NOW, kind: 'write', secret: 'gone' })])).toMatchObject([{ secret: 'gone' }])
  })

  test('ten thousand of each are matched by looking each up, not by comparing all', () => {
    let looks = 0
    const listed = Array.from({ length: 10_000 }, (_, n) => ({
      ...facts(`app/${n}`),
      get name() {
        looks++
        return `app/${n}`
      }
    }))
    const events = listed.map((_, n) => event({ at: NOW, secret: `app/${n}` }))
    looks = 0
    expect(rows(listed, events).every(({ store }) => store === 'aws')).toBe(true)
    expect(looks).toBeLessThan(200_000)
  })
})
