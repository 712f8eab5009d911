import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { mask, PROJECT, type Subject, subject } from './google-contract-subject.ts'

describe('the double of Google Secret Manager, with faults', () => {
  let s: Subject
  beforeEach(async () => {
    s = await subject()
    await s.create(['one'])
  })
  afterEach(() => s.close())

  const values = () => s.double.versions('app').map((v) => v.value)
  const lost = (call: Promise<unknown>) =>
    call.then(
      () => 'answered',
      () => 'lost'
    )

  it('loses the request, the answer, or neither, as the hook says', async () => {
    s.double.setFault(() => 'before')
    expect([await lost(s.add('two')), values()]).toEqual(['lost', ['one']])
    s.double.setFault(() => 'lost')
    expect([await lost(s.add('two')), values()]).toEqual(['lost', ['one', 'two']])
    s.double.setFault(() => 'after')
    expect([await lost(s.add('three')), values()]).toEqual(['answered', ['one', 'two', 'three']])
    expect(s.double.calls.slice(-3).map((c) => [c.op, c.name, c.principal, c.status])).toEqual([
      ['AddSecretVersion', `${PROJECT}/secrets/app`, 'owner@example.com', undefined],
      ['AddSecretVersion', `${PROJECT}/secrets/app`, 'owner@example.com', 200],
      ['AddSecretVersion', `${PROJECT}/secrets/app`, 'owner@example.com', 200]
    ])
  })

  it('lets a write land late, when the test says so, against what is there by then', async () => {
    const app = `${PROJECT}/secrets/app`
    const { etag } = s.double.secret('app') ?? {}
    const guarded = (a: string) => s.send('PATCH', `${app}?${mask('annotations')}`, { annotations: { a }, etag })
    s.double.setFault(({ op }) => (op === 'AddSecretVersion' || op === 'UpdateSecret' ? 'late' : undefined))
    expect([await lost(s.add('late')), await lost(guarded('late')), values()]).toEqual(['lost', 'lost', ['one']])
    s.double.setFault(undefined)
    await s.add('two')
    await guarded('meanwhile')
    expect(s.double.landLate()).toEqual([
      { op: 'AddSecretVersion', name: app, status: 200 },
      { op: 'UpdateSecret', name: app, status: 400 }
    ])
    expect([values(), s.double.secret('app')?.annotations]).toEqual([['one', 'two', 'late'], { a: 'meanwhile' }])
    expect(s.double.landLate()).toEqual([])
  })

  it('answers with the vendor’s error that the hook names, and has no effect', async () => {
    const seen: unknown[] = []
    for (const error of [
      'RESOURCE_EXHAUSTED',
      'UNAVAILABLE',
      'DEADLINE_EXCEEDED',
      'INTERNAL',
      'ABORTED',
      'PERMISSION_DENIED'
    ] as const) {
      s.double.setFault(() => ({ error }))
      const reply = await s.add('two')
      seen.push([reply.status, reply.error.code, reply.error.status, reply.error.details?.[0]?.reason])
    }
    expect(seen).toEqual([
      [429, 429, 'RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED'],
      [503, 503, 'UNAVAILABLE', undefined],
      [504, 504, 'DEADLINE_EXCEEDED', undefined],
      [500, 500, 'INTERNAL', undefined],
      [409, 409, 'ABORTED', undefined],
      [403, 403, 'PERMISSION_DENIED', 'IAM_PERMISSION_DENIED']
    ])
    s.double.setFault(() => ({ error: 'PERMISSION_DENIED', message: 'off', reason: 'SERVICE_DISABLED' }))
    expect((await s.add('two')).error).toMatchObject({ message: 'off', details: [{ reason: 'SERVICE_DISABLED' }] })
    s.double.setFault(() => ({ page: 502 }))
    const page = await fetch(`${s.double.url}/v1/${PROJECT}/secrets/app`)
    expect([page.status, (await page.text()).startsWith('<!DOCTYPE html>')]).toEqual([502, true])
    expect(values()).toEqual(['one'])
  })

  it('tells the hook who calls what, with the request as the vendor’s message', async () => {
    const seen: unknown[] = []
    s.double.setFault(({ op, name, principal, index, input }) => void seen.push({ op, name, principal, index, input }))
    await s.send('PATCH', `${PROJECT}/secrets/app?${mask('labels')}`, { labels: { a: '1' }, version_aliases: { b: 1 } })
    expect(seen).toEqual([
      {
        op: 'UpdateSecret',
        name: `${PROJECT}/secrets/app`,
        principal: 'owner@example.com',
        index: 2,
        input: {
          secret: { labels: { a: '1' }, versionAliases: { b: '1' }, name: `${PROJECT}/secrets/app` },
          updateMask: 'labels'
        }
      }
    ])
  })

  it('lets a call wait, without effect, until the hook resolves', async () => {
    let release = () => {}
    s.double.setFault(
      () =>
        new Promise((resolve) => {
          release = () => resolve(undefined)
        })
    )
    const call = s.add('two')
    while (s.double.calls.length < 3) await new Promise((resolve) => setImmediate(resolve))
    expect(values()).toEqual(['one'])
    release()
    expect([(await call).status, values()]).toEqual([200, ['one', 'two']])
  })

  it('gives lists in pages of the size that the service decides', async () => {
    const small = await subject({ pageSize: 2 })
    for (const id of ['a', 'b', 'c']) await small.create([], {}, id)
    const { body } = await small.send('GET', `${PROJECT}/secrets`)
    expect([(body.secrets as unknown[]).length, body.totalSize, typeof body.nextPageToken]).toEqual([2, 3, 'string'])
    await small.close()
  })
})
