import type { HttpDescription } from './http-description.ts'

/**
 * Standard API keys of an account (a pair: SK… and its secret), by a Main key or by the Account SID and the Auth Token as keyId and
 * apiKey of the admin’s secret. Paths, forms, RFC 2822 times, pages up to 1000, 201 and 204: twilio.com/docs/usage/api/keys (Key
 * resource v2010) and twilio-oai, 2026-11. v2010 makes Standard keys only: a Restricted key must not be rotated by this, since its
 * successor would be allowed more. No last use.
 * verify lists TwiML apps, which a Standard key may do: it may not read /Accounts or /Keys, and that is answered with 20003 as well
 * (docs/api/errors/20003), the code for a deleted key. 20003 is also said of an account that is suspended or closed, and of a
 * key of another region (docs/global-infrastructure/manage-regional-api-credentials): hence the host.
 * 70151, Maximum Number Of API Keys Exceeded: docs/api/errors/70151, without a status or the number. 20404 with 404: docs/api/errors/20404.
 * Assumed: no bound that is near, a minute to settle.
 */
export const TWILIO_API_KEY: HttpDescription = {
  name: 'twilio-api-key',
  source: { url: 'https://www.twilio.com/docs/iam/api-keys/key-resource-v2010', date: '2026-11-25' },
  hosts: ['api.twilio.com', 'api.dublin.ie1.twilio.com', 'api.sydney.au1.twilio.com', 'api.tokyo.jp1.twilio.com'],
  auth: { basic: { user: '{admin.keyId}', password: '{admin.apiKey}' } },
  config: {
    account: {},
    host: {
      choices: ['api.twilio.com', 'api.dublin.ie1.twilio.com', 'api.sydney.au1.twilio.com', 'api.tokyo.jp1.twilio.com'],
      default: 'api.twilio.com'
    }
  },
  code: 'code',
  create: {
    method: 'POST',
    url: 'https://{config.host}/2010-04-01/Accounts/{config.account}/Keys.json',
    form: { FriendlyName: '{mark}' },
    needs: 'a Main API key, or the Account SID and the Auth Token',
    errors: [{ when: { status: [400, 403, 409, 422], at: 'code', equals: [70151] }, is: 'full' }],
    id: 'sid',
    value: 'secret'
  },
  list: {
    method: 'GET',
    url: 'https://{config.host}/2010-04-01/Accounts/{config.account}/Keys.json?PageSize=1000',
    needs: 'a Main API key, or the Account SID and the Auth Token',
    items: 'keys',
    id: 'sid',
    name: 'friendly_name?',
    createdAt: { at: 'date_created', format: 'rfc-2822' },
    paging: { by: 'link', next: 'next_page_uri' }
  },
  revoke: {
    method: 'DELETE',
    url: 'https://{config.host}/2010-04-01/Accounts/{config.account}/Keys/{id}.json',
    needs: 'a Main API key, or the Account SID and the Auth Token',
    errors: [{ when: { status: 404, at: 'code', equals: [20404] }, is: 'gone' }]
  },
  verify: {
    method: 'GET',
    url: 'https://{config.host}/2010-04-01/Accounts/{config.account}/Applications.json?PageSize=1',
    auth: { basic: { user: '{id}', password: '{value}' } },
    alive: [{ status: 200 }],
    dead: [{ status: 401, at: 'code', equals: [20003] }]
  },
  facts: { maxLive: 1_000, overlap: 'dual', lastUsed: 'none', telemetryLagMs: 0, mintedOnce: true, settlesMs: 60_000 }
}
