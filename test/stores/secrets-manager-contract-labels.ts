import { ending, letter, type Sights } from './secrets-manager-contract-subject.ts'

const CURRENT = 'AWSCURRENT'
const PENDING = 'AWSPENDING'
const PREVIOUS = 'AWSPREVIOUS'

/** PutSecretValue, UpdateSecretVersionStage and what readers of a label see. */
export const labels: Sights = {
  'a new secret has its value as AWSCURRENT': [
    { stages: { a: [CURRENT] }, read: 'one' },
    async (s) => {
      await s.create()
      return { stages: await s.stages(), read: await s.read() }
    }
  ],
  'a Put without stages moves AWSCURRENT, and AWSPREVIOUS follows': [
    { stages: { b: [PREVIOUS], c: [CURRENT] }, read: 'three', previous: 'two' },
    async (s) => {
      await s.create()
      await s.put('b', 'two')
      await s.put('c', 'three')
      return { stages: await s.stages(), read: await s.read(), previous: await s.read(undefined, PREVIOUS) }
    }
  ],
  'a Put as AWSPENDING leaves readers of current alone': [
    { stages: { a: [CURRENT], b: [PENDING] }, read: 'one', pending: 'two' },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      return { stages: await s.stages(), read: await s.read(), pending: await s.read('b', PENDING) }
    }
  ],
  'a Put of the same value with the same token changes nothing': [
    { stages: { a: [CURRENT], b: [PENDING] }, pending: 'two' },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      await s.put('b', 'two', [PENDING])
      return { stages: await s.stages(), pending: await s.read('b') }
    }
  ],
  'a repeated Put does not bring back a label that moved on': [
    { a: [CURRENT], c: [PENDING] },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      await s.put('c', 'three', [PENDING])
      await s.put('b', 'two', [PENDING])
      return s.stages()
    }
  ],
  'a Put of another value with the same token is refused': [
    { ending: 'ResourceExistsException', pending: 'two' },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      return { ending: await ending(s.put('b', 'three', [PENDING])), pending: await s.read('b') }
    }
  ],
  'a Put silently moves a label that another version holds': [
    { stages: { a: [CURRENT], c: ['ours'] }, held: 'three' },
    async (s) => {
      await s.create()
      await s.put('b', 'two', ['ours'])
      await s.put('c', 'three', ['ours'])
      return { stages: await s.stages(), held: await s.read(undefined, 'ours') }
    }
  ],
  'a new current version takes AWSPENDING off the version that had it': [
    { a: [PREVIOUS], c: [CURRENT] },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      await s.put('c', 'three')
      return s.stages()
    }
  ],
  'the first Put makes its version AWSCURRENT whatever label it asks for': [
    { a: [CURRENT, 'ours'] },
    async (s) => {
      await s.client.createSecret({ Name: s.name })
      await s.put('a', 'one', ['ours'])
      return s.stages()
    }
  ],
  'a version that lost its last label is not listed and can be read by its id': [
    { listed: ['a'], read: 'two' },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      await s.move(PENDING, undefined, 'b')
      const { VersionIdsToStages } = await s.client.describeSecret({ SecretId: s.name })
      return { listed: Object.keys(VersionIdsToStages ?? {}).map(letter), read: await s.read('b') }
    }
  ],
  'a version and a label that do not belong together are refused': [
    'InvalidRequestException',
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      return ending(s.read('b', CURRENT))
    }
  ],
  'a label that no version holds is not found': [
    'ResourceNotFoundException',
    async (s) => {
      await s.create()
      return ending(s.read(undefined, PENDING))
    }
  ],
  'AWSCURRENT moves when RemoveFromVersionId is the version that holds it, and AWSPENDING stays': [
    { stages: { a: [PREVIOUS], b: [CURRENT, PENDING] }, read: 'two' },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      await s.move(CURRENT, 'b', 'a')
      return { stages: await s.stages(), read: await s.read() }
    }
  ],
  'AWSCURRENT does not move without RemoveFromVersionId': [
    { ending: 'InvalidParameterException', stages: { a: [CURRENT], b: [PENDING] } },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      return { ending: await ending(s.move(CURRENT, 'b')), stages: await s.stages() }
    }
  ],
  'AWSCURRENT does not move when RemoveFromVersionId is another version': [
    { ending: 'InvalidParameterException', stages: { a: [PREVIOUS], b: [PENDING], c: [CURRENT] } },
    async (s) => {
      await s.create()
      await s.put('c', 'three')
      await s.put('b', 'two', [PENDING])
      return { ending: await ending(s.move(CURRENT, 'b', 'a')), stages: await s.stages() }
    }
  ],
  'a move of AWSCURRENT that is repeated is refused': [
    { ending: 'InvalidParameterException', stages: { a: [PREVIOUS], b: [CURRENT, PENDING] } },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      await s.move(CURRENT, 'b', 'a')
      return { ending: await ending(s.move(CURRENT, 'b', 'a')), stages: await s.stages() }
    }
  ],
  'AWSCURRENT goes back to the version before, and AWSPREVIOUS with it': [
    { a: [CURRENT], b: [PREVIOUS] },
    async (s) => {
      await s.create()
      await s.put('b', 'two')
      await s.move(CURRENT, 'a', 'b')
      return s.stages()
    }
  ],
  'AWSCURRENT is never taken off altogether': [
    { ending: 'InvalidParameterException', stages: { a: [CURRENT] } },
    async (s) => {
      await s.create()
      return { ending: await ending(s.move(CURRENT, undefined, 'a')), stages: await s.stages() }
    }
  ],
  'a free label is attached without RemoveFromVersionId': [
    { a: [CURRENT], b: [PENDING, 'ours'] },
    async (s) => {
      await s.create()
      await s.put('b', 'two', [PENDING])
      await s.move('ours', 'b')
      return s.stages()
    }
  ],
  'a held label of our own does not move without RemoveFromVersionId': [
    { ending: 'InvalidParameterException', stages: { a: [CURRENT], b: ['mine', 'shared'], c: ['yours'] } },
    async (s) => {
      await s.create()
      await s.put('b', 'two', ['mine', 'shared'])
      await s.put('c', 'three', ['yours'])
      return { ending: await ending(s.move('shared', 'c')), stages: await s.stages() }
    }
  ],
  'a label is taken off the version that holds it': [
    { a: [CURRENT], b: ['mine'] },
    async (s) => {
      await s.create()
      await s.put('b', 'two', ['mine', 'shared'])
      await s.move('shared', undefined, 'b')
      return s.stages()
    }
  ],
  'a label is not taken off a version that does not hold it': [
    { ending: 'InvalidParameterException', stages: { a: [CURRENT], b: ['mine'], c: ['yours'] } },
    async (s) => {
      await s.create()
      await s.put('b', 'two', ['mine'])
      await s.put('c', 'three', ['yours'])
      return { ending: await ending(s.move('mine', undefined, 'c')), stages: await s.stages() }
    }
  ],
  'the twenty-first label of a secret is refused': [
    'LimitExceededException',
    async (s) => {
      await s.create()
      await s.put(
        'b',
        'two',
        Array.from({ length: 19 }, (_, i) => `label-${i}`)
      )
      return ending(s.put('c', 'three', ['one-more']))
    }
  ]
}
