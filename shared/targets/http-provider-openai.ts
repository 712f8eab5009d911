import type { HttpDescription, HttpMatch } from './http-description.ts'

/**
 * A key that is unknown or deleted has a code, a key without the scope has none (code: null; of /v1/models the error is a text), so
 * its message is asked. Bodies as people quoted them, 2026-01 to 2026-06: github.com/continuedev/continue/issues/9358 (401,
 * invalid_api_key), issues/10059 (401, null), github.com/marcusquinn/aidevops/issues/24564 (a text). The error guide
 * (developers.openai.com/api/docs/guides/error-codes) names 401 for both, and no codes.
 */
const DEAD: readonly HttpMatch[] = [{ status: 401, at: 'error.code', equals: ['invalid_api_key'] }]
const ALIVE: readonly HttpMatch[] = [
  { status: 200 },
  { status: [401, 403], at: 'error.message', contains: 'Missing scopes:' },
  { status: [401, 403], at: 'error', contains: 'Missing scopes:' }
]

/** Not said by OpenAI, and assumed: no bound of keys that is near, a last use that may be a day old, a minute until a key is taken. */
const FACTS: HttpDescription['facts'] = {
  maxLive: 1_000,
  overlap: 'dual',
  lastUsed: 'coarse',
  telemetryLagMs: 24 * 3_600_000,
  mintedOnce: true,
  settlesMs: 60_000
}

/** openai-node (src/internal/data-residency.ts) and developers.openai.com/api/docs/guides/data-residency. */
const HOSTS = ['', 'us.', 'eu.', 'ae.', 'au.', 'in.', 'jp.'].map((region) => `${region}api.openai.com`)

/** Both lists are of one form. */
const LISTED = {
  items: 'data',
  id: 'id',
  name: 'name?',
  createdAt: { at: 'created_at', format: 'unix-s' },
  lastUsed: { at: 'last_used_at', format: 'unix-s' },
  paging: { by: 'cursor', parameter: 'after', next: 'last_id', more: 'has_more' }
} satisfies Partial<HttpDescription['list']>

const VERDICT = { auth: { headers: { authorization: 'Bearer {value}' } }, alive: ALIVE, dead: DEAD }

const BEARER = { headers: { authorization: 'Bearer {admin.apiKey}' } }

/**
 * Keys of a service account: made under the account, listed and deleted under its project. Paths, bodies, last_used_at (null: never)
 * and paging from openai-node (admin/organization/projects/service-accounts/api-keys.ts, projects/api-keys.ts), 2026-11. That deleting
 * one leaves the account and its other keys: the reference, Delete project API key (2026-11-17); before, it was an error.
 */
export const OPENAI_PROJECT_KEY: HttpDescription = {
  name: 'openai-project-key',
  source: { url: 'https://platform.openai.com/docs/api-reference/project-api-keys', date: '2026-11-25' },
  hosts: HOSTS,
  auth: BEARER,
  config: {
    project: {},
    serviceAccount: {},
    /** Absent, or an empty list: the key may do what the service account may (Modify project API key, at w3cschool.cn/openai_api, 2026-11-17). */
    scopes: { kind: 'json', optional: true },
    /**
     * 1 to 31536000 (the reference, Create API key for a service account). Absent: it does not expire, unless a policy of the
     * organization or the project demands this and sets its most (Create project service account, of its first key). Both as
     * w3cschool.cn/openai_api has them, 2026-11-17. Longer than period, overlap and soak together.
     */
    expiresInSeconds: { kind: 'json', optional: true },
    /** Where the project’s own requests go; a key of a project with data residency is refused elsewhere (guides/data-residency). */
    host: { choices: HOSTS, default: 'api.openai.com' }
  },
  code: 'error.code',
  create: {
    method: 'POST',
    url: 'https://api.openai.com/v1/organization/projects/{config.project}/service_accounts/{config.serviceAccount}/api_keys',
    json: { name: '{mark}', scopes: '{config.scopes}', expires_in_seconds: '{config.expiresInSeconds}' },
    needs: 'an admin key that may write service accounts (api.management.write)',
    id: 'id',
    value: 'value'
  },
  list: {
    method: 'GET',
    // Without `any` some keys that work may be left out (openai-node, APIKeyListParams).
    url: 'https://api.openai.com/v1/organization/projects/{config.project}/api_keys?limit=100&owner_project_access=any',
    needs: 'an admin key that may read the project’s API keys (api.management.read)',
    where: [{ at: 'owner.service_account.id', equals: '{config.serviceAccount}' }],
    ...LISTED
  },
  revoke: {
    method: 'DELETE',
    url: 'https://api.openai.com/v1/organization/projects/{config.project}/api_keys/{id}',
    needs: 'an admin key that may write the project’s API keys (api.management.write)',
    errors: [{ when: { status: 404 }, is: 'gone' }]
  },
  verify: {
    method: 'GET',
    url: 'https://{config.host}/v1/models',
    ...VERDICT
  },
  facts: FACTS
}

/**
 * Admin keys of an organization, by another admin key: two that are each other’s admin secret need no person. Paths, bodies,
 * expires_in_seconds, last_used_at from openai-node (admin/organization/admin-api-keys.ts), 2026-11. A list without last_used_at (it
 * is optional there) cannot tell. An admin key can call no model, so it lists admin keys: whether it is refused there by the same
 * code is taken from the project keys.
 */
export const OPENAI_ADMIN_KEY: HttpDescription = {
  name: 'openai-admin-key',
  source: { url: 'https://platform.openai.com/docs/api-reference/admin-api-keys', date: '2026-11-25' },
  hosts: ['api.openai.com'],
  auth: BEARER,
  /** Absent: it does not expire. Longer than period, overlap and soak together, or it ends before it is replaced. */
  config: { expiresInSeconds: { kind: 'json', optional: true } },
  code: 'error.code',
  create: {
    method: 'POST',
    url: 'https://api.openai.com/v1/organization/admin_api_keys',
    json: { name: '{mark}', expires_in_seconds: '{config.expiresInSeconds}' },
    needs: 'an admin key of an organization owner that may write (api.management.write)',
    id: 'id',
    value: 'value'
  },
  list: {
    method: 'GET',
    url: 'https://api.openai.com/v1/organization/admin_api_keys?limit=100&order=asc',
    needs: 'an admin key that may read (api.management.read)',
    ...LISTED
  },
  revoke: {
    method: 'DELETE',
    url: 'https://api.openai.com/v1/organization/admin_api_keys/{id}',
    needs: 'an admin key that may write (api.management.write)',
    errors: [{ when: { status: 404 }, is: 'gone' }]
  },
  verify: {
    method: 'GET',
    url: 'https://api.openai.com/v1/organization/admin_api_keys?limit=1',
    ...VERDICT
  },
  facts: FACTS
}
