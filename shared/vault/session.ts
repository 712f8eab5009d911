import { KeyturnError } from '../errors.ts'
import { unlessAborted } from '../unless-aborted.ts'
import type { VaultLogin, VaultPost, VaultToken } from './login.ts'

/** A token in use. */
export interface Held {
  readonly token: VaultToken
  /** When its login was sent, by the monotonic clock. */
  readonly sinceMs: number
  /** Not used any more after it. */
  readonly untilMs: number
}

export interface Session {
  /** A token that has time left. Whoever asks while a login is under way shares it. */
  held(signal: AbortSignal): Promise<Held>
  /** Takes a token out of use that Vault seems not to know any more. It is still revoked at the end, should it live. */
  drop(held: Held): void
  /** Hands over every token that this session got and that may still live, and forgets them. Never throws. */
  end(signal: AbortSignal): Promise<readonly VaultToken[]>
}

/** A tenth of a token's life is kept back for the request that is under way when it ends. */
const USED_PART = 0.9

/** @param loginTimeoutMs how long one login may take, the platform's part too. */
export function session(login: VaultLogin, post: VaultPost, loginTimeoutMs: number): Session {
  let current: Held | undefined
  let pending: Promise<Held> | undefined
  let ours: Held[] = []

  async function start(): Promise<Held> {
    const sinceMs = performance.now()
    // What a platform is asked for may know no signal.
    const limit = AbortSignal.timeout(loginTimeoutMs)
    const token = await unlessAborted(loggedIn(login, post, limit), limit, timeIsOver)
    const livesMs = token.leaseMs === 0 ? Number.POSITIVE_INFINITY : token.leaseMs
    const held = { token, sinceMs, untilMs: sinceMs + livesMs * USED_PART }
    ours = [...ours.filter((old) => sinceMs < old.sinceMs + (old.untilMs - old.sinceMs) / USED_PART), held]
    current = held
    return held
  }

  return {
    held: async (signal) => {
      if (current && performance.now() < current.untilMs) return current
      if (signal.aborted) throw timeIsOver()
      // Under a time limit of its own: whoever came first may have less time than those who wait with him.
      pending ??= start().finally(() => {
        pending = undefined
      })
      return unlessAborted(pending, signal, timeIsOver)
    },
    drop: (held) => {
      if (current === held) current = undefined
    },
    end: async (signal) => {
      if (pending) await unlessAborted(pending, signal, timeIsOver).catch(() => {})
      const tokens = ours.map(({ token }) => token)
      current = undefined
      ours = []
      return tokens
    }
  }
}

/**
 * Vault answers 400 to a login with a wrong proof, or 403, and 403 too where no login is mounted (seen on OpenBao). What a
 * platform's SDK throws may quote what it sent, and is not passed on.
 */
async function loggedIn(login: VaultLogin, post: VaultPost, signal: AbortSignal): Promise<VaultToken> {
  try {
    return await login.login(post, signal)
  } catch (e) {
    if (e instanceof KeyturnError && ['400', '403'].includes(e.vendor ?? '')) {
      const [what = ''] = e.message.split(': ')
      const why = `the login ${login.name} was denied: its proof, role or mount is wrong; Vault’s own log says which`
      throw new KeyturnError('denied/store', `${what}: ${why}`, e.vendor)
    }
    if (e instanceof KeyturnError) throw e
    const name = e instanceof Error ? e.name : typeof e
    throw new KeyturnError('unavailable/store', `nothing to log in to Vault with (${login.name}): ${name}`, name)
  }
}

const timeIsOver = (): KeyturnError =>
  new KeyturnError('unavailable/store', 'Vault: the time was over before there was a token', 'AbortError')
