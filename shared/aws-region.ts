import { KeyturnError } from './errors.ts'

/** The form of a region's name; which regions there are is for AWS to say. */
const REGION = /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/

export const isAwsRegion = (text: string): boolean => REGION.test(text)

/** By the beginning of the region's name, as the SDK's partitions have them (@aws-sdk/core, util-endpoints); else amazonaws.com. */
const SUFFIXES = {
  'cn-': 'amazonaws.com.cn',
  'eusc-': 'amazonaws.eu',
  'us-iso-': 'c2s.ic.gov',
  'us-isob-': 'sc2s.sgov.gov',
  'us-isof-': 'csp.hci.ic.gov',
  'eu-isoe-': 'cloud.adc-e.uk'
}

/**
 * The endpoint of a service in a region, without a path (docs.aws.amazon.com/general/latest/gr/rande.html, “Regional
 * endpoints”). Throws `invalid/config`.
 */
export function awsEndpoint(service: 'ecs' | 'sns' | 'sts', region: string): string {
  if (!isAwsRegion(region))
    throw new KeyturnError('invalid/config', `the region of AWS ${service.toUpperCase()} must be one such as eu-west-1`)
  const [, suffix = 'amazonaws.com'] = Object.entries(SUFFIXES).find(([start]) => region.startsWith(start)) ?? []
  return `https://${service}.${region}.${suffix}`
}
