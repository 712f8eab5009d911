import { Client, DatabaseError } from 'pg'
import type { PostgresServer } from '../servers/postgres.ts'

/** `in`, or the server's SQLSTATE. */
export async function tryLogin(
  { host, port, caPem: ca }: PostgresServer,
  { username: user, password }: { readonly username: string; readonly password: string }
): Promise<string> {
  const client = new Client({ host, port, database: 'postgres', user, password, ssl: { ca } })
  client.on('error', () => {})
  try {
    await client.connect()
    return 'in'
  } catch (e) {
    if (e instanceof DatabaseError && e.code !== undefined) return e.code
    throw e
  } finally {
    await client.end()
  }
}
