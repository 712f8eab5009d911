import type { Difference } from './secrets-manager-contract.ts'

/** Where moto's Secrets Manager is known not to do what AWS does (moto 5.2.1). */
export const MOTO: Readonly<Record<string, Difference>> = {
  'a secret that does not exist is ResourceNotFoundException with HTTP 400': {
    says: 'HTTP 404',
    shows: { name: 'ResourceNotFoundException', status: 404 }
  },
  'a value of 65,536 bytes is taken and one of 65,537 is refused': { says: 'no limit', shows: ['done', 'done'] },
  'the fifty-first tag is refused': { says: 'no limit', shows: 'done' },
  'a tag with a character outside the alphabet is refused': { says: 'every character is taken', shows: 'done' },
  'the twenty-first label of a secret is refused': { says: 'no limit', shows: 'done' },
  'a deprecated version is listed when asked for': {
    says: 'it is always listed',
    shows: { plain: ['a', 'b'], all: ['a', 'b'] }
  },
  'a version that lost its last label is not listed and can be read by its id': {
    says: 'it is listed, with no label',
    shows: { listed: ['a', 'b'], read: 'two' }
  },
  'a secret scheduled for deletion is refused until it is restored': {
    says: 'it can be written',
    shows: { read: 'InvalidRequestException', put: 'done', described: true, restored: 'two' }
  },
  'the name of a secret scheduled for deletion is not free': { says: 'another error', shows: 'ResourceExistsException' },
  'a new replica is in progress': { says: 'it is in sync at once', shows: ['eu-west-1 InSync'] },
  'a Put of another value with the same token is refused': {
    says: 'the value is overwritten',
    shows: { ending: 'done', pending: 'three' }
  },
  'a new current version takes AWSPENDING off the version that had it': {
    says: 'AWSPENDING stays',
    shows: { a: ['AWSPREVIOUS'], b: ['AWSPENDING'], c: ['AWSCURRENT'] }
  },
  'AWSCURRENT moves when RemoveFromVersionId is the version that holds it, and AWSPENDING stays': {
    says: 'a read that names no label still gives the old value',
    shows: { stages: { a: ['AWSPREVIOUS'], b: ['AWSCURRENT', 'AWSPENDING'] }, read: 'one' }
  },
  'AWSCURRENT is never taken off altogether': {
    says: 'it becomes AWSPREVIOUS, and nothing is current',
    shows: { ending: 'done', stages: { a: ['AWSPREVIOUS'] } }
  },
  'a held label of our own does not move without RemoveFromVersionId': {
    says: 'it is on both versions then',
    shows: { ending: 'done', stages: { a: ['AWSCURRENT'], b: ['mine', 'shared'], c: ['shared', 'yours'] } }
  },
  'a rotation is refused when no function was ever named': {
    says: 'an empty version becomes current',
    shows: { ending: 'done', read: 'ResourceNotFoundException' }
  },
  'a rotation is refused while AWSPENDING is on a version that is not current': {
    says: 'a second rotation takes the label away',
    shows: { ending: 'done', stages: { a: ['AWSCURRENT'], c: ['AWSPENDING'] } }
  },
  'a rotation that left AWSPENDING behind does not count as one': {
    says: 'it counts, and rotation is off without AutomaticallyAfterDays',
    shows: { enabled: false, rotated: true }
  },
  'the schedule comes back as it was set': { says: 'it is dropped', shows: { AutomaticallyAfterDays: 0 } },
  'a rotation that is to start later is tested on a pending version that goes away': {
    says: 'the pending version stays',
    shows: { a: ['AWSCURRENT'], b: ['AWSPENDING'] }
  }
}
