import { describe, expect, it } from 'vitest'
import { type HttpApiKeySettings, httpApiKey, httpApiKeys } from '../../shared/targets/http-api-key.ts'
import { UNSUPPORTED } from '../../shared/targets/http-unsupported.ts'
import { SecretText } from '../../shared/types.ts'
import { PLANTED, refusal } from '../conformance/target-harness.ts'
import { ACME } from '../doubles/http-example.ts'
import { BOLT } from '../doubles/http-example-form.ts'

const settings: HttpApiKeySettings = { admin: async () => expect.fail('it was asked') }
const targetOf = httpApiKeys([ACME, BOLT], settings)
const document = (fields: Readonly<Record<string, unknown>>) =>
  new SecretText(JSON.stringify({ type: 'http-api-key', provider: 'acme', apiKey: PLANTED, ...fields }))

describe('the provider that a document names', () => {
  it('is a description by its name, with its own facts', () => {
    expect(targetOf(document({ provider: 'acme' })).facts).toMatchObject({
      name: 'acme',
      maxLive: 5,
      canDisable: true,
      lastUsed: 'precise'
    })
    expect(targetOf(document({ provider: 'bolt' })).facts).toMatchObject({
      name: 'bolt',
      maxLive: 4,
      canDisable: false,
      lastUsed: 'none'
    })
    expect(targetOf(document({ provider: 'acme' }))).toBe(targetOf(document({ provider: 'acme', more: 1 })))
  })

  it('is never a description of the document’s own: whoever writes the secret would send the admin’s token anywhere', async () => {
    for (const provider of [
      { ...ACME, hosts: ['evil.example'] },
      [ACME],
      JSON.stringify(ACME),
      'Acme',
      '../acme',
      '',
      7,
      null,
      undefined
    ]) {
      const e = await refusal(() => targetOf(document({ provider })))
      expect(e).toMatchObject({
        code: 'invalid/document',
        message: expect.stringContaining('provider must be the name of a description')
      })
    }
  })

  it('that nobody described is named, with those that are', async () => {
    const e = await refusal(() => targetOf(document({ provider: 'volt' })))
    expect(e).toMatchObject({ code: 'invalid/document', message: expect.stringContaining('none of acme, bolt') })
    expect((await refusal(() => targetOf(document({ provider: 'constructor' })))).code).toBe('invalid/document')
  })

  it('of another type of document is another target’s', async () => {
    expect((await refusal(() => targetOf(document({ type: 'aws-iam-access-key' })))).code).toBe('invalid/kind')
  })

  it.each(Object.keys(UNSUPPORTED))('%s cannot be had by an API, and what to do instead is said', async (provider) => {
    const e = await refusal(() => targetOf(document({ provider })))
    expect(e).toMatchObject({ code: 'unsupported/provider', retryable: false })
    expect(e.message.startsWith(`${provider}: `)).toBe(true)
    expect(e.message.length).toBeGreaterThan(80)
  })

  it('may be described by the deployment although it is in that table', () => {
    const own = httpApiKeys([{ ...ACME, name: 'stripe' }], settings)
    expect(own(document({ provider: 'stripe' })).facts.name).toBe('stripe')
  })
})

it('descriptions are checked before anything is sent: one name twice, one that is wrong, one with room for one key', async () => {
  const none = { ...ACME, facts: { ...ACME.facts, overlap: 'none' } } as const
  expect((await refusal(() => httpApiKeys([ACME, ACME], settings))).code).toBe('invalid/description')
  expect((await refusal(() => httpApiKeys([BOLT, { ...ACME, hosts: [] }], settings))).code).toBe('invalid/description')
  expect((await refusal(() => httpApiKey(none, settings))).code).toBe('unsupported/overlap')
})
