import { inspect } from 'node:util'
import { expect } from 'vitest'
import { KeyturnError } from '../../shared/errors.ts'
import type { Metadata } from '../../shared/metadata.ts'
import type { Credential, Target, TargetHold } from '../../shared/ports/target.ts'
import type { SecretText } from '../../shared/types.ts'

/** A consumer's open session. */
export interface Consumer {
  readonly application: string
  /** Whether it still can do its work. */
  works(): Promise<boolean>
  end(): Promise<void>
}

/** One secret at a target: its current credential works. */
export interface Scene {
  readonly target: Target
  readonly current: Credential
  readonly metadata: Metadata
}

/** A target, started, and the hands that reach behind it. */
export interface TargetHarness {
  scene(): Promise<Scene>
  /** What a consumer does: logs in and works. */
  works(credential: Credential): Promise<boolean>
  use(credential: Credential): Promise<Consumer>
  /** The same principal with a secret that was never set. */
  wrong(credential: Credential): Credential
  /** A document that the target cannot read; the planted text is in it, and a field's name in the refusal. */
  readonly unreadable: readonly { readonly document: SecretText; readonly names: RegExp }[]
  /** Somebody else sets the principal's secret, past keyturn. */
  breakSecret(credential: Credential): Promise<void>
  /** Ends whatever holds the lock, from outside. */
  cutLock(scene: Scene): Promise<void>
  /** Everything the target knows of a scene's principals, as text that differs when anything did. */
  snapshot(scene: Scene): Promise<string>
  stop(): Promise<void>
}

export const PLANTED = 'planted-secret-7f3a9c'
export const soon = (): AbortSignal => AbortSignal.timeout(30_000)
export const nobodyKnown = async (): Promise<readonly string[]> => []

/** Takes the hold and gives it back, whatever happens. */
export async function held<T>({ target, current, metadata }: Scene, work: (hold: TargetHold) => Promise<T>): Promise<T> {
  const hold = await target.hold(current, metadata, soon())
  try {
    return await work(hold)
  } finally {
    await hold.release()
  }
}

export const propose = ({ target, current, metadata }: Scene): Promise<Credential> =>
  target.propose(current, metadata, 'a-token-of-thirty-two-characters', soon())

/** A rotation up to the promotion; gives the scene that begins with it. */
export async function rotated(scene: Scene): Promise<Scene & { readonly old: Credential }> {
  const next = await propose(scene)
  await held(scene, (hold) => hold.apply(next, nobodyKnown, soon()))
  expect(await scene.target.verify(next, scene.metadata, soon())).toBe('accepted')
  return { ...scene, current: next, old: scene.current }
}

/** The refusal of a call that must fail: a KeyturnError that shows nothing of any secret, however it is looked at. */
export async function refusal(
  work: Promise<unknown> | (() => unknown),
  ...secrets: readonly Credential[]
): Promise<KeyturnError> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (e) {
    expect(e).toBeInstanceOf(KeyturnError)
    const shown = `${inspect(e, { depth: 9, showHidden: true })} ${JSON.stringify(e)} ${String((e as Error).stack)}`
    expect(shown).not.toContain(PLANTED)
    for (const { document } of secrets) for (const secret of secretsIn(document)) expect(shown).not.toContain(secret)
    if (e instanceof KeyturnError) return e
  }
  throw new Error('it was not refused')
}

/** Members of the documents of every target that hold what is secret. */
const SECRET_MEMBERS = [
  'password',
  'secret',
  'secretAccessKey',
  'smtpPassword',
  'clientSecret',
  'key',
  'connectionString',
  'apiKey',
  'private_key'
]

export function secretsIn(document: SecretText): readonly string[] {
  const found = JSON.parse(document.reveal()) as Readonly<Record<string, unknown>>
  return SECRET_MEMBERS.map((member) => found[member]).filter((value) => typeof value === 'string')
}
