import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { DEFAULT_PASSWORD_POLICY, generatePassword } from '../../../shared/password.ts'
import { scramVerifier } from '../../../shared/targets/scram.ts'
import { runCli } from '../program.ts'
import { compileInto } from './runs.ts'
import { type Server, startServer } from './server.ts'

/** A database, an application's secret, and keyturn's settings: what there is before the first rotation. */
export interface Shop {
  readonly caPem: string
  /** Of the file store. */
  readonly folder: string
  readonly secretId: string
  readonly environment: Readonly<Record<string, string>>
  /** What keyturn did to the database when it took the secret under management. */
  readonly statements: number
}

/** One login with a table of its own, taken under management by the commands that anybody would use. */
export async function openShop(graceMs: number, ends: AsyncDisposableStack): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-demo-secrets-'))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const [server, compiled] = await Promise.all([startServer(ends), compileInto(join(folder, 'compiled'), ends)])
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, server.caPem)
  const environment = { ...compiled, KEYTURN_FOLDER: folder, KEYTURN_CA_FILE: caFile }
  const admin = await login(server, 'keyturn_admin', 'CREATEROLE IN ROLE pg_signal_backend')
  const shop = await login(server, 'shop', '')
  await server.sql('GRANT shop TO keyturn_admin WITH ADMIN OPTION')
  await server.sql('CREATE DATABASE shop')
  await server.sql(
    `GRANT CREATE ON SCHEMA public TO shop; SET ROLE shop;
     CREATE TABLE visits (page int PRIMARY KEY, count int NOT NULL); INSERT INTO visits SELECT page, 0 FROM generate_series(0, 99) page`,
    'shop'
  )
  await keyturn(environment, ['create', 'admin', '--from', '-', '--no-managed'], admin)
  await keyturn(environment, ['create', 'shop', '--from', '-', '--no-managed'], { ...shop, masterarn: 'admin' })
  const adopted = await keyturn(environment, ['adopt', 'shop', '--yes', '--grace', `${graceMs}ms`])
  return { caPem: server.caPem, folder, secretId: 'shop', environment, statements: adopted.statements?.length ?? 0 }
}

async function login(server: Server, username: string, attributes: string) {
  const password = generatePassword(DEFAULT_PASSWORD_POLICY)
  await server.sql(`CREATE ROLE ${username} LOGIN PASSWORD '${await scramVerifier(password, undefined)}' ${attributes}`)
  return { engine: 'postgres', host: 'localhost', port: server.port, dbname: 'shop', username, password: password.reveal() }
}

/** One command, in this process. */
async function keyturn(
  environment: Readonly<Record<string, string>>,
  args: readonly string[],
  document?: object
): Promise<{ readonly statements?: readonly unknown[] }> {
  const said: string[] = []
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      said.push(String(chunk))
      done()
    }
  })
  const exit = await runCli([...args, '--json'], environment, {
    ...{ stdout: stream, stderr: stream, colours: false, interrupted: new AbortController().signal, ask: async () => false },
    stdin: (async function* () {
      yield JSON.stringify(document)
    })()
  })
  if (exit !== 0) throw new Error(`keyturn ${args[0]} exited with ${exit}: ${said.join('')}`)
  return JSON.parse(said.join(''))
}
