import { beforeEach, describe, expect, test } from 'vitest'
import { CODES, type Code } from '../../shared/errors.ts'
import { findAzurite } from '../servers/azurite.ts'
import { linesOf, readOf, STATE, signal, stage } from './azure-audit-world.ts'
import { eventOf, principalOf } from './azure-events.ts'
import type { FunctionApp } from './azure-host.ts'

if (findAzurite() !== undefined) describe('POST /api/summarize-audit', httpTests)

function httpTests(): void {
  const on = stage()
  let app: FunctionApp
  beforeEach(async () => {
    app = await on.scene.start()
  })

  const ask = (body: unknown, headers = {}) => app.http('summarize-audit', { body, headers })
  const refusal = (code: Code, status: number) => {
    const [retryable, todo] = CODES[code]
    return { status, body: { ok: false, code, retryable, todo } }
  }
  const REQUEST = eventOf('audit-function/http-summarize')

  test('reads what is new, and answers with counts', async () => {
    await on.scene.append('PT1H.json', readOf('db-app'), readOf('db-decoy'))
    expect(await ask(REQUEST)).toMatchObject({
      status: 200,
      body: { action: 'summarize', events: 2, records: 2, findings: { critical: 1 }, told: 1, isCut: false }
    })
    expect(linesOf(app)[0]).toMatchObject({ event: 'asked', ...REQUEST })
  })

  test.each([
    ['no body', undefined],
    ['what is no JSON', '{"action":"hunter2'],
    ['another action', { action: 'rotate', secretId: 'db-app' }],
    ['a field of no request', { action: 'summarize', hunter2: true }],
    ['a list', [{ action: 'summarize' }]]
  ])('refuses %s', async (_, body) => {
    expect(await ask(body)).toMatchObject(refusal('invalid/request', 400))
    expect([on.scene.output(), await on.scene.reports()]).toEqual([expect.not.stringContaining('hunter2'), []])
  })

  test('shows the code of a failure, and no more', async () => {
    await on.scene.kept.put(STATE, Buffer.from('hunter2'), undefined, signal())
    expect(await ask(REQUEST)).toMatchObject(refusal('invalid/state', 500))
  })

  test('with App Service authentication wants the role', async () => {
    app = await on.scene.start({ WEBSITE_AUTH_ENABLED: 'True' })
    const signedIn = (principal: object) => ask(REQUEST, { 'x-ms-client-principal': principalOf(principal) })
    const answers = [await ask(REQUEST), await signedIn({ claims: [] }), await signedIn(eventOf('easy-auth-principal'))]
    expect(answers.map(({ status }) => status)).toEqual([401, 403, 200])
  })
}
