/** An answer of Vault's that is no success: `{"errors":["…"]}` with a status (developer.hashicorp.com/vault/api-docs, "Error response"). */
export interface VaultRefusal {
  readonly status: number
  readonly says: string
}

export const refused = (status: number, says: string): Error & VaultRefusal => Object.assign(new Error(says), { status, says })

export const isRefusal = (e: unknown): e is VaultRefusal => e instanceof Error && 'status' in e && 'says' in e
