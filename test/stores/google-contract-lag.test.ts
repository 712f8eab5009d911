import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mask, PROJECT, type Subject, subject } from './google-contract-subject.ts'

const APP = `${PROJECT}/secrets/app`
const HOUR = 3_600_000

describe('the double of Google Secret Manager, while it converges', () => {
  let s: Subject
  beforeEach(async () => {
    s = await subject()
    await s.create(['one'], { annotations: { a: '1' } })
  })
  afterEach(() => s.close())

  const get = async (path = APP) => (await s.send('GET', path)).body
  const read = async (version: string): Promise<unknown> => {
    const { body, status } = await s.send('GET', `${APP}/versions/${version}:access`)
    return status === 200 ? Buffer.from(String((body.payload as { data: string }).data), 'base64').toString() : status
  }
  const change = (verb: string, number: number) => s.send('POST', `${APP}/versions/${number}:${verb}`, {})
  const patch = (body: object, ...paths: string[]) => s.send('PATCH', `${APP}?${mask(...paths)}`, body)
  const listed = async () => ((await get(`${APP}/versions`)).versions as { state: string }[]).map((v) => v.state)

  it('sees a version that was just added by its number, and as latest only after the lag', async () => {
    s.double.setLag(HOUR)
    await s.add('two')
    expect([await read('2'), await read('latest'), await listed()]).toEqual(['two', 'one', ['ENABLED']])
    expect([(await get(`${APP}/versions/latest`)).name, (await s.send('GET', `${APP}/versions/2`)).status]).toEqual([
      expect.stringMatching(/1$/),
      404
    ])
    s.advance(HOUR - 1)
    expect(await read('latest')).toBe('one')
    s.advance(1)
    expect([await read('latest'), await listed()]).toEqual(['two', ['ENABLED', 'ENABLED']])
  })

  it('answers not found by number only for what was never added', async () => {
    s.double.setLag(HOUR)
    expect(await read('2')).toBe(404)
    await s.add('two')
    expect([await read('2'), await read('3')]).toEqual(['two', 404])
  })

  it('serves a disabled and a destroyed version until the lag is over, and refuses an enabled one', async () => {
    await s.add('two')
    s.double.setLag(HOUR)
    await change('disable', 1)
    await change('destroy', 2)
    expect([await read('1'), await read('2')]).toEqual(['one', 'two'])
    s.advance(HOUR)
    expect([await read('1'), await read('2')]).toEqual([400, 400])
    await change('enable', 1)
    expect(await read('1')).toBe(400)
    s.advance(HOUR)
    expect(await read('1')).toBe('one')
  })

  it('serves for the lag a version that was disabled as soon as it was added', async () => {
    s.double.setLag(HOUR)
    await s.add('two')
    await change('disable', 2)
    expect(await read('2')).toBe('two')
    s.advance(HOUR)
    expect(await read('2')).toBe(400)
  })

  it('shows old annotations and an old etag, with which an update is refused', async () => {
    s.double.setLag(HOUR)
    const { etag } = await get()
    const written = await patch({ annotations: { a: '2' }, etag }, 'annotations')
    expect([written.status, written.body.annotations]).toEqual([200, { a: '2' }])
    expect(await get()).toMatchObject({ annotations: { a: '1' }, etag })
    expect((await patch({ annotations: { a: '3' }, etag }, 'annotations')).error.status).toBe('FAILED_PRECONDITION')
    expect((await patch({ annotations: { a: '3' }, etag: written.body.etag }, 'annotations')).status).toBe(200)
  })

  it('shows several changes one after the other, each when its own lag is over', async () => {
    s.double.setLag(HOUR)
    await patch({ annotations: { a: '2' } }, 'annotations')
    s.advance(HOUR / 2)
    await patch({ annotations: { a: '3' } }, 'annotations')
    s.advance(HOUR / 2)
    expect((await get()).annotations).toEqual({ a: '2' })
    s.advance(HOUR / 2)
    expect((await get()).annotations).toEqual({ a: '3' })
  })

  it('follows an alias to where it was', async () => {
    await s.add('two')
    await patch({ versionAliases: { live: 1 } }, 'version_aliases')
    s.double.setLag(HOUR)
    await patch({ versionAliases: { live: 2 } }, 'version_aliases')
    expect(await read('live')).toBe('one')
    s.advance(HOUR)
    expect(await read('live')).toBe('two')
  })

  it('does not show a new secret yet, but takes its versions and reads them by number', async () => {
    s.double.setLag(HOUR)
    await s.create(['first'], {}, 'new')
    const path = `${PROJECT}/secrets/new`
    const statuses = async (...paths: string[]) =>
      Promise.all(paths.map(async (p) => (await s.send('GET', `${path}${p}`)).status))
    expect(await statuses('', '/versions', '/versions/latest:access', '/versions/1:access')).toEqual([404, 404, 404, 200])
    expect((await s.send('POST', `${PROJECT}/secrets?secretId=new`, { replication: { automatic: {} } })).status).toBe(409)
    expect((await get(`${PROJECT}/secrets`)).secrets).toHaveLength(1)
    s.advance(HOUR)
    expect(await statuses('', '/versions', '/versions/latest:access')).toEqual([200, 200, 200])
  })

  it('still shows a deleted secret, which nobody can write any more', async () => {
    s.double.setLag(HOUR)
    await s.send('DELETE', APP)
    expect([(await s.send('GET', APP)).status, await read('latest'), (await s.add('two')).status]).toEqual([200, 'one', 404])
    s.advance(HOUR)
    expect([(await s.send('GET', APP)).status, await read('latest'), await read('1')]).toEqual([404, 404, 404])
  })

  it('begins the versions of a secret that is made again at 1', async () => {
    await s.send('DELETE', APP)
    await s.create(['other'])
    expect([await read('1'), await read('2')]).toEqual(['other', 404])
  })

  it('shows everything at once when the lag is taken away', async () => {
    s.double.setLag(HOUR)
    await s.add('two')
    s.double.setLag(0)
    expect(await read('latest')).toBe('two')
    s.double.setLag(HOUR)
    expect(await read('latest')).toBe('two')
  })

  it('with a seed shows now the old and now the new, the same way each time, and only the new after the lag', async () => {
    const reads = async (seed: number) => {
      s.double.setLag(HOUR, { seed })
      const seen = []
      for (let i = 0; i < 24; i++) seen.push(await read('latest'))
      return seen.join()
    }
    s.double.setLag(HOUR)
    await s.add('two')
    const first = await reads(1)
    expect(new Set(first.split(','))).toEqual(new Set(['one', 'two']))
    expect([await reads(1), (await reads(2)) === first]).toEqual([first, false])
    s.advance(HOUR)
    expect(new Set((await reads(1)).split(','))).toEqual(new Set(['two']))
  })
})
