import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forget } from '../../shared/audit/merge.ts'
import { AUDIT_DEFAULTS } from '../../shared/audit/settings.ts'
import { type AuditState, emptyState } from '../../shared/audit/state.ts'
import { summarize } from '../../shared/audit/summarize.ts'
import type { Summary } from '../../shared/audit/summary.ts'
import { newFaults } from '../conformance/crash.ts'
import { type BuiltFunction, builtFunction } from '../functions/lambda-runtime.ts'
import { DAY, HOUR, type LambdaWorld, startLambdaWorld } from '../functions/lambda-world.ts'
import { newToken, rotated } from '../rotation/crash-worlds.ts'
import { asOneProcess, type VaultWorld, vaultWorld } from '../rotation/worlds-vault.ts'
import { findOpenbao } from '../servers/openbao.ts'
import { ACCOUNT, arnOf, idOf, recordOf, session } from './cloudtrail-records.ts'
import { logOf, readAll } from './logs.ts'
import type { Json } from './reading.ts'

/** A run over these lines. */
async function audited(lines: readonly string[], state: AuditState): Promise<Summary> {
  const read = await readAll([logOf(`${lines.join('\n')}\n`)], { seen: state.seen })
  expect(read.malformed, 'lines that could not be read').toBe(0)
  const asked = { settings: AUDIT_DEFAULTS, since: undefined, until: undefined, now: undefined, listed: undefined }
  const summary = summarize(read, state, asked)
  forget(state.tally, summary.period.now, AUDIT_DEFAULTS)
  return summary
}

const said = ({ findings }: Summary) => findings.map(({ signal, title }) => `${signal}: ${title}`)

describe('the log of a rotation that Secrets Manager drives, by the calls that its four steps make', () => {
  let built: BuiltFunction
  let world: LambdaWorld
  beforeAll(async () => {
    built = await builtFunction('aws/rotate-database')
    world = await startLambdaWorld({ folder: built.folder, runtime: 'stand-in' })
  })
  afterAll(async () => {
    await world?.close()
    built?.remove()
  })

  let records = 0
  const record = (at: number, more: Json): Json =>
    recordOf({
      eventTime: `${new Date(at).toISOString().slice(0, 19)}Z`,
      eventID: idOf(++records),
      sourceIPAddress: '10.0.4.7',
      ...more
    })

  /** The function's role. */
  const role = {
    ...session('keyturn-rotate', 'rotate-database'),
    inScopeOf: {
      issuerType: 'AWS::Lambda::Function',
      credentialsIssuedTo: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:rotate-database`
    }
  }
  /** A member as CloudTrail spells it; values never are in it. */
  const parameters = (input: Json): Json =>
    Object.fromEntries(
      Object.entries(input).flatMap(([name, value]) =>
        /^Secret(String|Binary)$/.test(name) ? [] : [[`${name.charAt(0).toLowerCase()}${name.slice(1)}`, value]]
      )
    )
  const service = (at: number, eventName: string, name: string): Json =>
    record(at, {
      ...{
        eventName,
        eventType: 'AwsServiceEvent',
        userIdentity: { accountId: ACCOUNT, invokedBy: 'secretsmanager.amazonaws.com' }
      },
      ...{
        sourceIPAddress: 'secretsmanager.amazonaws.com',
        requestParameters: null,
        additionalEventData: { SecretId: arnOf(name) }
      }
    })
  const key = (at: number, eventName: string): Json =>
    record(at, {
      ...{ eventSource: 'kms.amazonaws.com', eventName, userIdentity: { ...role, invokedBy: 'secretsmanager.amazonaws.com' } },
      ...{ sourceIPAddress: 'secretsmanager.amazonaws.com', requestParameters: { encryptionAlgorithm: 'SYMMETRIC_DEFAULT' } }
    })

  /** Rotates, and writes down at `at` what Secrets Manager was asked. */
  async function trailOf(secret: { readonly name: string }, at: number): Promise<readonly Json[]> {
    const trail: Json[] = [service(at, 'RotationStarted', secret.name)]
    world.double.setFault(({ op, input }) => {
      const when = at + trail.length * 400
      const userIdentity = op === 'RotateSecret' ? session('deploy', 'ci') : role
      trail.push(record(when, { eventName: op, userIdentity, requestParameters: parameters(input as Json) }))
      if (/SecretValue$/.test(op)) trail.push(key(when, op === 'PutSecretValue' ? 'GenerateDataKey' : 'Decrypt'))
      return undefined
    })
    expect(await world.rotate(secret)).not.toHaveProperty('error')
    world.double.setFault(undefined)
    return [...trail, service(at + trail.length * 400, 'RotationSucceeded', secret.name)]
  }

  test('raises nothing, where the function is known for weeks', async () => {
    const secret = await world.secret()
    const last = Date.UTC(2026, 5, 15, 3)
    const state = emptyState()
    const reads = Array.from({ length: 60 * 24 }, (_, hour) =>
      record(last - 60 * DAY + hour * HOUR, { userIdentity: session('app', 'pod'), requestParameters: { secretId: secret.name } })
    )
    const trails: (readonly Json[])[] = []
    for (const days of [60, 30, 0]) {
      trails.push(await trailOf(secret, last - days * DAY))
      world.advance(30 * DAY)
    }
    const linesOf = (some: readonly Json[]) => some.map((one) => JSON.stringify(one))
    expect(said(await audited(linesOf([...trails.slice(0, 2).flat(), ...reads]), state))).toEqual([])
    const own = trails[2] ?? []
    expect(own.map(({ eventName }) => eventName)).toEqual(
      expect.arrayContaining(['GetSecretValue', 'PutSecretValue', 'UpdateSecretVersionStage'])
    )
    const summary = await audited(linesOf(own), state)
    expect(said(summary)).toEqual([])
    expect(summary.inventory.find(({ identityName }) => identityName === 'keyturn-rotate')).toMatchObject({
      reads: expect.any(Number),
      denied: 0
    })
    expect(summary.rotation.filter((row) => row.secret === secret.name)).toMatchObject([
      { secret: secret.name, lastRotated: expect.any(Number), failures: 0 }
    ])

    const again = (more: Json) => linesOf(own.map((one) => ({ ...one, ...more, eventID: idOf(++records) })))
    expect(said(await audited(again({ sourceIPAddress: '8.8.8.8' }), state)).toSorted(), 'the same from elsewhere').toEqual([
      'new-network: deploy came from 8.8.8.0/24, where it was never seen',
      'new-network: keyturn-rotate came from 8.8.8.0/24, where it was never seen'
    ])
  })
})

if (findOpenbao() !== undefined)
  describe('the log of a rotation in a real OpenBao', () => {
    let world: VaultWorld
    beforeAll(async () => {
      world = await vaultWorld(newFaults())
    })
    afterAll(() => world?.stop())

    const lines = (): readonly string[] =>
      readFileSync(world.place.openbao?.auditPath ?? '', 'utf8')
        .trim()
        .split('\n')

    /** As it was so many days before, with ids of its own. */
    const before = (some: readonly string[], days: number): readonly string[] =>
      some.map((line) => {
        const entry = JSON.parse(line) as { readonly time: string; readonly request: { readonly id: string } }
        const time = new Date(Date.parse(entry.time) - days * DAY).toISOString()
        return line.replace(entry.time, time).replaceAll(entry.request.id, `${entry.request.id.slice(0, -2)}${days + 10}`)
      })

    test.each([
      ['keeps one version', {}],
      ['keeps several, of which keyturn destroys those of its own pending values', { max_versions: 5 }]
    ])(
      'raises nothing, nor does the retirement of the login before, where keyturn is known for weeks and the mount %s',
      async (_, config) => {
        expect((await world.place.owner('POST', 'config', config)).status).toBe(204)
        const process = asOneProcess(world)
        const subjects = [await world.fresh(), await world.fresh()]
        const ofSetup = lines().length
        for (const n of [1, 2]) {
          world.advance(n * 2 * HOUR)
          for (const { id } of subjects) await rotated(process.core, id, 'rotate', newToken())
          world.advance(2 * HOUR)
          for (const { id } of subjects) await rotated(process.core, id, 'retire', newToken())
        }
        const own = lines().slice(ofSetup)
        expect(own.some((line) => line.includes('/destroy/keyturn/pending/'))).toBe('max_versions' in config)
        const state = emptyState()
        const history = [21, 14, 7].flatMap((days) => before(own, days))
        expect(said(await audited(history, state))).toEqual([])
        const summary = await audited(own, state)
        expect(said(summary)).toEqual([])
        expect(summary.coverage.events).toBeGreaterThan(32)
        expect(summary.inventory[0]).toMatchObject({ reads: expect.any(Number), denied: 0 })
      }
    )
  })
