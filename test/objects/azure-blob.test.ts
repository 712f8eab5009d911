import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listedBlobs } from '../../shared/objects/azure-blob-list.ts'
import { objectsSuite } from '../conformance/objects.ts'
import { all, bytesOf, CALLS, codeOf, signal, textFrom } from '../conformance/objects-harness.ts'
import { azureCredential } from '../doubles/azure-credential.ts'
import { type HttpProxy, startHttpProxy } from '../doubles/http-proxy.ts'
import { findAzurite } from '../servers/azurite.ts'
import { localIdentity, sharedAuthority } from '../servers/certificates.ts'
import { type AzuriteObjects, blobRefusalOf, containerAt, startAzuriteObjects } from './azure-blob-harness.ts'

if (findAzurite() !== undefined) {
  objectsSuite('Azure Blob Storage, by Azurite', startAzuriteObjects)
  describe('a container, by Azurite', azuriteTests)
}

function azuriteTests(): void {
  let harness: AzuriteObjects
  beforeAll(async () => {
    harness = await startAzuriteObjects()
  })
  afterAll(() => harness.close())

  test('a blob that is appended to is read on from where it ended', async () => {
    const objects = harness.open()
    const name = 'y=2026/m=01/d=02/h=03/m=00/PT1H.json'
    await harness.ask('PUT', name, { 'x-ms-blob-type': 'AppendBlob' })
    const append = (text: string) => harness.ask('PUT', name, {}, { body: bytesOf(text), query: '?comp=appendblock' })
    await append('one\n')
    expect(await textFrom(objects, name, 0)).toBe('one\n')
    await append('two\n')
    expect(await textFrom(objects, name, 4)).toBe('two\n')
    expect(await textFrom(objects, name, 8)).toBe('')
  })

  test('a blob that somebody leased cannot be written', async () => {
    const objects = harness.open()
    const tag = await objects.put('leased', bytesOf('one'), undefined, signal())
    const lease = { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '60' }
    await harness.ask('PUT', 'leased', lease, { query: '?comp=lease' })
    expect(await codeOf(objects.put('leased', bytesOf('two'), tag, signal()))).toBe('denied/archive')
    expect(await textFrom(objects, 'leased', 0)).toBe('one')
  })

  test.each(['..', 'a/../b', './a', 'a/.', ''])('the name `%s`, which no address can hold, is refused', async (name) => {
    const before = harness.network.proxy.calls.length
    const objects = harness.open()
    const works = [
      objects.describe(name, signal()),
      objects.get(name, 10, signal()),
      all(objects.read(name, 0, signal())),
      objects.put(name, bytesOf('x'), undefined, signal())
    ]
    expect(await Promise.all(works.map(codeOf))).toEqual(works.map(() => 'invalid/object'))
    expect(harness.network.proxy.calls.length).toBe(before)
  })
}

describe('what Azure Storage answers', () => {
  let server: HttpProxy
  let caPem: string
  beforeAll(async () => {
    caPem = (await sharedAuthority()).caPem
    server = await startHttpProxy('https://127.0.0.1:1', { tls: { ...(await localIdentity()), caPem } })
  })
  afterAll(() => server.close())
  const container = () => containerAt(`${server.url}/account/logs`, { caPem, credential: azureCredential('keyturn') })

  test.each([
    ['of another state', 412, 'ConditionNotMet', 'conflict/object-changed'],
    ['of a blob that is there', 409, 'BlobAlreadyExists', 'conflict/object-changed'],
    ['of a blob that was deleted', 404, 'BlobNotFound', 'conflict/object-changed'],
    ['of a container that is not there', 404, 'ContainerNotFound', 'not-found/archive'],
    ['of a container that is being deleted', 409, 'ContainerBeingDeleted', 'not-found/archive'],
    ['of a blob of another type', 409, 'InvalidBlobType', 'invalid/object'],
    ['of a policy', 409, 'BlobImmutableDueToPolicy', 'denied/archive'],
    ['of a token', 401, 'InvalidAuthenticationInfo', 'denied/archive'],
    ['of a right that is missing', 403, 'SomethingNew', 'denied/archive'],
    ['of a state that passes', 409, 'SomethingNew', 'unavailable/archive'],
    ['of its own trouble', 500, 'OperationTimedOut', 'unavailable/archive'],
    ['of too much', 503, 'ServerBusy', 'throttled/archive'],
    ['of a request that is ours to mend', 400, 'SomethingNew', 'bug/internal']
  ])('to a write, %s (%i %s), is %s', async (_, status, code, expected) => {
    server.setFault(() => blobRefusalOf(status, code))
    expect(await codeOf(container().put('state', bytesOf('x'), '"1"', signal()))).toBe(expected)
  })

  test('of a blob in the archive tier is that it cannot be read', async () => {
    server.setFault(() => blobRefusalOf(409, 'BlobArchived'))
    expect(await codeOf(all(container().read('old', 0, signal())))).toBe('invalid/object')
  })

  test('of a denial names the role', async () => {
    server.setFault(() => blobRefusalOf(403, 'AuthorizationPermissionMismatch'))
    await expect(container().put('state', bytesOf('x'), undefined, signal())).rejects.toThrow('Storage Blob Data Contributor')
    await expect(container().get('state', 10, signal())).rejects.toThrow('Storage Blob Data Reader')
  })

  test('is not waited for where the credential gives no token', async () => {
    const credential = {
      getToken: async () => {
        throw Object.assign(new Error('none'), { name: 'CredentialUnavailableError' })
      }
    }
    const denied = containerAt(`${server.url}/account/logs`, { caPem, credential })
    for (const [call, work] of CALLS) expect([call, await codeOf(work(denied, 'any'))]).toEqual([call, 'denied/archive'])
  })
})

test.each(['http://127.0.0.1:1/logs', 'https://account.blob.core.windows.net', 'https://a.example/logs?sig=x', 'logs'])(
  'the address %s is refused before anything is sent to it',
  async (url) => {
    const make = async () => containerAt(url, { caPem: '', credential: azureCredential('keyturn') })
    expect(await codeOf(make())).toBe('invalid/config')
  }
)

describe('a page of List Blobs', () => {
  const page = (blobs: string, next = '<NextMarker />') =>
    `\uFEFF<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="https://a.example/" ContainerName="logs"><Blobs>${blobs}</Blobs>${next}</EnumerationResults>`
  const blob = (name: string) =>
    `<Blob>${name}<Properties><Last-Modified>Fri, 02 Jan 2026 03:04:05 GMT</Last-Modified><Etag>0x8DE49A</Etag><Content-Length>12</Content-Length></Properties><OrMetadata /></Blob>`

  test('is read as the reference prints it', () => {
    expect(listedBlobs(page(blob('<Name>a/b.json</Name>'), '<NextMarker>2!72!MDAw&amp;</NextMarker>'))).toEqual({
      objects: [{ name: 'a/b.json', bytes: 12, changedAt: Date.UTC(2026, 0, 2, 3, 4, 5), tag: '"0x8DE49A"' }],
      next: '2!72!MDAw&'
    })
    expect(listedBlobs(page(''))).toEqual({ objects: [], next: undefined })
    expect(listedBlobs(page('', '<NextMarker></NextMarker>'))?.next).toBeUndefined()
  })

  test.each([
    ['<Name Encoded="true">a%EF%BF%BE%2Fb</Name>', 'a\uFFFE/b'],
    ['<Name>a%2Fb</Name>', 'a%2Fb'],
    ['<Name>&lt;/Name&gt;&lt;Etag&gt;&amp;lt;&quot;&apos;</Name>', '</Name><Etag>&lt;"\''],
    ['<Name>&#x1F511;&#228;</Name>', '🔑ä']
  ])('has the name in %s as it is', (element, name) => {
    expect(listedBlobs(page(blob(element)))?.objects).toMatchObject([{ name, tag: '"0x8DE49A"' }])
  })

  test('that is another page is none', () => {
    expect(listedBlobs('<html>log in first</html>')).toBeUndefined()
    expect(listedBlobs('')).toBeUndefined()
  })
})
