import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findOpenbao } from '../servers/openbao.ts'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { placeOnDouble, placeOnOpenbao, type VaultPlace } from '../stores/vault-harness.ts'

/** Vault's KV with an admin's secret and a managed one of two logins: OpenBao where it is installed, its double elsewhere. */
export interface VaultCloud {
  readonly place: VaultPlace
  readonly server: PostgresServer
  readonly secret: string
  readonly pair: readonly [string, string]
  /** For keyturn with a token of its own. */
  readonly env: Readonly<Record<string, string>>
  /** For a function that logs in by AppRole, with the policy of vault-kv.ts. OpenBao only. */
  appRole(): Promise<Readonly<Record<string, string>>>
  /** How many tokens live. OpenBao only. */
  tokens(): Promise<number>
  /** The ordinary read of an application. */
  read(): Promise<{ readonly username: string }>
  close(): Promise<void>
}

export async function startVaultCloud(): Promise<VaultCloud> {
  const [place, server] = await Promise.all([findOpenbao() ? placeOnOpenbao() : placeOnDouble(), startPostgres({ version: 18 })])
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-vault-'))
  writeFileSync(join(folder, 'ca.pem'), server.caPem)
  await server.query(`CREATE ROLE keyturn_admin LOGIN CREATEROLE PASSWORD 'admin' IN ROLE pg_signal_backend, pg_read_all_stats;
    CREATE ROLE app_a LOGIN PASSWORD 'first'; CREATE ROLE app_b LOGIN; GRANT app_a, app_b TO keyturn_admin WITH ADMIN OPTION`)
  const at = { engine: 'postgres', host: server.host, port: server.port, dbname: 'postgres' }
  const login = { username: 'app_a', password: 'first', masterarn: 'db/admin', pair: ['app_a', 'app_b'] }
  await place.owner('POST', 'data/db/admin', { data: { ...at, username: 'keyturn_admin', password: 'admin' } })
  await place.owner('POST', 'data/db/app', { data: { ...at, ...login } })
  await place.owner('POST', 'metadata/db/app', { custom_metadata: { 'keyturn:kind': 'postgres' } })
  const common = {
    ...{ VAULT_ADDR: place.server.url, KEYTURN_VAULT_KV_MOUNT: place.mount },
    KEYTURN_CA_FILE: join(folder, 'ca.pem')
  }
  return {
    ...{ place, server, secret: 'db/app', pair: ['app_a', 'app_b'] },
    env: { ...common, VAULT_TOKEN: place.token },
    appRole: async () => ({ ...common, ...(await appRoleOf(place)) }),
    tokens: () => tokensOf(place),
    read: async () => ((await place.owner('GET', 'data/db/app')).body as { data: { data: { username: string } } }).data.data,
    close: async () => {
      await Promise.all([place.close(), server.stop()])
      rmSync(folder, { recursive: true })
    }
  }
}

function baoOf({ openbao }: VaultPlace) {
  if (!openbao) throw new Error('OpenBao is not installed')
  return openbao
}

async function appRoleOf(place: VaultPlace): Promise<Readonly<Record<string, string>>> {
  const bao = baoOf(place)
  const role = '/v1/auth/approle/role/keyturn'
  await bao.enableAuth('approle')
  await bao.expect('POST', role, { token_policies: place.mount, token_ttl: '1h' })
  const data = async (method: 'GET' | 'POST', path: string): Promise<Record<string, string>> =>
    ((await bao.request(method, path)).body as { data: Record<string, string> }).data
  return {
    KEYTURN_VAULT_LOGIN: 'approle',
    KEYTURN_VAULT_ROLE_ID: (await data('GET', `${role}/role-id`)).role_id ?? '',
    KEYTURN_VAULT_SECRET_ID: (await data('POST', `${role}/secret-id`)).secret_id ?? ''
  }
}

async function tokensOf(place: VaultPlace): Promise<number> {
  const { body } = await baoOf(place).request('GET', '/v1/auth/token/accessors?list=true')
  return (body as { data: { keys: readonly string[] } }).data.keys.length
}
