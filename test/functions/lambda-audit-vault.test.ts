import { afterAll, beforeAll, expect, test } from 'vitest'
import { spree, trail } from '../audit/audit-scene.ts'
import { findMoto } from '../doubles/moto.ts'
import { leaveOut } from '../left-out.ts'
import { findOpenbao } from '../servers/openbao.ts'
import { type AuditWorld, LOG_KEY, startAuditWorld } from './lambda-audit-world.ts'
import { type BuiltFunction, builtFunction } from './lambda-runtime.ts'
import { startVaultCloud, type VaultCloud } from './vault-cloud.ts'

const moto = findMoto()
if (moto === undefined) leaveOut('the audit on Lambda with Vault', 'moto_server is not installed')
else if (findOpenbao()) withVault(moto)

function withVault(motoServer: string): void {
  let built: BuiltFunction
  let world: AuditWorld
  let cloud: VaultCloud
  beforeAll(async () => {
    built = await builtFunction('aws/summarize-audit')
    const settings = { folder: built.folder, runtime: 'stand-in', moto: motoServer } as const
    ;[world, cloud] = await Promise.all([startAuditWorld(settings), startVaultCloud()])
  })
  afterAll(async () => {
    await Promise.all([world?.close(), cloud?.close()])
    built.remove()
  })

  test('summarize-audit lists Vault for the report of rotation, and leaves no token of its login alive', async () => {
    const bucket = await world.bucket({ ...(await cloud.appRole()), KEYTURN_STORE: 'vault', KEYTURN_NOTIFY: '' })
    await bucket.put(LOG_KEY, trail(spree(1)))
    const living = await cloud.tokens()
    expect(await bucket.once(bucket.event('s3-object-created'))).toMatchObject({ answer: { events: 1 } })
    const [document] = await bucket.documents()
    expect(document?.rotation).toContainEqual(expect.objectContaining({ secret: cloud.secret }))
    expect(document?.coverage.gaps.map(({ code }) => code)).not.toContain('unlisted')
    expect(await cloud.tokens()).toBe(living)
    expect(bucket.output()).not.toContain(cloud.place.token)
  })
}
