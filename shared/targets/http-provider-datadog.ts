import type { HttpDescription } from './http-description.ts'

/** docs.datadoghq.com/api/latest/key-management, the table of sites. */
const SITES = [
  'datadoghq.com',
  'us3.datadoghq.com',
  'us5.datadoghq.com',
  'datadoghq.eu',
  'ap1.datadoghq.com',
  'ap2.datadoghq.com',
  'uk1.datadoghq.com',
  'ddog-gov.com',
  'us2.ddog-gov.com'
]

/**
 * API keys of an organization, by an API key and an application key. Paths, page[size] up to 100, permissions and sites: the Key
 * Management reference; attributes, date_last_used among them: datadog-api-client-typescript (FullAPIKeyAttributes,
 * PartialAPIKeyAttributes, which has it since 2026), 2026-11. A list without date_last_used cannot tell.
 * 50 keys, names that nobody else has: docs.datadoghq.com/account_management/api-app-keys (Support raises the 50: such an organization
 * needs a description of its own). Dead is 403 with Datadog’s one word for it: “If invalid, a 403 is returned” (Validate API key), the
 * body in docs.datadoghq.com/developers/authorization (“Forbidden errors”); a key of another site is answered so too.
 * mintedOnce is false: GET /api/v2/api_keys/{id} has attributes.key. Assumed: a last use that may be a day old, a minute to settle.
 */
export const DATADOG_API_KEY: HttpDescription = {
  name: 'datadog-api-key',
  source: { url: 'https://docs.datadoghq.com/api/latest/key-management/', date: '2026-11-25' },
  hosts: SITES.map((site) => `api.${site}`),
  auth: { headers: { 'dd-api-key': '{admin.apiKey}', 'dd-application-key': '{admin.applicationKey}' } },
  config: {
    site: { choices: SITES, default: 'datadoghq.com' },
    category: { optional: true },
    /** A key for Agents with Remote Configuration; absent, Datadog decides. */
    remoteConfigReadEnabled: { kind: 'json', optional: true }
  },
  create: {
    method: 'POST',
    url: 'https://api.{config.site}/api/v2/api_keys',
    json: {
      data: {
        type: 'api_keys',
        attributes: {
          name: '{mark}',
          category: '{config.category}',
          remote_config_read_enabled: '{config.remoteConfigReadEnabled}'
        }
      }
    },
    needs: 'the permission api_keys_write, of an application key that may do it',
    id: 'data.id',
    value: 'data.attributes.key'
  },
  list: {
    method: 'GET',
    url: 'https://api.{config.site}/api/v2/api_keys?page[size]=100&sort=created_at',
    needs: 'the permission api_keys_read, of an application key that may do it',
    items: 'data',
    id: 'id',
    name: 'attributes.name?',
    createdAt: { at: 'attributes.created_at', format: 'iso' },
    lastUsed: { at: 'attributes.date_last_used', format: 'iso' },
    paging: { by: 'page', parameter: 'page[number]', first: 0, total: 'meta.page.total_filtered_count' }
  },
  revoke: {
    method: 'DELETE',
    url: 'https://api.{config.site}/api/v2/api_keys/{id}',
    needs: 'the permission api_keys_delete, of an application key that may do it',
    errors: [{ when: { status: 404 }, is: 'gone' }]
  },
  verify: {
    method: 'GET',
    url: 'https://api.{config.site}/api/v1/validate',
    auth: { headers: { 'dd-api-key': '{value}' } },
    alive: [{ status: 200, at: 'valid', equals: [true] }],
    dead: [{ status: 403, at: 'errors[*]', equals: ['Forbidden'] }]
  },
  facts: {
    maxLive: 50,
    overlap: 'dual',
    lastUsed: 'coarse',
    telemetryLagMs: 24 * 3_600_000,
    mintedOnce: false,
    settlesMs: 60_000
  }
}
