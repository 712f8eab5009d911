import type { HttpDescription, HttpRequest } from './http-description.ts'

/**
 * API tokens, as cloudflare-typescript (user/tokens, accounts/tokens) and developers.cloudflare.com/api have them, 2026-11. A new
 * token gets the policies and the IP restriction of current, read just before; not its expiry, since a token that is rotated would
 * end before its time. PUT takes the whole token (name and policies are required, and
 * what is left out is lost: autokaam.com, “The PUT That Wiped Mine Twice”), so disable and enable repeat what was read of that token.
 * Where current is gone nobody knows what a new one may do: make it by hand, and store it. A user’s token is unknown among an
 * account’s and the other way round, to verify too (cloudflare-docs#29486, counterscale#268): such a document gets no new token.
 * Dead is code 1000, Invalid API Token, with 401, or a token whose status verify tells (TokenVerifyResponse). A list without
 * last_used_on cannot tell: no page says what it is of a token that was never used.
 * Rolling (PUT …/value) ends the old value at once, and is not used. Assumed: a last use that may be a day old, a minute to settle.
 * A restriction to addresses must hold keyturn’s own, or verify is refused.
 */
function tokens(path: string, permission: string): Omit<HttpDescription, 'name' | 'source' | 'facts' | 'config'> {
  const url = `https://api.cloudflare.com/client/v4${path}`
  return {
    hosts: ['api.cloudflare.com'],
    auth: { headers: { authorization: 'Bearer {admin.apiKey}' } },
    code: 'errors[0].code',
    create: {
      method: 'POST',
      url,
      json: { name: '{mark}', policies: '{read.policies}', condition: '{read.condition}' },
      needs: `${permission} Write, and whatever the new token may do`,
      id: 'result.id',
      value: 'result.value'
    },
    list: {
      method: 'GET',
      // No count of them is promised, so pages are read until one is empty, as the SDK does (V4PagePaginationArray).
      url: `${url}?per_page=50&direction=asc`,
      needs: `${permission} Read`,
      items: 'result',
      id: 'id',
      name: 'name?',
      createdAt: { at: 'issued_on', format: 'iso' },
      lastUsed: { at: 'last_used_on', format: 'iso' },
      disabled: { at: 'status', equals: ['disabled'] },
      paging: { by: 'page', parameter: 'page', first: 1 }
    },
    read: {
      method: 'GET',
      url: `${url}/{id}`,
      needs: `${permission} Read`,
      errors: [{ when: { status: 404 }, is: 'gone' }],
      values: {
        name: 'result.name',
        policies: 'result.policies',
        condition: 'result.condition?',
        expiresOn: 'result.expires_on?',
        notBefore: 'result.not_before?'
      }
    },
    disable: turned(url, permission, 'disabled'),
    enable: turned(url, permission, 'active'),
    revoke: {
      method: 'DELETE',
      url: `${url}/{id}`,
      needs: `${permission} Write`,
      errors: [{ when: { status: 404 }, is: 'gone' }]
    },
    verify: {
      method: 'GET',
      url: `${url}/verify`,
      auth: { headers: { authorization: 'Bearer {value}' } },
      alive: [{ status: 200, at: 'result.status', equals: ['active'] }],
      dead: [
        { status: 401, at: 'errors[*].code', equals: [1000] },
        { status: 200, at: 'result.status', equals: ['disabled', 'expired'] }
      ]
    }
  }
}

const turned = (url: string, permission: string, status: string): HttpRequest => ({
  method: 'PUT',
  url: `${url}/{id}`,
  json: {
    name: '{read.name}',
    policies: '{read.policies}',
    condition: '{read.condition}',
    expires_on: '{read.expiresOn}',
    not_before: '{read.notBefore}',
    status
  },
  needs: `${permission} Write`,
  repeatable: true
})

const facts = (maxLive: number): HttpDescription['facts'] => ({
  maxLive,
  overlap: 'dual',
  lastUsed: 'coarse',
  telemetryLagMs: 24 * 3_600_000,
  mintedOnce: true,
  settlesMs: 60_000
})

/** Tokens of the user whose token the admin’s is, made from the template “Create additional tokens”. 50: fundamentals/api/reference/limits. */
export const CLOUDFLARE_USER_TOKEN: HttpDescription = {
  name: 'cloudflare-user-token',
  source: { url: 'https://developers.cloudflare.com/api/resources/user/subresources/tokens/', date: '2026-11-25' },
  ...tokens('/user/tokens', 'API Tokens'),
  facts: facts(50)
}

/** Tokens that belong to an account and to no person. 500: fundamentals/api/reference/limits. */
export const CLOUDFLARE_ACCOUNT_TOKEN: HttpDescription = {
  name: 'cloudflare-account-token',
  source: { url: 'https://developers.cloudflare.com/api/resources/accounts/subresources/tokens/', date: '2026-11-25' },
  ...tokens('/accounts/{config.account}/tokens', 'Account API Tokens'),
  config: { account: {} },
  facts: facts(500)
}
