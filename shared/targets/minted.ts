import { setTimeout } from 'node:timers/promises'
import { asKeyturnError, KeyturnError } from '../errors.ts'
import { isMarkOf, markOf } from '../mark.ts'
import type { Context, Credential, Living, Proof, Target, TargetHold } from '../ports/target.ts'
import { problem } from '../problem.ts'
import type { SecretText } from '../types.ts'
import type { Called, KeyDocument, KeyList, KeyProvider } from './minted-provider.ts'

export interface MintedSettings {
  /** Before each further question whether a new key is taken already, or a deleted one still. Default: 15 s in all. */
  readonly pausesMs?: readonly number[] | undefined
  /** Default: node:timers. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<unknown>) | undefined
}

/** A new IAM key is refused for some 15 s (aws-sdk-js#559); who takes longer says so in its facts, and is asked again by the next run. */
const PAUSES_MS = [500, 1_000, 2_000, 3_500, 8_000]

/**
 * A target whose credentials the provider makes: create, list, call, delete. Providers differ in what KeyProvider says of
 * them, and in nothing else. There is no lock (facts.lock): see ports/target.ts.
 */
export function minted<D extends KeyDocument>(provider: KeyProvider<D>, settings: MintedSettings = {}): Target {
  const inspect = (document: SecretText): Credential => {
    const { principal } = provider.inspect(document)
    return { principal, counterpart: undefined, document, overlap: provider.facts.overlap === 'dual', authority: 'admin' }
  }
  return {
    facts: { ...provider.facts, canDisable: provider.switching !== undefined, issue: 'minted', lock: 'claim' },
    inspect,
    async propose(current, context, token, signal) {
      refuseLate(signal)
      return inspect(await provider.create(provider.inspect(current.document), markOf(ownerOf(context), token), signal))
    },
    async verify(candidate, context, signal) {
      refuseLate(signal)
      const key = provider.inspect(candidate.document)
      const ask = () => provider.call(key, signal)
      if (context.applied !== true) return verdictOf(await ask(), key)
      const called = await until(settings, signal, ask, ({ state }) => state === 'alive')
      if (called.state === 'dead')
        throw new KeyturnError('unavailable/not-active-yet', `${key.principal} is refused so far: ${called.code}`, called.code)
      return verdictOf(called, key)
    },
    async preflight(current, context, signal) {
      const key = provider.inspect(current.document)
      const list = provider.list(key, signal)
      const asked = [
        refusedNow(provider, key, signal),
        crowded(provider, key, context, list),
        provider.preflight(key, list, signal)
      ]
      return (await Promise.all(asked)).flat()
    },
    async hold(place, context, signal) {
      refuseLate(signal)
      return held(provider, settings, provider.inspect(place.document), ownerOf(context))
    }
  }
}

function ownerOf({ secret }: Context): string {
  if (secret === undefined) throw new KeyturnError('bug/internal', 'a key without the secret that it is for')
  return secret
}

function refuseLate(signal: AbortSignal): void {
  if (signal.aborted) throw new KeyturnError('unavailable/deadline', 'the time was over')
}

function verdictOf(called: Called, { principal }: KeyDocument): 'accepted' | 'rejected' {
  if (called.state === 'cannot-tell')
    throw new KeyturnError('unavailable/provider', `whether ${principal} is taken cannot be told: ${called.why}`)
  return called.state === 'alive' ? 'accepted' : 'rejected'
}

/** Asks until it is what is waited for, as long as the pauses and the signal let; gives the last answer. */
async function until(
  { pausesMs = PAUSES_MS, pause = (ms, signal) => setTimeout(ms, undefined, { signal }) }: MintedSettings,
  signal: AbortSignal,
  ask: () => Promise<Called>,
  isIt: (called: Called) => boolean
): Promise<Called> {
  let called = await ask()
  for (const ms of pausesMs) {
    if (isIt(called)) return called
    const goesOn = await pause(ms, signal).then(
      () => true,
      () => false
    )
    if (!goesOn) return called
    called = await ask()
  }
  return called
}

async function refusedNow<D extends KeyDocument>(provider: KeyProvider<D>, key: D, signal: AbortSignal) {
  const called = await provider.call(key, signal).catch((e: unknown) => asKeyturnError(e))
  if (called instanceof KeyturnError) return [problem(called.code, called.message)]
  if (called.state === 'alive') return []
  if (called.state === 'cannot-tell') return [problem('unavailable/provider', called.why, false)]
  return [problem('denied/login', `the provider refuses ${key.principal} with ${called.code}: rotate, and a new key is made`)]
}

async function crowded<D extends KeyDocument>(provider: KeyProvider<D>, key: D, context: Context, asked: Promise<KeyList>) {
  const list = await asked.catch((e: unknown) => asKeyturnError(e))
  if (list instanceof KeyturnError) return [problem(list.code, list.message)]
  const strangers = list.keys.filter(({ id }) => id !== key.principal && !context.known?.includes(id)).map(({ id }) => id)
  if (list.keys.length < (list.maxLive ?? provider.facts.maxLive) || strangers.length === 0) return []
  return [problem('conflict/full', `no room for a new key beside ${strangers.join(', ')}`)]
}

/** Nothing is held: it is given to everybody, and released by nobody's doing. */
function held<D extends KeyDocument>(provider: KeyProvider<D>, settings: MintedSettings, place: D, secret: string): TargetHold {
  let listed: KeyList | undefined
  const listNow = async (signal: AbortSignal): Promise<KeyList> => {
    listed = await provider.list(place, signal)
    return listed
  }
  /** The key's own document tells where it is; it must be where this secret's keys are. */
  const own = (credential: Credential): D => {
    const of = provider.inspect(credential.document)
    if (of.account === place.account) return of
    throw new KeyturnError('conflict/key-not-ours', `${credential.principal} is a key of ${of.account}, not of ${place.account}`)
  }
  return {
    check: async () => {},
    release: async () => {},
    async apply(next, _known, signal) {
      const of = own(next)
      if (!provider.switching) return
      const { keys } = listed ?? (await listNow(signal))
      if (keys.find(({ id }) => id === next.principal)?.isDisabled) await provider.switching.enable(of, next.principal, signal)
    },
    usage: async (old, signal) => provider.lastUse(own(old), old.principal, signal),
    async disable(old, signal) {
      const of = own(old)
      if (!provider.switching)
        throw new KeyturnError('unsupported/disable', `${provider.facts.name}: ${old.principal} can only be deleted`)
      return provider.switching.disable(of, old.principal, signal)
    },
    async retire(old, _options, signal) {
      const of = own(old)
      await provider.remove(of, old.principal, signal)
      return proofOf(
        old,
        await until(
          settings,
          signal,
          () => provider.call(of, signal),
          ({ state }) => state === 'dead'
        )
      )
    },
    discard: async (next, signal) => provider.remove(own(next), next.principal, signal),
    async heal(current) {
      throw new KeyturnError('bug/broken', `${provider.facts.name}: ${current.principal} cannot be made valid again; rotate`)
    },
    live: async (_current, signal) => livingOf(await listNow(signal), secret)
  }
}

function proofOf({ principal }: Credential, called: Called): Proof {
  if (called.state === 'dead') {
    const { at, code, endpoint } = called
    return { principal, at, method: 'call', refusal: code, endpoint, sessionsEnded: 0 }
  }
  const why = called.state === 'alive' ? 'the provider still takes it' : called.why
  throw new KeyturnError('unavailable/not-dead-yet', `${principal} was deleted, and its death is not proved: ${why}`)
}

const livingOf = ({ keys, now, maxLive }: KeyList, secret: string): Living => ({
  maxLive,
  keys: keys.map(({ id, name, createdAt, used = 'cannot-tell', isDisabled = false }) => {
    const ours = isMarkOf(name, secret)
    const ageMs = createdAt === undefined ? undefined : Math.max(0, now - createdAt)
    return { principal: id, ours, mark: ours ? name : undefined, createdAt, ageMs, used, isDisabled }
  })
})
