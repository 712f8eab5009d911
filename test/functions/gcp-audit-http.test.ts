import { describe, expect, test } from 'vitest'
import { composeGcpAudit } from '../../functions/gcp/audit.ts'
import { CODES, type Code, hasCode } from '../../shared/errors.ts'
import { LOG, linesOf, readOf, STATE, signal, stage } from './gcp-audit-world.ts'
import { SCHEDULER } from './gcp-cloud.ts'
import { gcpEventOf, httpEventOf, type Json } from './gcp-events.ts'
import type { Framework, HttpRequest, Target } from './gcp-framework.ts'
import { AGAIN, asking, binary } from './gcp-world.ts'

const on = stage()

describe('by HTTP', () => {
  const token = () => on.world.metadata.idToken({ email: SCHEDULER })
  const ask = (process: Framework, body?: Json | string, bearer: string | undefined = token()) =>
    process.send(asking(httpEventOf('audit-function/scheduler-summarize'), bearer, body))
  const refusal = (status: number, code: Code) => ({
    status,
    json: { ok: false, code, retryable: CODES[code][0], todo: CODES[code][1] }
  })

  test('Cloud Scheduler has all that is new read, and is answered with counts', async () => {
    on.scene.write(LOG, readOf('db-app'), readOf('db-decoy'))
    on.scene.write('elsewhere.json', readOf('db-app'))
    const process = await on.scene.start('onRequest')
    expect(await ask(process)).toMatchObject({
      status: 200,
      json: { action: 'summarize', events: 2, records: 2, findings: { critical: 1 }, told: 1, isCut: false }
    })
    expect(await ask(process)).toMatchObject({ status: 200, json: { events: 0, records: 0 } })
  })

  test.each(['', 'action=summarize', '[]', '{"action":"rotate","secretId":"a"}', '{"action":"summarize","hunter2":1}'])(
    'a body that reads %j is refused',
    async (body) => {
      const process = await on.scene.start('onRequest')
      expect(await ask(process, body)).toMatchObject(refusal(400, 'invalid/request'))
      expect(await on.scene.reports()).toEqual([])
    }
  )

  test('nobody is let in but the callers that are set', async () => {
    const process = await on.scene.start('onRequest')
    const stranger = on.world.metadata.idToken({ email: 'stranger@example.com' })
    const answers = [
      await ask(process, undefined, stranger),
      await process.send({ ...asking(httpEventOf('audit-function/scheduler-summarize'), undefined) })
    ]
    expect(answers).toMatchObject([refusal(403, 'denied/caller'), refusal(401, 'denied/caller')])
    const open = await on.scene.start('onRequest', { KEYTURN_AUDIENCE: undefined, KEYTURN_CALLERS: undefined })
    expect(await ask(open)).toMatchObject(refusal(500, 'invalid/config'))
    expect(await on.scene.reports()).toEqual([])
  })

  test('a failure is answered by its code, and by no more', async () => {
    await on.scene.kept.put(STATE, Buffer.from('hunter2'), undefined, signal())
    expect(await ask(await on.scene.start('onRequest'))).toMatchObject(refusal(500, 'invalid/state'))
  })
})

describe('settings that are wrong', () => {
  const TARGETS: Readonly<Record<string, HttpRequest>> = {
    onLogEntry: binary(gcpEventOf('audit-function/log-entry')),
    onObject: binary(gcpEventOf('audit-function/object-finalized'))
  }
  test.each(Object.entries(TARGETS))('refuse every event, which comes again when they are right: %s', async (target, request) => {
    const process = await on.scene.start(target as Target, { KEYTURN_AUDIT_STATE: undefined })
    expect(await process.send(request)).toMatchObject(AGAIN)
    expect(await linesOf(process)).toMatchObject([{ severity: 'ERROR', event: 'failed', code: 'invalid/config' }])
  })

  const problemsOf = async (environment: Readonly<Record<string, string>>): Promise<string> =>
    composeGcpAudit(environment).then(
      () => 'nothing was refused',
      (e: unknown) => (hasCode(e, 'invalid/config') ? e.message : Promise.reject(e))
    )
  const GIVEN = { NODE_ENV: 'production', KEYTURN_AUDIT_STATE: 'gs://keyturn/audit.state' }

  test('are told all at once, and not quoted', async () => {
    const problems = await problemsOf({
      ...{ KEYTURN_AUDIT_STATE: 'gs://hunter2', KEYTURN_AUDIT_LOGS: 's3://hunter2/', KEYTURN_AUDIT_REPORTS: 'hunter2' },
      ...{ KEYTURN_AUDIT_HOURS: 'hunter2', KEYTURN_AUDIT_LOG: 'hunter2', KEYTURN_AUDIENCE: 'hunter2' },
      ...{ CLOUD_STORAGE_ENDPOINT: 'http://hunter2.example', NODE_ENV: 'hunter2' }
    })
    for (const problem of [
      ...['KEYTURN_AUDIT_STATE must name an object', 'KEYTURN_AUDIT_LOGS must read like', 'KEYTURN_AUDIT_REPORTS must read like'],
      ...['KEYTURN_AUDIT_HOURS must be', 'KEYTURN_AUDIT_LOG is no setting', 'CLOUD_STORAGE_ENDPOINT must read like'],
      ...['NODE_ENV must be production', 'must be set together']
    ])
      expect(problems).toContain(problem)
    expect(problems).not.toContain('hunter2')
  })

  test.each([
    ['a channel of another cloud', { KEYTURN_NOTIFY: 'sns:arn:aws:sns:eu-west-1:123456789012:alerts' }],
    ['HashiCorp Vault without its address', { KEYTURN_STORE: 'vault' }]
  ])('are refused for %s', async (_, more) => {
    expect(await problemsOf(GIVEN)).toBe('nothing was refused')
    expect(await problemsOf({ ...GIVEN, ...more })).not.toBe('nothing was refused')
  })
})
