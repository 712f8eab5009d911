import { existsSync, globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { hasMark } from '../../shared/audit/event.ts'
import { leaveOut } from '../left-out.ts'
import { logOf, packed, readAll } from './logs.ts'

/** What the tests look at in a record, which JSON.parse and nothing of ours has read. */
interface Parsed {
  readonly eventID: string
  readonly eventSource: string
  readonly eventName: string
  readonly errorCode?: string
  readonly eventTime: string
  readonly sourceIPAddress: string
  readonly userIdentity: { readonly type?: string; readonly arn?: string }
  readonly requestParameters: { readonly secretId?: string; readonly name?: string; readonly filters?: unknown } | null
  readonly responseElements: { readonly arn?: string; readonly aRN?: string } | null
}

const folder = fileURLToPath(new URL('../../../shared/data/audit/', import.meta.url))

function filesOf(set: string): ReadonlyMap<string, Buffer> {
  const cwd = `${folder}${set}`
  return new Map(
    globSync('*.json', { cwd })
      .sort()
      .map((name) => [name, readFileSync(`${cwd}/${name}`)])
  )
}

function recordsIn(content: Buffer): readonly Parsed[] {
  const parsed = JSON.parse(content.toString('utf8')) as readonly Parsed[] | { readonly Records: readonly Parsed[] }
  return 'Records' in parsed ? parsed.Records : parsed
}

const secretOf = ({ requestParameters: asked, responseElements: answered }: Parsed): string | undefined =>
  (asked?.secretId ?? answered?.arn ?? answered?.aRN ?? asked?.name)
    ?.split(':secret:')
    .at(-1)
    ?.replace(/-\w{6}$/, '')

if (existsSync(folder)) {
  describe('the records of a simulated attack (invictus)', ofInvictus)
  describe('the records of an attack tool (Stratus Red Team)', ofStratus)
} else leaveOut('CloudTrail samples', 'no ../shared/data/audit')

function ofInvictus(): void {
  const files = filesOf('cloudtrail-invictus')
  const records = [...files.values()].flatMap(recordsIn)
  const read = readAll([...files].map(([name, content]) => logOf(content, 64 * 1_024, { name })))
  const of = (source: string, ...names: readonly string[]) =>
    records.filter(
      ({ eventSource, eventName }) =>
        eventSource === `${source}.amazonaws.com` && (names.length === 0 || names.includes(eventName))
    )
  const idsOf = (some: readonly Parsed[]) => some.map(({ eventID }) => eventID).sort()

  test('are all read, and none is damage', async () => {
    const { records: count, malformed, damage, sources, duplicates } = await read
    expect([count, malformed, damage, duplicates]).toEqual([records.length, 0, [], 0])
    expect(new Set(sources.map(({ format }) => format))).toEqual(new Set(['cloudtrail']))
  })

  test('give an event for each record of Secrets Manager, by its own id, time, person and address', async () => {
    const secrets = of('secretsmanager')
    const { all } = await read
    const events = new Map(all.map((event) => [event.id, event]))
    expect(secrets.map(({ eventID }) => events.get(eventID)?.operation)).toEqual(secrets.map(({ eventName }) => eventName))
    for (const { eventID, eventTime, sourceIPAddress, userIdentity } of secrets)
      expect(events.get(eventID)).toMatchObject({
        at: Date.parse(eventTime),
        address: sourceIPAddress,
        identity: { key: `aws:${userIdentity.arn}`, type: 'person' }
      })
  })

  test('name the secret in each record but that of a list', async () => {
    const names = new Map((await read).all.map(({ id, secret }) => [id, secret?.name]))
    const secrets = of('secretsmanager')
    expect(secrets.filter(({ eventID }) => names.get(eventID) === undefined).map(({ eventName }) => eventName)).toEqual([
      'ListSecrets'
    ])
    expect(secrets.map(({ eventID }) => names.get(eventID))).toEqual(secrets.map(secretOf))
    expect(new Set(names.values()).size).toBe(new Set(secrets.map(secretOf)).size)
  })

  test('count reads, writes, descriptions and lists as often as they are', async () => {
    const { all } = await read
    const ids = (kind: string) =>
      all
        .filter((event) => event.kind === kind && event.secret)
        .map(({ id }) => id)
        .sort()
    expect(ids('read')).toEqual(idsOf(of('secretsmanager', 'GetSecretValue')))
    expect(ids('write')).toEqual(idsOf(of('secretsmanager', 'CreateSecret', 'PutSecretValue')))
    expect(ids('describe')).toEqual(idsOf(of('secretsmanager', 'DescribeSecret', 'GetResourcePolicy')))
    expect(all.filter(({ kind }) => kind === 'list').map(({ id }) => id)).toEqual(idsOf(of('secretsmanager', 'ListSecrets')))
  })

  test('show roles that were refused as failed logins, and those that services take as nothing', async () => {
    const roles = of('sts', 'AssumeRole').filter(({ userIdentity }) => userIdentity.type !== 'AWSService')
    const refused = roles.filter(({ errorCode }) => errorCode !== undefined)
    const logins = (await read).all.filter(({ kind }) => kind === 'login')
    expect(logins.map(({ id }) => id).sort()).toEqual(idsOf(roles))
    expect(
      logins
        .filter(({ outcome }) => outcome === 'unauthenticated')
        .map(({ id }) => id)
        .sort()
    ).toEqual(idsOf(refused))
    expect(refused.length).toBeGreaterThan(5)
  })

  test('give the same events when they are laid out otherwise, and packed', async () => {
    const plain = (await read).all.map(({ identity, secret, ...event }) => ({
      ...event,
      identity: identity.key,
      secret: secret?.key
    }))
    const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('')
    const sorted = JSON.stringify(
      records.map((record) => Object.fromEntries(Object.entries(record).toSorted())),
      null,
      1
    )
    for (const content of [lines, sorted]) {
      const { all } = await readAll([logOf(packed(content, 3), 10_000)])
      expect(all.map(({ identity, secret, ...event }) => ({ ...event, identity: identity.key, secret: secret?.key }))).toEqual(
        plain
      )
    }
  })
}

function ofStratus(): void {
  const files = filesOf('cloudtrail-stratus')
  const eventsOf = async (name: string) => (await readAll([logOf(files.get(name) ?? '')])).all

  test('are all read', async () => {
    for (const [name, content] of files)
      expect((await eventsOf(name)).map(({ id }) => id)).toEqual(recordsIn(content).map(({ eventID }) => eventID))
  })

  test('show secrets that are fetched by a filter', async () => {
    const name = 'aws.credential-access.secretsmanager-batch-retrieve-secrets.json'
    const batches = await eventsOf(name)
    expect(recordsIn(files.get(name) ?? Buffer.from('[]')).every(({ requestParameters }) => requestParameters?.filters)).toBe(
      true
    )
    expect(batches.map((event) => [event.kind, event.secret, hasMark(event, 'byFilter')])).toEqual(
      batches.map(() => ['list', undefined, true])
    )
    expect(batches.length).toBeGreaterThan(3)
  })

  test('show secrets that are fetched one by one', async () => {
    const name = 'aws.credential-access.secretsmanager-retrieve-secrets.json'
    const reads = (await eventsOf(name)).filter(({ kind }) => kind === 'read')
    const records = recordsIn(files.get(name) ?? Buffer.from('[]')).filter(({ eventName }) => eventName === 'GetSecretValue')
    expect(reads.map(({ secret }) => secret?.name)).toEqual(records.map(secretOf))
    expect(new Set(reads.map(({ secret }) => secret?.key)).size).toBeGreaterThanOrEqual(20)
  })

  test.each(['cloudtrail-delete', 'cloudtrail-event-selectors', 'cloudtrail-stop'])(
    'show that less is logged: %s',
    async (what) => {
      const events = await eventsOf(`aws.defense-evasion.${what}.json`)
      expect(events.map((event) => [event.kind, event.outcome, hasMark(event, 'lessAudit')])).toEqual([['audit', 'done', true]])
      expect(events[0]?.policy).toMatch(/^stratus-red-team-/)
    }
  )
}
