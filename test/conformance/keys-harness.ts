import type { Context, Credential, Target } from '../../shared/ports/target.ts'
import type { SecretText } from '../../shared/types.ts'
import type { FaultHook, ProviderCall } from '../doubles/provider-double.ts'

/** One secret at a provider: its current key works, and there is room for another one. Each scene has an account of its own. */
export interface KeyScene {
  readonly target: Target
  readonly current: Credential
  /** With the secret's id in it. */
  readonly context: Context
}

/** A provider of keys, started, and the hands that reach behind it. The target does not really pause between its questions. */
export interface KeysHarness {
  scene(): Promise<KeyScene>
  /** What a consumer does: calls with the key. Not a use that the provider records, nor a call that the lag counts. */
  works(credential: Credential): Promise<boolean>
  /** The provider records a use of the key, so long ago by its clock. Where facts.lastUsed is `none` it does nothing. */
  use(credential: Credential, agoMs: number): Promise<void>
  /** The same principal with a value that was never made. */
  wrong(credential: Credential): Credential
  /** Documents that the target cannot read; the planted text is in each, and a field's name in the refusal. */
  readonly unreadable: readonly { readonly document: SecretText; readonly names: RegExp }[]
  /** A person makes a key by hand, in the scene's account. Its id. */
  person(scene: KeyScene): Promise<string>
  /** The key is deleted past keyturn. */
  deleteBehind(credential: Credential): Promise<void>
  /** Everything the provider knows of the account's keys, but for their uses. */
  snapshot(scene: KeyScene): Promise<string>
  /** The provider keeps a name by which ours are told. */
  readonly hasMarks: boolean
  /** New keys are refused so many calls long; deleted and disabled ones are taken so many calls long. */
  lagCreated(calls: number): void
  lagRevoked(calls: number): void
  /** Every call that reached the provider, and what it does with one. `op` of create is `createOp`. */
  readonly calls: () => readonly ProviderCall[]
  setFault(fault: FaultHook | undefined): void
  readonly createOp: string
  /** What the provider answers to who may not, and to who asks too often. */
  readonly denied: { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  readonly throttled: { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  stop(): Promise<void>
}
