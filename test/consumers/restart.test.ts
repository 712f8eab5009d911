import { describe, expect, it } from 'vitest'
import { decodeMetadata, encodePatch } from '../../shared/metadata.ts'
import { consumersIn, declarationOf, partsOf } from '../../shared/restart.ts'

const GUID = '34adfa4f-cedf-4dc0-ba29-b6d1a69ab345'
const bad = (text: RegExp | string) =>
  expect.objectContaining({ code: 'invalid/metadata', message: expect.stringMatching(text) as string })

describe('the consumers that metadata declare', () => {
  const WELL_FORMED: readonly (readonly [string, string, readonly string[]])[] = [
    ['ecs', 'my_cluster/web-1', ['my_cluster', 'web-1']],
    ['k8s', 'orders/deployment/web.v2', ['orders', 'deployment', 'web.v2']],
    ['k8s', 'orders/statefulset/db', ['orders', 'statefulset', 'db']],
    ['k8s', 'orders/daemonset/agent', ['orders', 'daemonset', 'agent']],
    ['run', 'europe-west10/orders', ['europe-west10', 'orders']],
    ['run', 'my-shop/us-central1/orders', ['my-shop', 'us-central1', 'orders']],
    ['run', 'example.com:my-shop/us-central1/orders', ['example.com:my-shop', 'us-central1', 'orders']],
    ['run', '123456789012/us-central1/orders', ['123456789012', 'us-central1', 'orders']],
    ['appservice', `${GUID}/rg_(käufe).1/orders-app`, [GUID, 'rg_(käufe).1', 'orders-app']],
    ['http', 'https://hooks.example.com:8443/orders/', ['https://hooks.example.com:8443/orders/']]
  ]

  it.each(WELL_FORMED)('of the kind %s may be %s', (kind, name, parts) => {
    expect(consumersIn(`${kind}:${name}`)).toEqual([{ kind, name }])
    expect(partsOf({ kind, name })).toEqual(parts)
  })

  it('are separated by spaces, five at most, or none', () => {
    const three = 'ecs:orders/web  run:europe-west1/orders http:https://hooks.example.com/'
    expect(consumersIn(` ${three} `).map(({ kind }) => kind)).toEqual(['ecs', 'run', 'http'])
    expect(consumersIn('')).toEqual([])
    expect(consumersIn(Array(5).fill('ecs:a/b').join(' '))).toHaveLength(5)
    expect(() => consumersIn(Array(6).fill('ecs:a/b').join(' '))).toThrow(bad(/6 consumers, of 5/))
  })

  it.each([
    ['ecs:orders', /part 2 \(ecs:orders\) must be ecs: and <cluster>\/<service>/],
    ['ecs:orders/web/x', /ecs:orders\/web\/x/],
    ['ecs:arn:aws:ecs:eu-west-1:1:service/orders/web', /part 2/],
    ['k8s:orders/web', /<namespace>/],
    ['k8s:orders/pod/web', /deployment, statefulset or daemonset/],
    ['k8s:../deployment/web', /part 2/],
    ['run:orders', /<region>/],
    ['run:europe-west1/Orders', /part 2/],
    [`appservice:${GUID}/orders`, /<subscription id>/],
    [`appservice:${GUID}/../orders`, /part 2/],
    [`appservice:${GUID}/rg./orders`, /part 2/],
    ['appservice:subscription/rg/orders', /part 2/],
    ['lambda:orders', /part 2 begins with none of ecs:, k8s:, run:, appservice:, http:/],
    ['constructor:orders', /none of/],
    ['orders', /none of/]
  ])('are refused for %s, and the message says which part and what it must be', (part, says) => {
    expect(() => consumersIn(`ecs:orders/web ${part}`)).toThrow(bad(says))
  })

  it.each([
    'http:http://planted-word.example/',
    'http:https://planted-word:x@hooks.example.com/',
    'http:https://hooks.example.com/?code=planted-word',
    'http:https://hooks.example.com/#planted-word',
    'http:https://',
    'http:hooks.example.com/planted-word',
    'https://planted-word:x@hooks.example.com/'
  ])('are refused for %s without quoting it, for a token may stand there', (part) => {
    expect(() => consumersIn(part)).toThrow(bad(/^(?!.*planted-word)restart: part 1/))
  })

  it('are written as they are read, through the alphabet of every store', () => {
    const all = WELL_FORMED.slice(0, 5).map(([kind, name]) => ({ kind, name }))
    const { set } = encodePatch({ restart: declarationOf(all) })
    expect(set.restart).toMatch(/^[A-Za-z0-9 +\-=._:/@]*$/)
    expect(consumersIn(decodeMetadata(set).restart ?? '')).toEqual(all)
    expect(declarationOf([])).toBe('')
  })

  it('are not written where no store could keep them, or where they would be read as others', () => {
    const long = { kind: 'http', name: `https://hooks.example.com/${'x/'.repeat(70)}` }
    expect(() => declarationOf([long])).toThrow(bad(/characters when written, of 256/))
    expect(() => declarationOf([{ kind: 'ecs', name: 'orders/web ecs:other/web' }])).toThrow(bad(/space/))
    expect(() => declarationOf([{ kind: 'ecs', name: 'orders' }])).toThrow(bad(/part 1/))
    expect(() => partsOf({ kind: 'lambda', name: 'planted-word' })).toThrow(bad(/^(?!.*planted-word).*no known kind/))
  })
})
