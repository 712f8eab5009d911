import { expect, test } from 'vitest'
import { consumersIn, declarationOf, partsOf } from '../shared/restart.ts'

test.each([
  'ecs:orders/web',
  'k8s:shop/deployment/web.v2',
  'k8s:shop/statefulset/db',
  'run:europe-west1/shop',
  'run:my-project/europe-west1/shop',
  'appservice:01234567-89ab-cdef-0123-456789abcdef/my group(1)/site'.replace(' ', '-'),
  'http:https://hooks.example.com:8443/orders',
  'ecs:orders/web http:https://hooks.example.com/orders'
])('%s declares consumers, and is written as it was', (text) => {
  expect(declarationOf(consumersIn(text))).toBe(text)
})

test('the parts of a name are what stands between its slashes; a URL is one', () => {
  expect(partsOf({ kind: 'k8s', name: 'shop/deployment/web' })).toEqual(['shop', 'deployment', 'web'])
  expect(partsOf({ kind: 'http', name: 'https://a.example/b' })).toEqual(['https://a.example/b'])
  expect(consumersIn('  ')).toEqual([])
})

test.each([
  ['ecs:orders', /ecs:orders/],
  ['ecs:orders/../x', /<cluster>/],
  ['k8s:shop/job/x', /statefulset/],
  ['run:shop', /<region>/],
  ['appservice:sub/group/site', /subscription/],
  ['nobody', /none of/],
  ['http:http://a.example/', /https/],
  ['http:https://user:planted-word@a.example/', /^(?!.*planted-word)/],
  ['http:https://a.example/?code=planted-word', /^(?!.*planted-word)/],
  ['ecs:a/b ecs:a/c ecs:a/d ecs:a/e ecs:a/f ecs:a/g', /5 at most/]
])('%s declares none, and the message says why without a token', (text, says) => {
  const refused = (): unknown => {
    try {
      return consumersIn(text)
    } catch (e) {
      return e
    }
  }
  expect(refused()).toMatchObject({ code: 'invalid/metadata', message: expect.stringMatching(says) })
})
