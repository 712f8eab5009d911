import { expect, test } from 'vitest'
import { reachesOthers } from '../../shared/audit/policy-reach.ts'
import type { Json } from './reading.ts'

const OWN = '123456789012'
const OTHER = '210987654321'
const allow = (more: Json): Json => ({ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*', ...more })
const reaches = (...statements: readonly Json[]): boolean =>
  reachesOthers(JSON.stringify({ Version: '2012-10-17', Statement: statements }), OWN)
const narrowed = { StringEquals: { 'aws:PrincipalOrgID': 'o-example' } }

test.each<readonly [who: string, statement: Json]>([
  ['everybody', { Principal: '*' }],
  ['everybody, in a list', { Principal: { AWS: [`arn:aws:iam::${OWN}:root`, '*'] } }],
  ['everybody, with a condition that is empty', { Principal: { AWS: '*' }, Condition: {} }],
  ['everybody but some', { NotPrincipal: { AWS: `arn:aws:iam::${OWN}:user/alice` } }],
  ['another account', { Principal: { AWS: OTHER } }],
  [
    'a role of another account, whatever the condition',
    { Principal: { AWS: `arn:aws:iam::${OTHER}:role/app` }, Condition: narrowed }
  ],
  ['a session of another account', { Principal: { AWS: `arn:aws:sts::${OTHER}:assumed-role/app/x` } }],
  ['another account in China', { Principal: { AWS: [`arn:aws-cn:iam::${OTHER}:root`] } }]
])('a policy that lets %s in reaches others', (_, statement) => {
  expect(reaches(allow(statement))).toBe(true)
  expect(reaches(allow({ Principal: { AWS: OWN } }), allow(statement))).toBe(true)
  expect(reaches(allow({ ...statement, Effect: 'Deny' }))).toBe(false)
})

test.each<readonly [what: string, statement: Json]>([
  ['names its own account', { Principal: { AWS: [OWN, `arn:aws:iam::${OWN}:role/app`] } }],
  ['names everybody under a condition', { Principal: '*', Condition: narrowed }],
  ['names everybody but some under a condition', { NotPrincipal: { AWS: OWN }, Condition: narrowed }],
  ['names a service', { Principal: { Service: 'rds.amazonaws.com' } }],
  ['names nobody', {}]
])('a policy that %s reaches no others', (_, statement) => {
  expect(reaches(allow(statement))).toBe(false)
})

test('one statement may stand without a list', () => {
  expect(reachesOthers(JSON.stringify({ Statement: allow({ Principal: '*' }) }), OWN)).toBe(true)
})

test('a policy that cannot be read reaches nobody', () => {
  const texts = ['', '{', 'null', '5', '[]', '{"Statement":5}', '{"Statement":[null,5,"x",{"Effect":"Allow","Principal":5}]}']
  expect(texts.map((text) => reachesOthers(text, OWN))).toEqual(texts.map(() => false))
})

test('where nobody knows whose it is, no account is another', () => {
  expect(reachesOthers(JSON.stringify({ Statement: allow({ Principal: { AWS: OTHER } }) }), '')).toBe(false)
})
