import { expect } from 'vitest'
import type { KeyturnError } from '../../shared/errors.ts'
import { type VaultClient, type VaultSettings, vaultClient } from '../../shared/vault/client.ts'
import type { VaultLogin } from '../../shared/vault/login.ts'
import { type Openbao, startOpenbao } from '../servers/openbao.ts'
import { failure, signal } from './vault-world.ts'

export const WRITE = { method: 'POST', path: 'secret/data/app', body: { data: { password: 'planted-value' } } } as const
const POLICY = 'path "secret/*" { capabilities = ["create", "update", "read", "list", "delete", "patch"] }'

/** Claims in seconds; without `nbf` OpenBao takes a time near `exp` for it. */
export const thisHour = () => ({ nbf: Math.floor(Date.now() / 1000) - 60, exp: Math.floor(Date.now() / 1000) + 3600 })

export interface OpenbaoWorld {
  readonly bao: Openbao
  client(login: VaultLogin, more?: Partial<VaultSettings>): VaultClient
  dataOf(method: 'GET' | 'POST', path: string): Promise<Readonly<Record<string, string>>>
  /** Writes by the login, and ends. The token that it got worked, and does not live any more: its accessor is unknown. */
  worksAndEnds(login: VaultLogin, more?: Partial<VaultSettings>): Promise<void>
  denied(login: VaultLogin, more?: Partial<VaultSettings>): Promise<KeyturnError>
}

/** An OpenBao with KV v2 at `secret`, and a policy `writer` for it. */
export async function startWorld(): Promise<OpenbaoWorld> {
  const bao = await startOpenbao()
  await bao.mountKv('secret')
  await bao.writePolicy('writer', POLICY)
  const client: OpenbaoWorld['client'] = (login, more = {}) => vaultClient({ address: bao.url, ca: bao.caPem, login, ...more })
  return {
    bao,
    client,
    dataOf: async (method, path) => {
      const answer = await bao.request(method, `/v1/${path}`)
      expect(answer.status).toBe(200)
      return (answer.body as { data: Record<string, string> }).data
    },
    worksAndEnds: async (login, more) => {
      let accessor: string | undefined
      const watched: VaultLogin['login'] = async (...a) => {
        const token = await login.login(...a)
        accessor = token.accessor
        return token
      }
      const vault = client({ name: login.name, login: watched }, more)
      expect(await vault.call(WRITE, signal())).toMatchObject({ status: 200 })
      const lookup = () => bao.request('POST', '/v1/auth/token/lookup-accessor', { accessor })
      expect((await lookup()).status).toBe(200)
      await vault.end(signal())
      expect((await lookup()).status).toBe(400)
    },
    denied: async (login, more) => {
      const error = await failure(client(login, more).call(WRITE, signal()))
      expect(error).toMatchObject({ code: 'denied/store', retryable: false })
      expect(error.message).toContain(login.name)
      return error
    }
  }
}
