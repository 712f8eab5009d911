import type { HttpDescription } from './http-description.ts'

/**
 * API keys of an account or a subuser, by another of its keys. Paths, bodies, 100 keys, “some small propagation delay” after a
 * deletion: sendgrid-oai (spec/paths/security/api_keys.json), 2026-11. No last use, no time of creation, no pages.
 * Without scopes a key may do everything (create-api-keys), so the document must name them; GET /v3/api_keys/{id}, which has those of
 * current, is described in two shapes. SendGrid has no codes, so messages are asked, as far as they are written down: `authorization
 * required` (GET /v3/scopes, 401), `authorization grant is invalid, expired, or revoked` (401; sendgrid-php#793, sendgrid-csharp#856),
 * `Cannot create more than 100 API Keys` (403; sendgrid.kke.co.jp, API_Keys). Any key may read its own scopes. Assumed: a minute to settle.
 */
export const SENDGRID_API_KEY: HttpDescription = {
  name: 'sendgrid-api-key',
  source: { url: 'https://www.twilio.com/docs/sendgrid/api-reference/api-keys', date: '2026-11-25' },
  hosts: ['api.sendgrid.com', 'api.eu.sendgrid.com'],
  auth: { headers: { authorization: 'Bearer {admin.apiKey}' } },
  config: {
    host: { choices: ['api.sendgrid.com', 'api.eu.sendgrid.com'], default: 'api.sendgrid.com' },
    scopes: { kind: 'json' }
  },
  create: {
    method: 'POST',
    url: 'https://{config.host}/v3/api_keys',
    json: { name: '{mark}', scopes: '{config.scopes}' },
    needs: 'the scope api_keys.create, and every scope of the new key',
    errors: [{ when: { status: 403, at: 'errors[*].message', contains: 'Cannot create more than' }, is: 'full' }],
    id: 'api_key_id',
    value: 'api_key'
  },
  list: {
    method: 'GET',
    url: 'https://{config.host}/v3/api_keys',
    needs: 'the scope api_keys.read',
    items: 'result',
    id: 'api_key_id',
    name: 'name?'
  },
  revoke: {
    method: 'DELETE',
    url: 'https://{config.host}/v3/api_keys/{id}',
    needs: 'the scope api_keys.delete',
    errors: [{ when: { status: 404 }, is: 'gone' }]
  },
  verify: {
    method: 'GET',
    url: 'https://{config.host}/v3/scopes',
    auth: { headers: { authorization: 'Bearer {value}' } },
    alive: [{ status: 200 }],
    dead: [
      { status: 401, at: 'errors[*].message', contains: 'authorization required' },
      { status: 401, at: 'errors[*].message', contains: 'authorization grant is invalid' }
    ]
  },
  facts: { maxLive: 100, overlap: 'dual', lastUsed: 'none', telemetryLagMs: 0, mintedOnce: true, settlesMs: 60_000 }
}
