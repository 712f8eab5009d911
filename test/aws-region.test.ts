import { expect, it } from 'vitest'
import { awsEndpoint } from '../shared/aws-region.ts'

it.each([
  ['eu-west-1', 'https://ecs.eu-west-1.amazonaws.com'],
  ['us-gov-west-1', 'https://ecs.us-gov-west-1.amazonaws.com'],
  ['cn-north-1', 'https://ecs.cn-north-1.amazonaws.com.cn'],
  ['eusc-de-east-1', 'https://ecs.eusc-de-east-1.amazonaws.eu'],
  ['us-iso-east-1', 'https://ecs.us-iso-east-1.c2s.ic.gov'],
  ['us-isob-east-1', 'https://ecs.us-isob-east-1.sc2s.sgov.gov'],
  ['us-isof-south-1', 'https://ecs.us-isof-south-1.csp.hci.ic.gov'],
  ['eu-isoe-west-1', 'https://ecs.eu-isoe-west-1.cloud.adc-e.uk']
])('a service in %s is at %s', (region, endpoint) => {
  expect(awsEndpoint('ecs', region)).toBe(endpoint)
})

it.each(['', 'Frankfurt', 'eu-west', 'eu-west-1.evil.example/', 'eu-west-1a', 'EU-WEST-1'])('"%s" is no region', (region) => {
  expect(() => awsEndpoint('sts', region)).toThrow(expect.objectContaining({ code: 'invalid/config' }))
})
