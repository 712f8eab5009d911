import { SecretClient } from '@azure/keyvault-secrets'
import { encodePatch } from '../../shared/metadata.ts'
import { type AzureKeyVault, type AzureKeyVaultSettings, azureKeyVault } from '../../shared/stores/azure-key-vault.ts'
import type { Inject, StoreHarness } from '../conformance/store-harness.ts'
import { azureCredential } from '../doubles/azure-credential.ts'
import { type IncomingCall, type KeyVaultDouble, startKeyVault, type VendorFault } from '../doubles/key-vault.ts'
import { type BlobFault, type Blobs, faultyHttp, type JournalBlob, startBlobs } from './azure-blobs.ts'

export interface AzureHarness extends StoreHarness {
  readonly store: AzureKeyVault
  readonly double: KeyVaultDouble
  readonly blobs: Blobs
  /** An owner's client, with no settings of keyturn's. */
  readonly owner: SecretClient
  /** What another owner of the account can do with a secret's journal. */
  journalOf(id: string): JournalBlob
  /** Another process of keyturn's; `containerUrl`: with its journals elsewhere. */
  another(settings?: Partial<AzureKeyVaultSettings>, containerUrl?: string): AzureKeyVault
  /** keyturn's calls that the work made, in order: the vault's `GetSecret app`, the journal's `write journal`. */
  calls(work: () => Promise<unknown>): Promise<readonly string[]>
  /** The faults of keyturn's calls: it is asked before the suite's own. */
  setFault(fault: VaultFault | undefined): void
  setBlobFault(fault: BlobFault | undefined): void
}

export type VaultFault = (
  call: IncomingCall
) => 'before' | 'lost' | 'after' | 'late' | VendorFault | undefined | Promise<'before' | 'lost' | 'after' | 'late' | undefined>

export interface HarnessOptions {
  readonly blobs?: () => Promise<Blobs>
  readonly maxRetries?: number
  readonly requestTimeoutMs?: number
}

/** What the vault calls the secret of an id. */
export const nameOf = (id: string): string => id.split('/').at(-1) ?? ''

/** A pause that a test can bear. */
const RETRIES = { retryDelayInMs: 1, maxRetryDelayInMs: 2 }

/** What goes wrong, and what was asked. */
interface Network {
  readonly said: string[]
  vaultFault: VaultFault | undefined
  blobFault: BlobFault | undefined
}

/** Key Vault's double and a blob container, and the store over the genuine clients. */
export async function startAzure(options: HarnessOptions = {}): Promise<AzureHarness> {
  let ahead = 0
  const network: Network = { said: [], vaultFault: undefined, blobFault: undefined }
  const overwrites: Overwrites = new Map()
  const blobs = await (options.blobs ?? startBlobs)()
  const double = await startKeyVault({ now: () => Date.now() + ahead })
  double.setFault(async (call) => {
    if (call.principal !== 'keyturn') return undefined
    await overtake(overwrites, call)
    network.said.push(`${call.op} ${call.name}`)
    return network.vaultFault?.(call)
  })
  const owner = new SecretClient(double.url, azureCredential('owner'), clientOf(double))
  const another = processesOf(double, blobs, network, options)
  const setFault = (fault: VaultFault | undefined): void => {
    network.vaultFault = fault
  }
  return {
    ...{ double, blobs, owner, another, setFault },
    store: another(),
    journalOf: (id) => blobs.of(new URL(double.url).host, nameIn(id)),
    ...hands(owner, overwrites),
    advance: (ms) => {
      ahead += ms
    },
    calls: async (work) => {
      const before = network.said.length
      await work()
      return network.said.slice(before)
    },
    setBlobFault: (fault) => {
      network.blobFault = fault
    },
    faults: faultsOf(setFault, owner),
    close: async () => {
      await double.close()
      await blobs.close()
    }
  }
}

const clientOf = ({ caPem }: KeyVaultDouble) => ({ disableChallengeResourceVerification: true, tlsOptions: { ca: caPem } })

function processesOf(
  double: KeyVaultDouble,
  blobs: Blobs,
  network: Network,
  { maxRetries = 1, requestTimeoutMs = 5_000 }: HarnessOptions
): AzureHarness['another'] {
  const retryOptions = { ...RETRIES, maxRetries }
  const httpClient = faultyHttp(async (call) => {
    network.said.push(`${call.op} journal`)
    return network.blobFault?.(call)
  })
  return (settings = {}, containerUrl = blobs.containerUrl) =>
    azureKeyVault({
      vaultUrl: double.url,
      credential: azureCredential('keyturn'),
      journal: {
        ...{ containerUrl, credential: blobs.credential },
        clientOptions: { tlsOptions: { ca: blobs.caPem }, retryOptions, httpClient }
      },
      clientOptions: { ...clientOf(double), retryOptions },
      requestTimeoutMs,
      ...settings
    })
}

/** A person's writes that are still to come, by name. */
type Overwrites = Map<string, { readonly write: () => Promise<void>; isNext: boolean }>

/**
 * Key Vault cannot compare, so a person's write comes at the worst moment: after the look of a promotion at the newest
 * version and before its write, which is what the declared fact is about.
 */
async function overtake(overwrites: Overwrites, { op, name }: IncomingCall): Promise<void> {
  for (const [of, coming] of overwrites) {
    if (!coming.isNext) continue
    overwrites.delete(of)
    await coming.write()
  }
  const found = op === 'GetSecret' ? overwrites.get(name.toLowerCase()) : undefined
  if (found) found.isNext = true
}

const nameIn = (id: string): string => id.split('/').at(-1) ?? id

function hands(
  owner: SecretClient,
  overwrites: Overwrites
): Pick<StoreHarness, 'create' | 'overwrite' | 'writeRaw' | 'ordinaryRead'> {
  return {
    create: async (name, text, metadata) => {
      const policy = Object.entries(encodePatch(metadata).set).map(([key, value]) => `${key}=${value}`)
      const made = await owner.setSecret(name, text, policy.length > 0 ? { tags: { keyturn: policy.join(';') } } : {})
      return `${made.properties.vaultUrl}/secrets/${name}`
    },
    overwrite: async (id, text) => {
      const write = async (): Promise<void> => void (await owner.setSecret(nameIn(id), text))
      overwrites.set(nameIn(id).toLowerCase(), { write, isNext: false })
    },
    writeRaw: async (id, key, text) => {
      const { properties } = await owner.getSecret(nameIn(id))
      const { keyturn = '', ...others } = properties.tags ?? {}
      const kept = keyturn.split(';').filter((part) => !part.startsWith(`${key}=`))
      const tags = { ...others, keyturn: [...kept, `${key}=${text}`].join('; ') }
      await owner.updateSecretProperties(nameIn(id), properties.version ?? '', { tags })
    },
    ordinaryRead: async (id) => (await owner.getSecret(nameIn(id))).value ?? ''
  }
}

function faultsOf(setFault: (fault: VaultFault | undefined) => void, owner: SecretClient): StoreHarness['faults'] {
  const end = async (): Promise<void> => setFault(undefined)
  const always = (fault: VendorFault | 'before'): Inject => {
    return async () => {
      setFault(() => fault)
      return end
    }
  }
  const once = (hit: (call: IncomingCall) => boolean, fault: VendorFault | 'lost'): Inject => {
    return async () => {
      let done = false
      setFault((call) => {
        if (done || !hit(call)) return undefined
        done = true
        return fault
      })
      return end
    }
  }
  const enable = (id: string, enabled: boolean) => owner.updateSecretProperties(nameIn(id), '', { enabled })
  return {
    denied: always({ error: 'Forbidden', inner: 'ForbiddenByRbac' }),
    'throttled on and on': always({ error: 'Throttled' }),
    'no answer': always('before'),
    'throttled a little': once(() => true, { error: 'Throttled' }),
    'lost answer': once(({ op }) => op === 'SetSecret' || op === 'UpdateSecret', 'lost'),
    disabled: async (id) => {
      await enable(id, false)
      return async () => void (await enable(id, true))
    }
  }
}
