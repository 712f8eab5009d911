import { describe, expect, test } from 'vitest'
import { composeGcp } from '../../functions/gcp/compose.ts'
import { databases } from '../../functions/gcp/databases.ts'
import { GCP_SETTINGS, readSettings } from '../../functions/gcp/settings.ts'

const GOOD = { NODE_ENV: 'production', GOOGLE_CLOUD_PROJECT: 'keyturn-test' }
const settingsOf = (more: Readonly<Record<string, string>> = {}) => readSettings({ ...GOOD, ...more }).settings
const refusalOf = (environment: Readonly<Record<string, string>>): Promise<unknown> =>
  composeGcp(environment, databases).then(
    () => 'composed',
    (e: { code: string; message: string }) => `${e.code}: ${e.message}`
  )

test('the manual names every setting, and a name that is not in it is a typing error', async () => {
  const all = Object.fromEntries(GCP_SETTINGS.map(({ name }) => [name, '?']))
  expect(await refusalOf({ ...GOOD, ...all })).not.toContain('no setting')
  expect(await refusalOf({ ...GOOD, KEYTURN_LOCATOIN: '?' })).toContain('KEYTURN_LOCATOIN is no setting of keyturn')
})

test('all problems are said at once, with those of the other settings, and no value is quoted', async () => {
  const bad = {
    NODE_ENV: 'hunter2',
    GOOGLE_CLOUD_PROJECT: 'hunter2/',
    KEYTURN_LOCATION: 'hunter2',
    SECRET_MANAGER_ENDPOINT: 'http://hunter2',
    KEYTURN_CALLERS: 'hunter2',
    KEYTURN_IAM_IN_FRONT: 'hunter2',
    KEYTURN_RUN_LIMIT: 'hunter2',
    CLOUD_RUN_TIMEOUT_SECONDS: 'hunter2',
    KEYTURN_CONNECT_TIMEOUT: 'hunter2'
  }
  const refusal = await refusalOf(bad)
  for (const name of Object.keys(bad)) expect(refusal).toContain(name)
  expect(refusal).toMatch(/^invalid\/config: /)
  expect(refusal).not.toContain('hunter2')
})

test.each(['development', 'test', ''])(
  'NODE_ENV=%s is refused: functions-framework would answer with messages of errors',
  async (NODE_ENV) => {
    expect(await refusalOf({ ...GOOD, NODE_ENV })).toBe('invalid/config: NODE_ENV must be production')
  }
)

describe('who may ask over HTTP', () => {
  const both = { KEYTURN_AUDIENCE: 'https://a.example', KEYTURN_CALLERS: 'Job@a.example.com,  person@b.example.com' }

  test('is nobody unless it is said', () => {
    expect(settingsOf().callers).toBeUndefined()
  })

  test('is said by e-mail addresses, in any case', () => {
    const emails = ['job@a.example.com', 'person@b.example.com']
    expect(settingsOf(both).callers).toEqual({ audience: 'https://a.example', emails, iamInFront: false })
    expect(settingsOf({ ...both, KEYTURN_IAM_IN_FRONT: 'True' }).callers).toMatchObject({ iamInFront: true })
  })

  test.each(Object.keys(both))('is not said by %s alone', async (name) => {
    const { [name as keyof typeof both]: value } = both
    expect(await refusalOf({ ...GOOD, [name]: value })).toContain('KEYTURN_AUDIENCE and KEYTURN_CALLERS must be set together')
  })

  test.each(['*', 'allUsers', 'a@b.example.com,', 'a@b', '@b.example.com', 'a b@c.example.com'])(
    'is no pattern and no list with holes: %s',
    async (KEYTURN_CALLERS) => {
      expect(await refusalOf({ ...GOOD, ...both, KEYTURN_CALLERS })).toContain('KEYTURN_CALLERS must be e-mail addresses')
    }
  )
})

describe('a run', () => {
  test('takes nine minutes at most, or what is set', () => {
    expect([settingsOf().runLimitMs, settingsOf({ KEYTURN_RUN_LIMIT: '60m' }).runLimitMs]).toEqual([540_000, 3_600_000])
  })

  test('takes no longer than the function’s own timeout, which the platform tells', () => {
    expect(settingsOf({ CLOUD_RUN_TIMEOUT_SECONDS: '60' }).runLimitMs).toBe(60_000)
    expect(settingsOf({ CLOUD_RUN_TIMEOUT_SECONDS: '3600' }).runLimitMs).toBe(540_000)
  })

  test.each(['59s', '61m', '0', 'long'])('cannot be limited to %s', async (KEYTURN_RUN_LIMIT) => {
    expect(await refusalOf({ ...GOOD, KEYTURN_RUN_LIMIT })).toContain('KEYTURN_RUN_LIMIT must be from 1m to 60m')
  })
})

describe('the endpoint', () => {
  test.each(['https://secretmanager-keyturn.p.googleapis.com', 'https://10.0.0.5/', 'http://127.0.0.1:8080', 'http://[::1]:1'])(
    'may be %s',
    (SECRET_MANAGER_ENDPOINT) => {
      expect(settingsOf({ SECRET_MANAGER_ENDPOINT }).endpoint).toBe(SECRET_MANAGER_ENDPOINT)
    }
  )

  test.each([
    'http://secretmanager.googleapis.com',
    'https://a.example/path',
    'https://u:p@a.example',
    'https://a.example?x',
    'a'
  ])('must not be %s, where an access token would be sent', async (SECRET_MANAGER_ENDPOINT) => {
    expect(await refusalOf({ ...GOOD, SECRET_MANAGER_ENDPOINT })).toContain('SECRET_MANAGER_ENDPOINT must read like')
  })
})

test('what was emptied is not set', () => {
  const empty = { KEYTURN_AUDIENCE: '', KEYTURN_CALLERS: '', KEYTURN_LOCATION: '', SECRET_MANAGER_ENDPOINT: '' }
  expect(settingsOf(empty)).toEqual(settingsOf())
})
