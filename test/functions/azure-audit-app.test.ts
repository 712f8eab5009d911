import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { composeAzureAudit } from '../../functions/azure/audit.ts'
import { blobEventsOf } from '../../functions/azure/audit-events.ts'
import { blobPlaceIn } from '../../functions/azure/blob-places.ts'
import { CODES, hasCode } from '../../shared/errors.ts'
import { silentLog } from '../../shared/log.ts'
import { eventOf } from './azure-events.ts'
import { type FunctionApp, startFunctionApp } from './azure-host.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'

let built: BuiltFunction
beforeAll(async () => {
  built = await builtFunction('azure/summarize-audit')
})
afterAll(() => built.remove())

const open: FunctionApp[] = []
afterEach(async () => {
  for (const app of open.splice(0)) await app.stop()
})

async function start(env: Readonly<Record<string, string>> = {}): Promise<FunctionApp> {
  const app = await startFunctionApp(built.folder, env)
  open.push(app)
  return app
}

const HUB = {
  KEYTURN_AUDIT_HUB__fullyQualifiedNamespace: 'hubs.servicebus.windows.net',
  KEYTURN_AUDIT_HUB_NAME: 'insights-logs-auditevent'
}

describe('the function app of summarize-audit', () => {
  const bindingsOf = ({ functions }: FunctionApp) => functions.map(({ bindings }) => Object.values(bindings)[0])

  test('registers a daily timer, the queue of blobs, and a POST that needs a key', async () => {
    const app = await start()
    expect(app.functions.map(({ name }) => name)).toEqual(['audit', 'audit-blobs', 'summarize-audit'])
    expect(bindingsOf(app)).toMatchObject([
      { type: 'timerTrigger', schedule: '0 17 3 * * *', runOnStartup: false },
      { type: 'queueTrigger', queueName: 'keyturn-audit-blobs', connection: 'AzureWebJobsStorage' },
      { type: 'httpTrigger', methods: ['POST'], authLevel: 'function' }
    ])
    expect(app.capabilities).not.toHaveProperty('HttpUri')
    expect(app.output()).toBe('')
  })

  test('takes its schedule from the app setting, and the daily one where that cannot be read', async () => {
    const schedules = []
    for (const KEYTURN_SCHEDULE of ['0 */30 * * * *', 'every day'])
      schedules.push(bindingsOf(await start({ KEYTURN_SCHEDULE }))[0])
    expect(schedules).toMatchObject([{ schedule: '0 */30 * * * *' }, { schedule: '0 17 3 * * *' }])
  })

  test('registers an event hub where one is set, tried again until its records were read', async () => {
    const app = await start({ ...HUB, KEYTURN_AUDIT_HUB_GROUP: 'keyturn' })
    expect(app.functions.at(-1)).toMatchObject({
      name: 'audit-records',
      bindings: {
        [Object.keys(app.functions.at(-1)?.bindings ?? {})[0] ?? '']: {
          ...{ type: 'eventHubTrigger', connection: 'KEYTURN_AUDIT_HUB', eventHubName: 'insights-logs-auditevent' },
          ...{ consumerGroup: 'keyturn', cardinality: 'many' }
        }
      },
      retryOptions: { retryStrategy: 'exponentialBackoff', maxRetryCount: -1 }
    })
    expect(bindingsOf(await start(HUB)).at(-1)).toMatchObject({ consumerGroup: '$Default' })
    expect((await start({ KEYTURN_AUDIT_HUB_NAME: 'hub' })).functions).toHaveLength(3)
  })

  test('with nothing set registers everything, and refuses each event by name', async () => {
    const app = await start()
    const refusal = { exception: { message: expect.stringMatching(/^invalid\/config: .*KEYTURN_AUDIT_STATE must be set/) } }
    expect([
      await app.timer('audit', eventOf('timer')),
      await app.message('audit-blobs', JSON.stringify(eventOf('audit-function/blob-created')))
    ]).toMatchObject([refusal, refusal])
    const [retryable, todo] = CODES['invalid/config']
    expect(await app.http('summarize-audit', { body: eventOf('audit-function/http-summarize') })).toMatchObject({
      status: 500,
      body: { ok: false, code: 'invalid/config', retryable, todo }
    })
    expect(app.output()).toContain('"code":"invalid/config"')
  })
})

const GIVEN = {
  KEYTURN_AUDIT_STATE: 'https://acme.blob.core.windows.net/keyturn/audit.state',
  IDENTITY_ENDPOINT: 'http://127.0.0.1:41741/msi/token/',
  IDENTITY_HEADER: 'planted-header'
}
const composed = (more: Readonly<Record<string, string | undefined>> = {}) => composeAzureAudit({ ...GIVEN, ...more })
const problemsOf = async (more: Readonly<Record<string, string | undefined>>): Promise<string> =>
  composed(more).then(
    () => 'nothing was refused',
    (e: unknown) => (hasCode(e, 'invalid/config') ? e.message : Promise.reject(e))
  )

describe('the settings of the audit on Azure', () => {
  test('are a state, and what the host gives by itself', async () => {
    const { host, settings } = await composed()
    expect([settings.easyAuth, settings.role]).toEqual([false, 'keyturn.rotate'])
    const { state, logs, reports, list, notify } = host(silentLog)
    expect([state.place.name, state.name]).toEqual(['https://acme.blob.core.windows.net/keyturn', 'audit.state'])
    expect([logs, reports, list, notify]).toEqual([undefined, undefined, undefined, undefined])
  })

  test('name containers, and what is below them', async () => {
    const of = (container: string) => `https://acme.blob.core.windows.net/${container}`
    const { host } = await composed({ KEYTURN_AUDIT_LOGS: of('logs'), KEYTURN_AUDIT_REPORTS: of('keyturn/my%20reports/') })
    const { logs, reports } = host(silentLog)
    expect(logs).toMatchObject({ place: { name: of('logs') }, prefix: '' })
    expect(reports).toMatchObject({ place: { name: of('keyturn') }, prefix: 'my reports/' })
  })

  test('are refused with all problems at once, and no value is quoted', async () => {
    const problems = await problemsOf({
      ...{ KEYTURN_AUDIT_STATE: 'https://hunter2.blob.core.windows.net/keyturn/', IDENTITY_ENDPOINT: undefined },
      ...{ KEYTURN_AUDIT_LOGS: 'https://x.blob.core.windows.net/logs?sig=hunter2', KEYTURN_AUDIT_REPORTS: 's3://hunter2/' },
      ...{ KEYTURN_AUDIT_ZONE: 'Mars/hunter2', KEYTURN_SCHEDULE: 'hunter2', KEYTURN_AUDIT_HUB_NAME: 'hunter2' },
      ...{ KEYTURN_AUDIT_LOG: 'hunter2', KEYTURN_AUDIT_HUB: 'Endpoint=sb://hunter2' }
    })
    for (const problem of [
      ...['KEYTURN_AUDIT_STATE must name a blob', 'KEYTURN_AUDIT_LOGS must read like', 'KEYTURN_AUDIT_REPORTS must read like'],
      ...['KEYTURN_AUDIT_ZONE must be', 'KEYTURN_SCHEDULE must be', 'IDENTITY_ENDPOINT is not set', 'must be set together'],
      ...['KEYTURN_AUDIT_LOG is no setting', 'KEYTURN_AUDIT_HUB is no setting']
    ])
      expect(problems).toContain(problem)
    expect(problems).not.toContain('hunter2')
  })

  test.each([
    ['a channel of another cloud', { KEYTURN_NOTIFY: 'pubsub:projects/acme-1/topics/alerts' }],
    ['a vault that is none', { KEYTURN_KEY_VAULT_URL: 'http://sample-kv.vault.azure.net' }],
    ['HashiCorp Vault without its address', { KEYTURN_STORE: 'vault' }],
    ['a container without TLS', { KEYTURN_AUDIT_STATE: 'http://acme.blob.core.windows.net/keyturn/audit.state' }],
    ['no container', { KEYTURN_AUDIT_LOGS: 'https://acme.blob.core.windows.net/' }]
  ])('are refused for %s', async (_, more) => {
    expect(await problemsOf(more)).not.toBe('nothing was refused')
  })
})

describe('an event of a storage account', () => {
  const event = eventOf('audit-function/blob-created')
  const told = (given: unknown): readonly unknown[] =>
    blobEventsOf(given).map((parse) => {
      try {
        return parse()
      } catch (e) {
        if (hasCode(e, 'invalid/request')) return `${e.code}: ${e.message}`
        throw e
      }
    })

  test.each(['audit-function/blob-created', 'audit-function/blob-created-cloudevents'])('%s names a blob', (name) => {
    expect(told(eventOf(name))).toMatchObject([
      {
        kind: 'created',
        blob: {
          account: 'https://samplelogs.blob.core.windows.net',
          containerUrl: 'https://samplelogs.blob.core.windows.net/insights-logs-auditevent',
          name: expect.stringMatching(/^resourceId=\/SUBSCRIPTIONS\/.*\/m=00\/PT1H\.json$/)
        }
      }
    ])
  })

  test.each([
    ['without data', undefined],
    ['without an address', { hunter2: 1 }],
    ['of a container', { url: 'https://samplelogs.blob.core.windows.net/hunter2' }],
    ['with a SAS', { url: 'https://samplelogs.blob.core.windows.net/logs/a?sig=hunter2' }],
    ['whose name is not encoded', { url: 'https://samplelogs.blob.core.windows.net/logs/hunter2%' }]
  ])('%s is refused, and not quoted', (_, data) => {
    expect(told({ ...event, data })).toEqual(['invalid/request: an event that names no blob'])
  })

  test.each([
    ['https://a.blob.core.windows.net/logs/../keyturn/x', 'https://a.blob.core.windows.net/keyturn', 'x'],
    ['https://a.blob.core.windows.net/logs/a%20b/%C3%BC', 'https://a.blob.core.windows.net/logs', 'a b/ü'],
    ['https://127.0.0.1:10000/account/logs/x', 'https://127.0.0.1:10000/account/logs', 'x']
  ])('with %s is about a blob of %s', (url, containerUrl, name) => {
    expect(blobPlaceIn(url)).toMatchObject({ containerUrl, name })
  })
})
