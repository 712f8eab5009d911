import { describe, expect, test } from 'vitest'
import { DAILY, isSchedule, scheduleOf } from '../../functions/azure/schedule.ts'
import { AZURE_SETTINGS, readSettings } from '../../functions/azure/settings.ts'
import { hasCode } from '../../shared/errors.ts'

const GIVEN = {
  KEYTURN_KEY_VAULT_URL: 'https://sample-kv.vault.azure.net/',
  AzureWebJobsStorage__accountName: 'sampleaccount',
  IDENTITY_ENDPOINT: 'http://127.0.0.1:41741/msi/token/',
  IDENTITY_HEADER: 'planted-header'
}
const settingsOf = (more: Readonly<Record<string, string | undefined>> = {}) => readSettings({ ...GIVEN, ...more }).settings

/** The problems with which an environment is refused. */
function problemsOf(environment: Readonly<Record<string, string | undefined>>): string {
  try {
    readSettings(environment)
  } catch (e) {
    if (hasCode(e, 'invalid/config')) return e.message
    throw e
  }
  return 'nothing was refused'
}

describe('the settings on Azure', () => {
  test('are a vault, and what the host gives by itself', () => {
    expect(settingsOf()).toEqual({
      vaultUrl: 'https://sample-kv.vault.azure.net',
      journalUrl: 'https://sampleaccount.blob.core.windows.net/keyturn',
      identity: { endpoint: GIVEN.IDENTITY_ENDPOINT, header: expect.anything(), clientId: undefined },
      easyAuth: false,
      role: 'keyturn.rotate',
      cloud: {},
      runLimitMs: 600_000
    })
    expect(JSON.stringify(settingsOf())).not.toContain('planted-header')
  })

  test('take the journal’s account by the URI of its blob service, or a container of its own', () => {
    const blobs = 'https://sampleaccount.blob.core.chinacloudapi.cn/'
    const container = 'https://other.blob.core.windows.net/rotations'
    expect([
      settingsOf({ AzureWebJobsStorage__blobServiceUri: blobs }).journalUrl,
      settingsOf({ AzureWebJobsStorage__blobServiceUri: blobs, KEYTURN_JOURNAL_URL: `${container}/` }).journalUrl
    ]).toEqual(['https://sampleaccount.blob.core.chinacloudapi.cn/keyturn', container])
  })

  test.each([
    ['True', true],
    ['true', true],
    ['False', false],
    ['', false]
  ])('take WEBSITE_AUTH_ENABLED %j as %j', (value, easyAuth) => {
    expect(settingsOf({ WEBSITE_AUTH_ENABLED: value })).toMatchObject({ easyAuth })
  })

  test('take an emptied setting as one that is not there', () => {
    expect(settingsOf({ KEYTURN_ROLE: '', AZURE_CLIENT_ID: '', KEYTURN_RUN_LIMIT: '' })).toEqual(settingsOf())
  })

  test('are refused with all problems at once, those of every host too, and no value is quoted', () => {
    const bad = {
      KEYTURN_KEY_VAULT_URL: 'http://hunter2.vault.azure.net',
      KEYTURN_JOURNAL_URL: 'https://x.blob.core.windows.net/c?sig=hunter2',
      KEYTURN_RUN_LIMIT: '2h',
      KEYTURN_SCHEDULE: 'hunter2',
      KEYTURN_CONNECT_TIMEOUT: 'hunter2',
      KEYTURN_ROLL: 'hunter2',
      AZURE_CLIENT_ID: 'hunter2'
    }
    const problems = problemsOf(bad)
    expect([...Object.keys(bad), 'IDENTITY_ENDPOINT', 'IDENTITY_HEADER'].filter((name) => !problems.includes(name))).toEqual([])
    expect(problems).not.toContain('hunter2')
  })

  const REFUSED: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
    'no vault': { KEYTURN_KEY_VAULT_URL: undefined },
    'a vault without TLS, also on this machine': { KEYTURN_KEY_VAULT_URL: 'http://127.0.0.1:1' },
    'a vault with a path': { KEYTURN_KEY_VAULT_URL: 'https://sample-kv.vault.azure.net/secrets' },
    'a vault with a password': { KEYTURN_KEY_VAULT_URL: 'https://a:b@sample-kv.vault.azure.net' },
    'a journal without a container': { KEYTURN_JOURNAL_URL: 'https://sampleaccount.blob.core.windows.net/' },
    'no storage account by identity': { AzureWebJobsStorage__accountName: undefined },
    'an account that is none': { AzureWebJobsStorage__accountName: 'x/y' },
    'no identity': { IDENTITY_ENDPOINT: undefined },
    'a limit of seconds': { KEYTURN_RUN_LIMIT: '30s' }
  }
  test.each(Object.entries(REFUSED))('are refused for %s', (_, more) => {
    expect(problemsOf({ ...GIVEN, ...more })).not.toBe('nothing was refused')
  })

  test('are all told in the README’s table', () => {
    const told = AZURE_SETTINGS.map(({ name }) => name)
    expect(problemsOf({ ...GIVEN, ...Object.fromEntries(told.map((name) => [name, ' '])) })).not.toContain('is no setting')
    expect(AZURE_SETTINGS.filter(({ says }) => says.length < 10)).toEqual([])
  })
})

describe('the schedule', () => {
  test.each(['0 17 3 * * *', '0 */5 * * * *', '0 0 9-17 * * 1-5', '0 30 9 * Jan Mon', '30 5/10 0,12 1-31/2 * sun,Wednesday'])(
    '%s is one',
    (text) => {
      expect([isSchedule(text), scheduleOf({ KEYTURN_SCHEDULE: text })]).toEqual([true, text])
    }
  )

  test.each([
    '',
    '17 3 * * *',
    '01:00:00',
    '0 60 * * * *',
    '0 0 0 0 * *',
    '0 0 0 * * 7',
    '0 0 9-5 * * *',
    '0 */0 * * * *',
    'x x x x x x',
    '0 0 0 * jax *',
    '0 0 0 * ja *',
    '0 0 0 * * sundays',
    '0 0 0 * * *,'
  ])('%j is none, and the sweep is daily until it is mended', (text) => {
    expect([isSchedule(text), scheduleOf({ KEYTURN_SCHEDULE: text })]).toEqual([false, DAILY])
  })

  test('is daily where nothing is set', () => {
    expect([scheduleOf({}), isSchedule(DAILY)]).toEqual([DAILY, true])
  })
})
