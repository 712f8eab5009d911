import { describe, expect, test } from 'vitest'
import { event, findings, HOUR, identity, MONDAY, type Wanted } from './events.ts'

/** What single events say: what fires, what it says, and what is alike and is none. */
interface Case {
  readonly signal: string
  readonly fires: Wanted
  readonly says: object
  readonly tried?: object
  readonly misses: readonly (readonly [string, Wanted])[]
}

const at = MONDAY
const CASES: readonly Case[] = [
  {
    signal: 'batch-by-filter',
    fires: { at, kind: 'list', operation: 'BatchGetSecretValue', marks: ['byFilter'] },
    says: {
      severity: 'medium',
      title: 'app fetched secrets by a filter, once',
      why: 'A filter gives whatever matches, up to all that the caller may read; a program that needs a secret knows its name.',
      technique: 'T1555.006',
      todo: expect.stringContaining('secretsmanager:BatchGetSecretValue')
    },
    tried: { title: 'app tried to fetch secrets by a filter, once' },
    misses: [['a batch of named secrets', { at, kind: 'list', operation: 'BatchGetSecretValue' }]]
  },
  {
    signal: 'policy-public',
    fires: { at, kind: 'policy', operation: 'PutResourcePolicy', policy: 'app/db', secret: 'app/db', marks: ['madePublic'] },
    says: {
      severity: 'critical',
      title: 'app opened app/db to others',
      why: 'PutResourcePolicy lets in everybody, or another account, and nothing in it narrows that.',
      subject: { policy: 'app/db', secretName: 'app/db' },
      technique: 'T1098',
      todo: expect.stringContaining('Take the policy back now')
    },
    misses: [
      ['a policy that stays closed', { at, kind: 'policy', policy: 'app/db' }],
      ['one that was refused', { at, kind: 'policy', policy: 'app/db', marks: ['madePublic'], outcome: 'denied' }]
    ]
  },
  {
    signal: 'audit-disabled',
    fires: { at, kind: 'audit', operation: 'StopLogging', policy: 'main', marks: ['lessAudit'] },
    says: {
      severity: 'critical',
      title: 'app made the log less: StopLogging',
      why: 'StopLogging of main took effect; after it not everything is logged.',
      subject: { policy: 'main' },
      technique: 'T1562.008',
      todo: expect.stringContaining('Switch it on again')
    },
    tried: { severity: 'high', title: 'app tried to make the log less: StopLogging' },
    misses: [['a log that is switched on', { at, kind: 'audit', operation: 'StartLogging', policy: 'main' }]]
  },
  {
    signal: 'root-used',
    fires: { at, who: identity('root', { isRoot: true, type: 'person' }), kind: 'write', secret: 'app/db', marks: ['root'] },
    says: {
      severity: 'high',
      title: 'root acted as root: PutSecretValue of app/db',
      why: "Seen once. Nothing limits root, and it is nobody's own name.",
      technique: 'T1078.004',
      todo: expect.stringContaining('find the ticket')
    },
    misses: [['what is called root and is not', { at, who: identity('roots'), kind: 'write' }]]
  },
  {
    signal: 'unrecoverable-deletion',
    fires: { at, kind: 'delete', operation: 'DeleteSecret', secret: 'app/db', marks: ['unrecoverable'] },
    says: {
      severity: 'high',
      title: 'app deleted app/db for good',
      why: 'DeleteSecret, once, with no way back.',
      technique: 'T1485',
      todo: expect.stringContaining('restore from a backup')
    },
    tried: { severity: 'medium', title: 'app tried to delete app/db for good' },
    misses: [['a deletion that can be taken back', { at, kind: 'delete', operation: 'DeleteSecret', secret: 'app/db' }]]
  },
  {
    signal: 'old-version-read',
    fires: { at, secret: 'app/db', marks: ['oldVersion'] },
    says: {
      severity: 'medium',
      title: 'app asked for an old version of app/db',
      why: 'GetSecretValue, once, named a version by itself or a secret that is deleted, and got it.',
      technique: 'T1555.006',
      todo: expect.stringContaining('should be restarted')
    },
    tried: { why: expect.stringContaining('and did not get it') },
    misses: [
      ['a read of what is current', { at, secret: 'app/db' }],
      ['a look at an old version that reads no value', { at, kind: 'describe', secret: 'app/db', marks: ['oldVersion'] }]
    ]
  },
  {
    signal: 'decoy-read',
    fires: { at, secret: 'decoy/billing' },
    says: {
      severity: 'critical',
      title: 'app touched the decoy decoy/billing',
      why: 'GetSecretValue was answered; no program uses this secret.',
      technique: 'T1555.006',
      todo: expect.stringContaining('revoke this identity now')
    },
    tried: { severity: 'critical', why: 'GetSecretValue was refused; no program uses this secret.' },
    misses: [
      ['another secret', { at, secret: 'app/decoy/billing' }],
      ['a look at it, as every inventory does', { at, kind: 'describe', secret: 'decoy/billing' }]
    ]
  }
]

const settings = { decoys: ['decoy/*'] }

describe.each(CASES)('$signal', ({ signal, fires, says, tried, misses }) => {
  test('is told with who did what', () => {
    const one = event(fires)
    const { key, name } = one.identity
    const expected = {
      ...says,
      subject: { identity: key, identityName: name, address: '10.1.2.3', ...(says as { subject?: object }).subject }
    }
    expect(findings(signal, [one], { settings })).toMatchObject([
      { ...expected, first: at, last: at, count: 1, evidence: [one.id] }
    ])
  })

  if (tried)
    test('is told too where it was refused, as that', () => {
      expect(findings(signal, [event({ ...fires, outcome: 'denied' })], { settings })).toMatchObject([{ ...tried }])
    })

  test.each(misses)('%s is none', (_, wanted) => {
    expect(findings(signal, [event(wanted)], { settings })).toEqual([])
  })

  test('is told in the run that read it and in no other', () => {
    expect(findings(signal, [event({ at: at + 1 })], { settings, history: [event(fires)] })).toEqual([])
  })
})

describe('old-version-read', () => {
  test('a secret that waits for its deletion is told where it was asked for', () => {
    const asked = event({ at, secret: 'app/db', marks: ['deletionPending'], outcome: 'failed' })
    expect(findings('old-version-read', [asked])).toMatchObject([{ why: expect.stringContaining('and did not get it') }])
  })

  test('who writes a secret reads its old versions too: a rotator does, each time', () => {
    const old = event({ at: at + HOUR, who: 'rotator', marks: ['oldVersion'] })
    const writes = (who: string, secret: string) => [event({ at, who, kind: 'write', secret })]
    expect(findings('old-version-read', [old], { history: writes('rotator', 'app/db') })).toEqual([])
    expect(findings('old-version-read', [old], { history: writes('somebody', 'app/db') })).toHaveLength(1)
    expect(findings('old-version-read', [old], { history: writes('rotator', 'app/other') })).toHaveLength(1)
  })
})

describe('unrecoverable-deletion', () => {
  test.each([
    ['app/db-pending', 'app/db'],
    ['kv/keyturn/pending/app/db', 'kv/app/db']
  ])('%s is keyturn’s own copy of a value for who writes %s, and for nobody else', (copy, main) => {
    const destroyed = { at: at + HOUR, kind: 'delete', secret: copy, marks: ['unrecoverable'] } as const
    const history = [event({ at, who: 'keyturn', kind: 'write', secret: main }), event({ at, who: 'app', secret: main })]
    expect(findings('unrecoverable-deletion', [event({ ...destroyed, who: 'keyturn' })], { history })).toEqual([])
    expect(findings('unrecoverable-deletion', [event({ ...destroyed, who: 'app' })], { history })).toHaveLength(1)
    expect(findings('unrecoverable-deletion', [event({ ...destroyed, who: 'keyturn', secret: main })], { history })).toHaveLength(
      1
    )
  })
})
