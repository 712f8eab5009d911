import { ending, letter, type Sights, type Subject, token } from './secrets-manager-contract-subject.ts'

const tagsOf = async (s: Subject) => {
  const { Tags } = await s.client.describeSecret({ SecretId: s.name })
  return Object.fromEntries((Tags ?? []).map((t) => [t.Key, t.Value]))
}
const rotate = (s: Subject, at: string, more: object = {}) =>
  s.client.rotateSecret({ SecretId: s.name, ClientRequestToken: token(at), RotationLambdaARN: s.functionArn, ...more })

/** The secret as a whole: names, limits, tags, lists, deletion, rotation, replicas. */
export const secrets: Sights = {
  'a secret is found by its name, its ARN and its partial ARN': [
    ['one', 'one', 'one'],
    async (s) => {
      const arn = await s.create()
      const ids = [s.name, arn, arn.slice(0, -7)]
      return Promise.all(ids.map(async (SecretId) => (await s.client.getSecretValue({ SecretId })).SecretString))
    }
  ],
  'a secret that does not exist is ResourceNotFoundException with HTTP 400': [
    { name: 'ResourceNotFoundException', status: 400 },
    (s) =>
      s.client.describeSecret({ SecretId: s.name }).then(
        () => 'done',
        (e) => ({ name: e.name, status: e.$metadata.httpStatusCode })
      )
  ],
  'a name that exists is refused': [
    'ResourceExistsException',
    async (s) => {
      await s.create()
      return ending(s.client.createSecret({ Name: s.name, SecretString: 'two' }))
    }
  ],
  'a repeated CreateSecret is ignored': [
    'done',
    async (s) => {
      await s.create()
      return ending(s.create())
    }
  ],
  'a binary value comes back as binary': [
    { bytes: [0, 255, 7], string: undefined },
    async (s) => {
      await s.client.createSecret({ Name: s.name, SecretBinary: new Uint8Array([0, 255, 7]) })
      const { SecretBinary, SecretString } = await s.client.getSecretValue({ SecretId: s.name })
      return { bytes: [...(SecretBinary ?? [])], string: SecretString }
    }
  ],
  'a value of 65,536 bytes is taken and one of 65,537 is refused': [
    ['done', 'ValidationException'],
    async (s) => {
      await s.create()
      return [await ending(s.put('b', 'x'.repeat(65_536))), await ending(s.put('c', 'x'.repeat(65_537)))]
    }
  ],
  'a token shorter than 32 characters is refused': [
    'InvalidParameterException',
    async (s) => {
      await s.create()
      return ending(s.client.putSecretValue({ SecretId: s.name, SecretString: 'two', ClientRequestToken: 'short' }))
    }
  ],
  'tags are set, replaced and removed': [
    { a: '1', c: '3' },
    async (s) => {
      await s.create()
      const SecretId = s.name
      await s.client.tagResource({ SecretId, Tags: ['a', 'b', 'c'].map((Key) => ({ Key, Value: '0' })) })
      await s.client.tagResource({
        SecretId,
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'c', Value: '3' }
        ]
      })
      await s.client.untagResource({ SecretId, TagKeys: ['b', 'not-there'] })
      return tagsOf(s)
    }
  ],
  'the fifty-first tag is refused': [
    'InvalidParameterException',
    async (s) => {
      await s.create()
      const Tags = Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: '' }))
      return ending(s.client.tagResource({ SecretId: s.name, Tags }))
    }
  ],
  'a tag with a character outside the alphabet is refused': [
    'InvalidParameterException',
    async (s) => {
      await s.create()
      return ending(s.client.tagResource({ SecretId: s.name, Tags: [{ Key: 'a', Value: '100%' }] }))
    }
  ],
  'secrets are listed by tag key and value, page by page, with their labels': [
    { pages: [2, 1], stages: ['AWSCURRENT', 'AWSCURRENT', 'AWSCURRENT'] },
    async (s) => {
      for (const kind of ['postgres', 'postgres', 'postgres', 'other']) {
        const Tags = [{ Key: s.name, Value: kind }]
        await s.client.createSecret({ Name: `${s.name}/${Math.random()}`, SecretString: 'one', Tags })
      }
      const Filters = [
        { Key: 'tag-key' as const, Values: [s.name] },
        { Key: 'tag-value' as const, Values: ['postgres'] }
      ]
      const first = await s.client.listSecrets({ Filters, MaxResults: 2 })
      const second = await s.client.listSecrets({ Filters, MaxResults: 2, NextToken: first.NextToken })
      const all = [...(first.SecretList ?? []), ...(second.SecretList ?? [])]
      return {
        pages: [first.SecretList?.length, second.SecretList?.length],
        stages: all.flatMap((one) => Object.values(one.SecretVersionsToStages ?? {}).flat())
      }
    }
  ],
  'a deprecated version is listed when asked for': [
    { plain: ['a'], all: ['a', 'b'] },
    async (s) => {
      await s.create()
      await s.put('b', 'two', ['ours'])
      await s.move('ours', undefined, 'b')
      const ids = async (IncludeDeprecated: boolean) =>
        ((await s.client.listSecretVersionIds({ SecretId: s.name, IncludeDeprecated })).Versions ?? []).map((v) =>
          letter(v.VersionId)
        )
      return { plain: await ids(false), all: (await ids(true)).sort() }
    }
  ],
  'a secret scheduled for deletion is refused until it is restored': [
    { read: 'InvalidRequestException', put: 'InvalidRequestException', described: true, restored: 'one' },
    async (s) => {
      await s.create()
      await s.client.deleteSecret({ SecretId: s.name, RecoveryWindowInDays: 7 })
      const read = await ending(s.read())
      const put = await ending(s.put('b', 'two'))
      const described = (await s.client.describeSecret({ SecretId: s.name })).DeletedDate !== undefined
      await s.client.restoreSecret({ SecretId: s.name })
      return { read, put, described, restored: await s.read() }
    }
  ],
  'the name of a secret scheduled for deletion is not free': [
    'InvalidRequestException',
    async (s) => {
      await s.create()
      await s.client.deleteSecret({ SecretId: s.name })
      return ending(s.client.createSecret({ Name: s.name, SecretString: 'two' }))
    }
  ],
  'a new replica is in progress': [
    ['eu-west-1 InProgress'],
    async (s) => {
      await s.create()
      await s.client.replicateSecretToRegions({ SecretId: s.name, AddReplicaRegions: [{ Region: 'eu-west-1' }] })
      const { ReplicationStatus } = await s.client.describeSecret({ SecretId: s.name })
      return ReplicationStatus?.map((r) => `${r.Region} ${r.Status}`)
    }
  ],
  'a rotation is refused when no function was ever named': [
    { ending: 'InvalidRequestException', read: 'one' },
    async (s) => {
      await s.create()
      const end = await ending(s.client.rotateSecret({ SecretId: s.name }))
      await s.idle()
      return { ending: end, read: await s.read().catch((e) => e.name) }
    }
  ],
  'a rotation registers a pending version that has no value': [
    { stages: { a: ['AWSCURRENT'], b: ['AWSPENDING'] }, pending: 'ResourceNotFoundException', current: 'one' },
    async (s) => {
      await s.create()
      await rotate(s, 'b')
      await s.idle()
      return { stages: await s.stages(), pending: await ending(s.read('b', 'AWSPENDING')), current: await s.read('a') }
    }
  ],
  'the Put with the token of the rotation gives the pending version its value': [
    { stages: { a: ['AWSCURRENT'], b: ['AWSPENDING'] }, pending: 'two' },
    async (s) => {
      await s.create()
      await rotate(s, 'b')
      await s.idle()
      await s.put('b', 'two', ['AWSPENDING'])
      return { stages: await s.stages(), pending: await s.read('b', 'AWSPENDING') }
    }
  ],
  'a rotation is refused while AWSPENDING is on a version that is not current': [
    { ending: 'InvalidRequestException', stages: { a: ['AWSCURRENT'], b: ['AWSPENDING'] } },
    async (s) => {
      await s.create()
      await rotate(s, 'b')
      await s.idle()
      const end = await ending(rotate(s, 'c'))
      await s.idle()
      return { ending: end, stages: await s.stages() }
    }
  ],
  'a rotation that left AWSPENDING behind does not count as one': [
    { enabled: true, rotated: false },
    async (s) => {
      await s.create()
      await rotate(s, 'b')
      await s.idle()
      const { RotationEnabled, LastRotatedDate } = await s.client.describeSecret({ SecretId: s.name })
      return { enabled: RotationEnabled, rotated: LastRotatedDate !== undefined }
    }
  ],
  'the schedule comes back as it was set': [
    { ScheduleExpression: 'rate(10 days)', Duration: '2h' },
    async (s) => {
      await s.create()
      await rotate(s, 'b', { RotationRules: { ScheduleExpression: 'rate(10 days)', Duration: '2h' } })
      await s.idle()
      return (await s.client.describeSecret({ SecretId: s.name })).RotationRules
    }
  ],
  'a rotation that is to start later is tested on a pending version that goes away': [
    { a: ['AWSCURRENT'] },
    async (s) => {
      await s.create()
      await rotate(s, 'b', { RotateImmediately: false, RotationRules: { AutomaticallyAfterDays: 5 } })
      await s.idle()
      return s.stages()
    }
  ],
  'a cancelled rotation is off, and the pending version stays': [
    { named: 'b', enabled: false, stages: { a: ['AWSCURRENT'], b: ['AWSPENDING'] } },
    async (s) => {
      await s.create()
      await rotate(s, 'b', { RotationRules: { AutomaticallyAfterDays: 5 } })
      await s.idle()
      const named = letter((await s.client.cancelRotateSecret({ SecretId: s.name })).VersionId)
      const { RotationEnabled } = await s.client.describeSecret({ SecretId: s.name })
      return { named, enabled: RotationEnabled, stages: await s.stages() }
    }
  ]
}
