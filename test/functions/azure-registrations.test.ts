import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CODES } from '../../shared/errors.ts'
import { eventOf } from './azure-events.ts'
import { type Described, type FunctionApp, startFunctionApp } from './azure-host.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'

const APPS = ['rotate-database', 'rotate-api-key']

const apps = new Map<string, BuiltFunction>()
beforeAll(async () => {
  for (const name of APPS) apps.set(name, await builtFunction(`azure/${name}`))
})
afterAll(() => {
  for (const app of apps.values()) app.remove()
})
const folderOf = (name: string): string => apps.get(name)?.folder ?? ''

const open: FunctionApp[] = []
afterEach(async () => {
  for (const app of open.splice(0)) await app.stop()
})

async function start(name: string, env: Readonly<Record<string, string>> = {}): Promise<FunctionApp> {
  const app = await startFunctionApp(folderOf(name), env)
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

describe.each(APPS)('the function app of %s', (name) => {
  test('registers a daily timer, the queue of Key Vault’s events, and a POST that needs a key', async () => {
    const { functions, output } = await start(name)
    expect(functions.map((fn) => fn.name)).toEqual(['sweep', 'near-expiry', name])
    expect(bindingsOf(functions, 'timerTrigger')).toMatchObject([{ schedule: '0 17 3 * * *', runOnStartup: false }])
    expect(bindingsOf(functions, 'queueTrigger')).toMatchObject([
      { queueName: 'keyturn-near-expiry', connection: 'AzureWebJobsStorage' }
    ])
    expect(bindingsOf(functions, 'httpTrigger')).toMatchObject([{ methods: ['POST'], authLevel: 'function' }])
    expect(output()).toBe('')
  })

  test('has no HTTP function that is anonymous', async () => {
    const { functions } = await start(name)
    expect(openDoors(functions)).toEqual([])
    const planted = (authLevel?: string): Described => ({
      name: 'x',
      bindings: { t: { type: 'httpTrigger', ...(authLevel && { authLevel }) } }
    })
    expect(openDoors([planted('anonymous'), planted(), planted('admin'), planted('function')])).toEqual(['x', 'x'])
  })

  test('streams nothing: with it the library would listen on every interface', async () => {
    const { capabilities } = await start(name)
    expect(capabilities).not.toHaveProperty('HttpUri')
  })

  test('takes its schedule from the app setting, and the daily one where that cannot be read', async () => {
    const schedules = []
    for (const KEYTURN_SCHEDULE of ['0 */30 * * * *', 'every day'])
      schedules.push(...bindingsOf((await start(name, { KEYTURN_SCHEDULE })).functions, 'timerTrigger'))
    expect(schedules).toMatchObject([{ schedule: '0 */30 * * * *' }, { schedule: '0 17 3 * * *' }])
  })
})

describe.each(APPS)('the function app of %s, with an environment that is broken,', (name) => {
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
      const app = await start(name, env)
      expect(app.functions.map((fn) => fn.name)).toEqual(['sweep', 'near-expiry', name])
      const failures = [
        await app.timer('sweep', eventOf('timer')),
        await app.message('near-expiry', JSON.stringify(eventOf('near-expiry'))),
        await app.timer('sweep', eventOf('timer-past-due'))
      ]
      const refusal = { exception: { message: expect.stringMatching(/^invalid\/config: .*KEYTURN_KEY_VAULT_URL/) } }
      expect(failures).toMatchObject([refusal, refusal, refusal])
      const answer = await app.http(name, { body: eventOf('http-rotate') })
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
  const namesOf = (name: string) => filesOf(folderOf(name)).map(({ file }) => file)

  test.each(APPS)('of %s is at most a megabyte, all that is loaded later with it, and has no credential but our own', (name) => {
    const sizes = filesOf(folderOf(name)).map(({ size }) => size)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(1_000_000)
    expect(namesOf(name)).toContain('index.cjs')
    expect(namesOf(name).filter((file) => file.includes('identity'))).toEqual([])
  })

  test('has the driver of databases in a file of its own, which the first event loads, and that of keys has none', () => {
    expect(namesOf('rotate-database')).toContain(join('lazy', 'pg.mjs'))
    expect(namesOf('rotate-api-key')).not.toContain(join('lazy', 'pg.mjs'))
  })
})
