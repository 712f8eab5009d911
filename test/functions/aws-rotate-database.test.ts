import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ADMIN_PASSWORD } from './lambda-cloud.ts'
import { eventOf } from './lambda-events.ts'
import { type BuiltFunction, builtFunction, lambdaRuntimes } from './lambda-runtime.ts'
import { DAY, HOUR, type LambdaWorld, startLambdaWorld } from './lambda-world.ts'

const FOUR = ['createSecret', 'setSecret', 'testSecret', 'finishSecret']

let built: BuiltFunction
beforeAll(async () => {
  built = await builtFunction('aws/rotate-database')
})
afterAll(() => built.remove())

describe.each(lambdaRuntimes())('the built bundle in %s, driven by Secrets Manager', (runtime) => {
  let world: LambdaWorld
  beforeAll(async () => {
    world = await startLambdaWorld({ folder: built.folder, runtime })
  })
  afterAll(() => world.close())

  /** What the double was asked while `work` ran, but for what the owner asked. */
  const calls = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = world.double.calls.length
    await work()
    return world.double.calls.slice(before).flatMap(({ op }) => (op === 'RotateSecret' ? [] : [op]))
  }

  test('RotateSecret promotes a login that works, and the login before it keeps working', async () => {
    const secret = await world.secret()
    const before = await world.read(secret)
    expect(await world.rotate(secret)).toMatchObject({ steps: FOUR })
    const after = await world.read(secret)
    expect(after).toEqual({ ...before, username: secret.b, password: expect.not.stringContaining(before.password) })
    expect([await world.login(after), await world.login(before)]).toEqual(['in', 'in'])
    expect(await world.read(secret, 'AWSPREVIOUS')).toEqual(before)
  })

  test('a warm process makes eight calls of Secrets Manager for a rotation', async () => {
    await world.rotate(await world.secret())
    const secret = await world.secret()
    expect(await calls(() => world.rotate(secret))).toHaveLength(8)
  })

  test('a rotation logs in at most three times, and no login fails', async () => {
    const secret = await world.secret()
    const { logins, failedLogins } = await world.logins(() => world.rotate(secret))
    expect([logins > 0 && logins <= 3, failedLogins]).toEqual([true, 0])
    const wrong = await world.logins(() => world.login({ username: secret.a, password: 'wrong' }))
    expect(wrong).toEqual({ logins: 0, failedLogins: 1 })
  })

  test('four processes, one a step, come to the same end with one call more', async () => {
    const secret = await world.secret()
    world.alwaysCold(true)
    const asked = await calls(() => world.rotate(secret))
    world.alwaysCold(false)
    expect(asked).toHaveLength(9)
    expect(await world.login(await world.read(secret))).toBe('in')
  })

  test('a rotation inside the grace is refused and leaves no AWSPENDING, so the next one gets through', async () => {
    const secret = await world.secret()
    await world.rotate(secret)
    const first = await world.read(secret)
    world.advance(HOUR)
    const refused = await world.rotate(secret)
    expect(refused).toMatchObject({ steps: ['createSecret'], error: { name: 'conflict/inside-grace' } })
    expect(world.double.versions(secret.name).filter((v) => v.stages.includes('AWSPENDING'))).toEqual([])
    expect(await world.read(secret)).toEqual(first)
    world.advance(DAY)
    expect(await world.rotate(secret)).not.toHaveProperty('error')
    expect(await world.read(secret)).toMatchObject({ username: secret.a })
    expect(await world.login(await world.read(secret))).toBe('in')
  })

  test('Secrets Manager’s next try after a failed step goes on with the same value', async () => {
    const secret = await world.secret()
    world.double.setFault(({ op }) => (op === 'UpdateSecretVersionStage' ? { error: 'AccessDeniedException' } : undefined))
    const failed = await world.rotate(secret)
    world.double.setFault(undefined)
    expect(failed).toMatchObject({ steps: FOUR, error: { name: 'denied/store' } })
    const pending = await world.read(secret, 'AWSPENDING')
    expect(await world.retry(secret)).toMatchObject({ steps: FOUR })
    expect(await world.read(secret)).toEqual(pending)
  })

  test('a lone testSecret checks configuration, admin and the current login, and changes nothing', async () => {
    const secret = await world.secret()
    const [before, versions] = [await world.read(secret), world.double.versions(secret.name)]
    const asked = await calls(() => world.rotate(secret, { RotateImmediately: false }))
    expect(asked.filter((op) => !['DescribeSecret', 'GetSecretValue'].includes(op))).toEqual([])
    expect((await world.double.idle()).at(-1)).toEqual({ ...base(secret.name), kind: 'test', steps: ['testSecret'] })
    expect([await world.read(secret), world.double.versions(secret.name)]).toEqual([before, versions])
    expect(await world.login({ username: secret.b, password: before.password })).toBe('28P01')
  })
  const base = (secret: string) => ({ secret, token: expect.any(String) })

  test('a lone testSecret says what a rotation would be refused for', async () => {
    const secret = await world.secret({ more: { masterarn: 'nobody' } })
    expect(await world.rotate(secret, { RotateImmediately: false })).toMatchObject({
      error: { message: expect.stringContaining('not-found/admin-secret') }
    })
  })

  test('RotationToken is passed on to PutSecretValue', async () => {
    const secret = await world.secret()
    const token = await world.registered(secret)
    const passed: unknown[] = []
    world.double.setFault(({ op, input }) => {
      if (op === 'PutSecretValue') passed.push(input.RotationToken)
      return undefined
    })
    const own = { SecretId: secret.arn, ClientRequestToken: token, RotationToken: 'planted-rotation-token' }
    expect(await world.invoke(eventOf('create-secret', own))).toEqual({ answer: 'created' })
    world.double.setFault(undefined)
    expect(passed).toEqual(['planted-rotation-token'])
    expect(world.output()).not.toContain('planted-rotation-token')
  })

  test('the steps are taken as the user guide spells them, too', async () => {
    const secret = await world.secret()
    const own = { SecretId: secret.arn, ClientRequestToken: await world.registered(secret) }
    expect(await world.invoke(eventOf('create-secret-as-the-guide-spells-it', own))).toEqual({ answer: 'created' })
  })

  test('every step may come twice, and after the last one every step says that it is done', async () => {
    const secret = await world.secret()
    const token = await world.registered(secret)
    const twice = async (name: 'create-secret' | 'set-secret' | 'test-secret' | 'finish-secret') => [
      await world.step(name, secret, token),
      await world.step(name, secret, token)
    ]
    expect(await twice('create-secret')).toEqual([{ answer: 'created' }, { answer: 'created already' }])
    const staged = await world.read(secret, 'AWSPENDING')
    expect(await twice('set-secret')).toEqual([{ answer: 'set' }, { answer: 'set' }])
    expect(await twice('test-secret')).toEqual([{ answer: 'tested' }, { answer: 'tested' }])
    const done = { answer: expect.stringContaining('done already') }
    expect(await twice('finish-secret')).toEqual([{ answer: 'finished' }, done])
    for (const name of ['create-secret', 'set-secret', 'test-secret'] as const)
      expect(await world.step(name, secret, token)).toEqual(done)
    expect(await world.read(secret)).toEqual(staged)
  })

  test('a secret of AWS’s multi-user template works unchanged: the clone is made, and may do what its base may', async () => {
    const secret = await world.secret({ mode: 'clone' })
    await world.server.query(`CREATE TABLE of_${secret.a} (n int); GRANT SELECT ON of_${secret.a} TO ${secret.a}`)
    expect(await world.rotate(secret)).not.toHaveProperty('error')
    const after = await world.read(secret)
    expect(after).toMatchObject({ username: secret.b, masterarn: expect.any(String) })
    expect(await world.login(after)).toBe('in')
    const [rights] = await world.server.query(`SELECT has_table_privilege('${secret.b}', 'of_${secret.a}', 'SELECT') AS may`)
    expect(rights).toEqual({ may: true })
  })

  test('a secret of AWS’s single-user template works unchanged: the login changes its own password', async () => {
    const secret = await world.secret({ mode: 'single' })
    const before = await world.read(secret)
    expect(await world.rotate(secret)).not.toHaveProperty('error')
    const after = await world.read(secret)
    expect(after.username).toBe(secret.a)
    expect([await world.login(after), await world.login(before)]).toEqual(['in', '28P01'])
    // The one mode in which readers are refused for a while: it is measured, and said.
    expect(world.output()).toMatch(/finished; readers were refused for \d+ ms/)
  })

  test('no password, verifier or token of Secrets Manager is in anything that the process wrote', async () => {
    const secret = await world.secret()
    const tokens: unknown[] = []
    world.double.setFault(({ op, input }) => {
      if (op === 'PutSecretValue') tokens.push(input.RotationToken)
      return undefined
    })
    await world.rotate(secret)
    await world.rotate(secret)
    world.double.setFault(undefined)
    const passwords = [await world.read(secret), await world.read(secret, 'AWSPREVIOUS')].map((d) => d.password)
    const [role] = await world.server.query<{ rolpassword: string }>('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [
      secret.b
    ])
    const planted = [...passwords, ...tokens, ADMIN_PASSWORD, 'SCRAM-SHA-256$', role?.rolpassword].map(String)
    expect(planted.filter((text) => world.output().includes(text))).toEqual([])
    expect(world.output()).toContain('"conflict/inside-grace"')
  })
})
