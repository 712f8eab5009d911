import type { Client } from 'pg'
import type { Credential } from '../../shared/ports/target.ts'
import { SecretText } from '../../shared/types.ts'
import { targetSuite } from '../conformance/target.ts'
import { type Consumer, PLANTED, type Scene, type TargetHarness } from '../conformance/target-harness.ts'
import { passwordOf, quoted, startWorld, VERSIONS, type World } from './postgres-world.ts'

type Mode = 'pair' | 'clone' | 'twin' | 'single'

/** Before 16, CREATEROLE alone lets each half alter the other; from 16 on no two roles can have ADMIN OPTION on each other. */
const MODES: Readonly<Record<number, readonly Mode[]>> = {
  15: ['pair', 'clone', 'twin', 'single'],
  18: ['pair', 'clone', 'single']
}

for (const version of VERSIONS) {
  for (const mode of MODES[version] ?? (['pair'] as const))
    targetSuite(`postgres ${version}, ${mode}`, async () => harnessOf(await startWorld({ version }), mode))
}

function harnessOf(world: World, mode: Mode): TargetHarness {
  return {
    scene: () => sceneOf(world, mode),
    works: async (credential) => {
      const client = await login(world, credential).catch((e: { code?: string }) => e)
      if (!('end' in client)) {
        if (client.code !== '28P01') throw client
        return false
      }
      await client.query('SELECT count(*) FROM pg_class')
      await client.end()
      return true
    },
    use: (credential) => consumerOf(world, credential),
    wrong: (credential) =>
      world.target().inspect(new SecretText(credential.document.reveal().replace(passwordOf(credential), PLANTED)), {}),
    unreadable: [
      { document: new SecretText(`{"password":"${PLANTED}`), names: /JSON/ },
      { document: world.document({ username: '', password: PLANTED }), names: /username/ },
      { document: world.document({ username: 'a', password: PLANTED, engine: 'mysql' }), names: /engine/ },
      { document: world.document({ username: 'a', password: PLANTED, ssl: false }), names: /ssl/ },
      { document: world.document({ username: 'a', password: PLANTED, pair: ['b', 'c'] }), names: /pair/ }
    ],
    breakSecret: async ({ principal }) =>
      void (await world.sql(`ALTER ROLE ${quoted(principal)} PASSWORD 'set by somebody else'`)),
    cutLock: async () => {
      await world.sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'")
    },
    snapshot: async (scene) =>
      JSON.stringify(await world.server.query(SNAPSHOT, [[scene.current.principal, scene.current.counterpart]])),
    stop: () => world.stop()
  }
}

async function sceneOf(world: World, mode: Mode): Promise<Scene> {
  const pair = await world.pair(mode === 'twin' ? { attributes: 'CREATEROLE IN ROLE pg_signal_backend' } : {})
  const target = world.target()
  const fields = { username: pair[0], ...(mode === 'pair' || mode === 'clone' ? { masterarn: 'arn:admin' } : {}) }
  const document = world.document({ ...fields, ...(mode === 'pair' || mode === 'twin' ? { pair } : {}) })
  return { target, current: target.inspect(document, {}), metadata: {} }
}

const login = (world: World, credential: Credential, application = 'consumer'): Promise<Client> =>
  world.connect(credential.principal, passwordOf(credential), { application_name: application })

async function consumerOf(world: World, credential: Credential): Promise<Consumer> {
  const application = world.name('a consumer')
  const client = await login(world, credential, application)
  return {
    application,
    works: () =>
      client.query('SELECT 1').then(
        () => true,
        () => false
      ),
    end: async () => {
      await client.end()
      // The server notices a moment later that a client is gone.
      while ((await world.sql(`SELECT FROM pg_stat_activity WHERE application_name = '${application}'`)).length > 0);
    }
  }
}

const SNAPSHOT = `
WITH r AS (SELECT * FROM pg_authid WHERE rolname = ANY ($1))
SELECT (SELECT json_agg(r ORDER BY oid) FROM r) AS roles,
  (SELECT json_agg(s ORDER BY setrole, setdatabase) FROM pg_db_role_setting s WHERE setrole IN (SELECT oid FROM r)) AS settings,
  (SELECT json_agg(m ORDER BY roleid, member) FROM pg_auth_members m WHERE member IN (SELECT oid FROM r) OR roleid IN (SELECT oid FROM r)) AS members,
  (SELECT json_agg(shobj_description(oid, 'pg_authid') ORDER BY oid) FROM r) AS comments`
