import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CODES } from '../../shared/errors.ts'
import { eventOf } from './azure-events.ts'
import { type Described, type FunctionApp, startFunctionApp } from './azure-host.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'

let built: BuiltFunction
beforeAll(async () => {
  built = await builtFunction('azure/rotate-database')
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

/** Every binding of a kind, whatever the function. */
const bindingsOf = (functions: readonly Described[], type: string) =>
  functions.flatMap(({ name, bindings }) =>
    Object.values(bindings).flatMap((b) => (b.type === type ? [{ function: name, ...b }] : []))
  )

/** HTTP functions that somebody without a key may call; the library's own default is one of them. */
const openDoors = (functions: readonly Described[]): readonly string[] =>
  bindingsOf(functions, 'httpTrigger').flatMap((b) =>
    ['function', 'admin'].includes(String('authLevel' in b && b.authLevel)) ? [] : [b.function]
  )

describe('the function app', () => {
  test('registers a daily timer, the queue of Key Vault’s events, and a POST that needs a key', async () => {
    const { functions, output } = await start()
    expect(functions.map(({ name }) => name)).toEqual(['sweep', 'near-expiry', 'rotate-database'])
    expect(bindingsOf(functions, 'timerTrigger')).toMatchObject([{ schedule: '0 17 3 * * *', runOnStartup: false }])
    expect(bindingsOf(functions, 'queueTrigger')).toMatchObject([
      { queueName: 'keyturn-near-expiry', connection: 'AzureWebJobsStorage' }
    ])
    expect(bindingsOf(functions, 'httpTrigger')).toMatchObject([{ methods: ['POST'], authLevel: 'function' }])
    expect(output()).toBe('')
  })

  test('has no HTTP function that is anonymous', async () => {
    const { functions } = await start()
    expect(openDoors(functions)).toEqual([])
    const planted = (authLevel?: string): Described => ({
      name: 'x',
      bindings: { t: { type: 'httpTrigger', ...(authLevel && { authLevel }) } }
    })
    expect(openDoors([planted('anonymous'), planted(), planted('admin'), planted('function')])).toEqual(['x', 'x'])
  })

  test('streams nothing: with it the library would listen on every interface', async () => {
    const { capabilities } = await start()
    expect(capabilities).not.toHaveProperty('HttpUri')
  })

  test('takes its schedule from the app setting, and the daily one where that cannot be read', async () => {
    const schedules = []
    for (const KEYTURN_SCHEDULE of ['0 */30 * * * *', 'every day'])
      schedules.push(...bindingsOf((await start({ KEYTURN_SCHEDULE })).functions, 'timerTrigger'))
    expect(schedules).toMatchObject([{ schedule: '0 */30 * * * *' }, { schedule: '0 17 3 * * *' }])
  })
})

describe('with an environment that is broken', () => {
  const BROKEN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'nothing is set': {},
    'nothing is right': {
      KEYTURN_KEY_VAULT_URL: 'planted vault',
      KEYTURN_JOURNAL_URL: 'planted journal',
      KEYTURN_SCHEDULE: 'planted schedule',
      KEYTURN_LOG_LEVEL: 'planted level',
      KEYTURN_NONE: 'planted',
      IDENTITY_ENDPOINT: 'planted endpoint',
      IDENTITY_HEADER: 'planted header'
    }
  }
  describe.each(Object.entries(BROKEN))('where %s', (_, env) => {
    test('everything is registered, and each event is refused by name, one after the other', async () => {
      const app = await start(env)
      expect(app.functions.map(({ name }) => name)).toEqual(['sweep', 'near-expiry', 'rotate-database'])
      const failures = [
        await app.timer('sweep', eventOf('timer')),
        await app.message('near-expiry', JSON.stringify(eventOf('near-expiry'))),
        await app.timer('sweep', eventOf('timer-past-due'))
      ]
      const refusal = { exception: { message: expect.stringMatching(/^invalid\/config: .*KEYTURN_KEY_VAULT_URL/) } }
      expect(failures).toMatchObject([refusal, refusal, refusal])
      const answer = await app.http('rotate-database', { body: eventOf('http-rotate') })
      const [retryable, todo] = CODES['invalid/config']
      expect(answer.body).toEqual({ ok: false, code: 'invalid/config', retryable, todo })
      expect(app.output()).toContain('"code":"invalid/config"')
      expect(app.output()).not.toContain('planted')
    })
  })
})

describe('the bundle', () => {
  const filesOf = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).flatMap((file) => {
      const { size } = statSync(join(folder, file))
      return file.includes('.') ? [{ file, size }] : []
    })

  test('is at most a megabyte, all that is loaded later with it', () => {
    const sizes = filesOf(built.folder).map(({ size }) => size)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_000_000)
  })

  test('has the driver in a file of its own, which the first event loads, and no credential but our own', () => {
    const names = filesOf(built.folder).map(({ file }) => file)
    expect(names).toEqual(expect.arrayContaining(['index.cjs', join('lazy', 'pg.mjs')]))
    expect(names.filter((name) => name.includes('identity'))).toEqual([])
  })
})
