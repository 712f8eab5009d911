import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Identity, localIdentity, sharedAuthority } from '../servers/certificates.ts'
import type { Op, Right } from './key-vault-access.ts'
import {
  type Call,
  type Challenge,
  type Fault,
  type FaultHook,
  type House,
  type IncomingCall,
  type Landed,
  serve
} from './key-vault-calls.ts'
import { settle } from './key-vault-catalog.ts'
import { lookUp, type SecretState } from './key-vault-state.ts'
import type { VendorFault } from './key-vault-wire.ts'

export type { Call, Challenge, Fault, FaultHook, IncomingCall, Landed, Op, Right, SecretState, VendorFault }

export interface KeyVaultOptions {
  /** Milliseconds since the epoch; every date, and the HTTP Date header, comes from here. Tokens expire by the real clock. */
  readonly now?: () => number
  /** May be asynchronous: a call waits, without effect, until it resolves. */
  readonly fault?: FaultHook | undefined
  /** What each principal may do; who is not named may do everything. */
  readonly principals?: Readonly<Record<string, readonly Right[]>>
  /** How a principal without a right is refused: ForbiddenByRbac (default) or ForbiddenByPolicy. */
  readonly permissionModel?: 'rbac' | 'policy'
  /** Of the version ids and the order of lists; 1 by default. Two vaults of one test need two seeds. */
  readonly seed?: number
  /** 7 to 90 days; 90 by default. */
  readonly recoverableDays?: number
  /** Deletions, purges and recoveries stay under way until the test calls `settle()`; at once by default. */
  readonly slowDeletion?: boolean
  /** Lists begin with an empty page that has a nextLink, as the service's sometimes do. */
  readonly emptyPages?: boolean
  /** The certificate it shows; the one of the shared authority by default. */
  readonly identity?: Identity
}

export interface VersionFacts {
  readonly id: string
  readonly enabled: boolean
  readonly tags: Readonly<Record<string, string>>
  readonly contentType: string | undefined
  /** Whole seconds since the epoch. */
  readonly created: number
  readonly updated: number
  readonly nbf: number | undefined
  readonly exp: number | undefined
}

export interface KeyVaultDouble {
  /** https://127.0.0.1:port */
  readonly url: string
  /** The authority of its certificate, for `tlsOptions: { ca }`. */
  readonly caPem: string
  readonly calls: readonly Call[]
  readonly challenges: readonly Challenge[]
  /** Replaces the fault hook. */
  setFault(fault: FaultHook | undefined): void
  /** Replaces what a principal may do; undefined: everything. */
  setRights(principal: string, rights: readonly Right[] | undefined): void
  /** The vault's firewall: a principal that it keeps out hears ForbiddenByFirewall. */
  setFirewall(blocks: ((principal: string) => boolean) | undefined): void
  /** A regional failover: what changes anything is refused, what reads is answered. */
  setReadOnly(readOnly: boolean): void
  /** Every version of a secret in any state, oldest first, without values; empty if there is none. */
  versions(name: string): readonly VersionFacts[]
  /** The values, oldest first. Compare them and show the outcome: they must not get into an assertion's message. */
  reveal(name: string): readonly string[]
  stateOf(name: string): SecretState | undefined
  /** Ends the deletions, purges and recoveries that are under way (`slowDeletion`). */
  settle(): void
  /** Applies what `late` took, in the order in which it came. */
  landLate(): readonly Landed[]
  close(): Promise<void>
}

/**
 * A double of Azure Key Vault (secrets) on 127.0.0.1 over HTTPS, written from the REST reference and recordings of the real
 * service; each behaviour names where it is taken from.
 */
export async function startKeyVault(options: KeyVaultOptions = {}): Promise<KeyVaultDouble> {
  const house = houseOf(options)
  const { cert, key } = options.identity ?? (await localIdentity())
  const server = createServer({ cert, key }, (message, response) => serve(house, message, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  house.vault.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: house.vault.url,
    caPem: (await sharedAuthority()).caPem,
    ...controls(house),
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    }
  }
}

function houseOf(options: KeyVaultOptions): House {
  const { now = Date.now, seed = 1, recoverableDays = 90, slowDeletion = false, emptyPages = false } = options
  return {
    vault: { url: '', now, seed, recoverableDays, slowDeletion, emptyPages, secrets: new Map(), made: 0 },
    access: {
      model: options.permissionModel ?? 'rbac',
      rights: new Map(Object.entries(options.principals ?? {})),
      firewall: undefined,
      readOnly: false
    },
    calls: [],
    challenges: [],
    fault: options.fault,
    late: []
  }
}

function controls(house: House): Omit<KeyVaultDouble, 'url' | 'caPem' | 'close'> {
  const { vault, access, calls, challenges } = house
  return {
    calls,
    challenges,
    setFault: (fault) => {
      house.fault = fault
    },
    setRights: (principal, rights) => {
      if (rights) access.rights.set(principal, rights)
      else access.rights.delete(principal)
    },
    setFirewall: (blocks) => {
      access.firewall = blocks
    },
    setReadOnly: (readOnly) => {
      access.readOnly = readOnly
    },
    versions: (name) => (lookUp(vault, name)?.versions ?? []).map(({ value: _, tags = {}, ...facts }) => ({ ...facts, tags })),
    reveal: (name) => (lookUp(vault, name)?.versions ?? []).map((v) => v.value),
    stateOf: (name) => lookUp(vault, name)?.state,
    settle: () => settle(vault),
    landLate: () => {
      const late = house.late.splice(0)
      return late.map(({ call: { op, name }, effect }) => ({ op, name, status: effect().status }))
    }
  }
}
