import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createPipelineFromOptions,
  createPipelineRequest
} from '@azure/core-rest-pipeline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Azurite, azuriteToken, startAzurite } from './azurite.ts'
import { askHttps, type HttpsAnswer } from './cloud-https.ts'

/** What the tests rely on in Azurite. */
export function azuriteSuite(): void {
  describe('Azurite', () => {
    let azurite: Azurite
    beforeAll(async () => {
      azurite = await startAzurite()
    })
    afterAll(() => azurite.close())

    const ask = async (method: string, url: string, { headers, body, token }: Ask = {}): Promise<HttpsAnswer> => {
      const authorization = `Bearer ${token ?? (await azurite.credential.getToken()).token}`
      const sent = { authorization, 'x-ms-version': '2025-01-05', 'x-ms-blob-type': 'BlockBlob', ...headers }
      return askHttps({ method, url, headers: sent, ...(body !== undefined && { body }), caPem: azurite.caPem })
    }
    const lease = (url: string, action: string, id?: string, more: Record<string, string> = {}) =>
      ask('PUT', `${url}?comp=lease`, { headers: { 'x-ms-lease-action': action, ...(id && { 'x-ms-lease-id': id }), ...more } })
    const put = (url: string, body: string, headers: Record<string, string> = {}) => ask('PUT', url, { body, headers })
    const container = async (name: string) => {
      await ask('PUT', `${azurite.blobUrl}/${name}?restype=container`)
      return `${azurite.blobUrl}/${name}`
    }

    test('lets a TokenCredential in over verified TLS', async () => {
      const pipeline = createPipelineFromOptions({ tlsOptions: { ca: azurite.caPem }, retryOptions: { maxRetries: 0 } })
      pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential: azurite.credential, scopes: storage }))
      const request = createPipelineRequest({ url: `${azurite.blobUrl}/?comp=list` })
      request.headers.set('x-ms-version', '2025-01-05')
      expect((await pipeline.sendRequest(createDefaultHttpClient(), request)).status).toBe(200)
    })
    test.each([
      ['that has expired', { nowMs: Date.now() - 7200_000 }],
      ['for another audience', { audience: 'https://vault.azure.net' }],
      ['of another issuer', { issuer: 'https://elsewhere.example/' }]
    ])('refuses a token %s', async (_, claims) => {
      const answer = await ask('GET', `${azurite.blobUrl}/?comp=list`, { token: azuriteToken(claims) })
      expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([403, 'AuthenticationFailed'])
    })
    test('writes a blob only where there is none, or where it is the one that was read', async () => {
      const blob = `${await container('conditions')}/state`
      const first = await put(blob, 'one', { 'if-none-match': '*' })
      expect(first.status).toBe(201)
      expect((await put(blob, 'two', { 'if-none-match': '*' })).headers['x-ms-error-code']).toBe('BlobAlreadyExists')
      const etag = first.headers.etag ?? ''
      expect((await put(blob, 'two', { 'if-match': etag })).status).toBe(201)
      const stale = await put(blob, 'three', { 'if-match': etag })
      expect([stale.status, stale.headers['x-ms-error-code']]).toEqual([412, 'ConditionNotMet'])
      expect((await ask('GET', blob)).text).toBe('two')
    })
    test('leases a blob to one holder, who renews and releases it', async () => {
      const blob = `${await container('leases')}/lock`
      await put(blob, '')
      const acquired = await lease(blob, 'acquire', undefined, { 'x-ms-lease-duration': '60' })
      const id = String(acquired.headers['x-ms-lease-id'])
      expect(acquired.status).toBe(201)
      const second = await lease(blob, 'acquire', undefined, { 'x-ms-lease-duration': '60' })
      expect([second.status, second.headers['x-ms-error-code']]).toEqual([409, 'LeaseAlreadyPresent'])
      expect((await lease(blob, 'renew', id)).status).toBe(200)
      expect((await lease(blob, 'release', id)).status).toBe(200)
      expect((await lease(blob, 'renew', id)).status).toBe(409)
    })
    test('refuses a write under a lease that was broken and taken by another', async () => {
      const blob = `${await container('stale')}/lock`
      await put(blob, 'one')
      const taken = { 'x-ms-lease-duration': '60' }
      const stale = String((await lease(blob, 'acquire', undefined, taken)).headers['x-ms-lease-id'])
      expect((await lease(blob, 'break', undefined, { 'x-ms-lease-break-period': '0' })).status).toBe(202)
      await lease(blob, 'acquire', undefined, taken)
      const written = await put(blob, 'two', { 'x-ms-lease-id': stale })
      expect([written.status, written.headers['x-ms-error-code']]).toEqual([412, 'LeaseIdMismatchWithBlobOperation'])
      const bare = await put(blob, 'two')
      expect([bare.status, bare.headers['x-ms-error-code']]).toEqual([412, 'LeaseIdMissing'])
      expect((await ask('GET', blob)).text).toBe('one')
    })
    test('lets a lease end when its time is over, and nobody has to wait for it', async () => {
      const blob = `${await container('ended')}/lock`
      await put(blob, 'one')
      const taken = { 'x-ms-lease-duration': '60' }
      const id = String((await lease(blob, 'acquire', undefined, taken)).headers['x-ms-lease-id'])
      await azurite.advance(59_000)
      expect((await lease(blob, 'acquire', undefined, taken)).status).toBe(409)
      await azurite.advance(2_000)
      expect((await lease(blob, 'acquire', undefined, taken)).status).toBe(201)
      expect((await put(blob, 'two', { 'x-ms-lease-id': id })).status).toBe(412)
    })
    test('delivers a message again that was received and not deleted', async () => {
      const queue = `${azurite.queueUrl}/rotations`
      await ask('PUT', queue)
      const sent = '<QueueMessage><MessageText>rotate</MessageText></QueueMessage>'
      expect((await ask('POST', `${queue}/messages`, { body: sent })).status).toBe(201)
      const receive = () => ask('GET', `${queue}/messages?visibilitytimeout=30`)
      const first = (await receive()).text
      expect([tag(first, 'MessageText'), tag(first, 'DequeueCount')]).toEqual(['rotate', '1'])
      expect(tag((await receive()).text, 'MessageText')).toBeUndefined()
      await azurite.advance(31_000)
      const second = (await receive()).text
      expect([tag(second, 'MessageText'), tag(second, 'DequeueCount')]).toEqual(['rotate', '2'])
      const receipt = (xml: string) =>
        `${queue}/messages/${tag(xml, 'MessageId')}?popreceipt=${encodeURIComponent(tag(xml, 'PopReceipt') ?? '')}`
      expect((await ask('DELETE', receipt(first))).headers['x-ms-error-code']).toBe('PopReceiptMismatch')
      expect((await ask('PUT', `${receipt(second)}&visibilitytimeout=0`, { body: sent })).status).toBe(204)
      const third = (await receive()).text
      expect(tag(third, 'DequeueCount')).toBe('3')
      expect((await ask('DELETE', receipt(third))).status).toBe(204)
      await azurite.advance(31_000)
      expect(tag((await receive()).text, 'MessageText')).toBeUndefined()
    })
  })

  test('Azurite shows the time that it was started with', async () => {
    await using past = await startAzurite({ now: () => Date.UTC(2025, 0, 31, 12) })
    const list = async (nowMs: number) =>
      (
        await askHttps({
          ...{ method: 'GET', url: `${past.blobUrl}/?comp=list`, caPem: past.caPem },
          headers: { authorization: `Bearer ${azuriteToken({ nowMs })}`, 'x-ms-version': '2025-01-05' }
        })
      ).status
    expect(await list(Date.UTC(2025, 0, 31, 12))).toBe(200)
    expect(await list(Date.now())).toBe(403)
  })
}

const storage = 'https://storage.azure.com/.default'
const tag = (xml: string, name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(xml)?.[1]

type Ask = { headers?: Record<string, string>; body?: string; token?: string }
