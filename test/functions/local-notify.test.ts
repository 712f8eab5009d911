import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type SlackHarness, startSlack } from '../doubles/channel-slack.ts'
import { ACME, type Example, startExample } from '../doubles/http-example.ts'
import { sharedAuthority } from '../servers/certificates.ts'
import { acmeAdmin, acmeEnv, acmeKey } from './key-world.ts'
import { keyturn } from './local-world.ts'

let acme: Example
let chat: SlackHarness
let folder: string
let env: Record<string, string>
beforeAll(async () => {
  ;[acme, chat] = await Promise.all([startExample(), startSlack()])
  folder = mkdtempSync(join(tmpdir(), 'keyturn-cli-notify-'))
  writeFileSync(join(folder, 'ca.pem'), (await sharedAuthority()).caPem)
  env = {
    ...acmeEnv(acme, join(folder, 'providers.json'), [ACME]),
    KEYTURN_FOLDER: join(folder, 'secrets'),
    KEYTURN_CA_FILE: join(folder, 'ca.pem'),
    KEYTURN_PRIVATE_HOSTS: 'api.acme.example 127.0.0.1',
    KEYTURN_NOTIFY: 'slack:TEAM_SLACK',
    TEAM_SLACK: chat.settings.url.reveal()
  }
  const key = acmeKey(acme, { provider: 'acme', project: 'p', keyId: 'first', apiKey: 'the-value', adminsecret: 'admin' })
  await create(['admin', '--no-managed'], acmeAdmin(acme, 'the-token-of-the-admin'))
  await create(['shop'], key)
  acme.shelf.remove('first')
})
afterAll(async () => {
  await Promise.all([acme.double.close(), chat.stop()])
  rmSync(folder, { recursive: true })
})

async function create([name = '', ...options]: readonly string[], document: object): Promise<void> {
  const made = await keyturn(['create', name, '--from', '-', ...options], env, { stdin: JSON.stringify(document) })
  if (made.exit !== 0) throw new Error(made.err)
}

test('a sweep on one’s own machine pages too, and says so', async () => {
  const { exit, out } = await keyturn(['sweep'], env)
  expect(exit).toBe(5)
  expect(out).toContain('people were told')
  expect((await chat.arrived()).map(({ text }) => text)).toEqual([expect.stringContaining('shop: first is refused')])
})

test('who could not be told is named, in words and in JSON, and never by an address', async () => {
  chat.proxy.setFault(() => chat.refusals.denied)
  const { out, err, exit } = await keyturn(['sweep'], env)
  expect(exit).toBe(5)
  expect(out).toContain('not told: slack:TEAM_SLACK (denied/channel)')
  for (const secret of chat.secrets) expect(`${out}${err}`).not.toContain(secret)
  const { json } = await keyturn(['sweep', '--json'], env)
  const notTold = [{ channel: 'slack:TEAM_SLACK', code: 'denied/channel' }]
  expect(json.results).toMatchObject([{ ok: false, code: 'bug/broken', pages: [{ what: 'broken', notTold }] }])
  chat.proxy.setFault(undefined)
})

test('a channel that is spelled wrongly is told at once, before anything is done', async () => {
  const { err, exit } = await keyturn(['sweep'], { ...env, KEYTURN_NOTIFY: 'slack:TEAM_SLAC mail:ann' })
  expect(exit).not.toBe(0)
  expect(err).toContain('TEAM_SLAC')
  expect(err).toContain('part 2 of KEYTURN_NOTIFY')
})
