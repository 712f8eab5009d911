import { rootCertificates } from 'node:tls'
import type { AddressChannel, Channel, CloudChannel } from '../channels.ts'
import { type Config, readCa } from '../config.ts'
import { asKeyturnError, KeyturnError } from '../errors.ts'
import { once } from '../once.ts'
import type { Notice, Notifier } from '../ports/notifier.ts'
import type { Notify, Untold } from '../ports/notify.ts'

/** How each kind is built: a host has its own cloud’s kinds, and those at an address. */
export type Builders = { readonly [K in CloudChannel['kind']]?: (channel: CloudChannel) => Notifier } & {
  readonly [K in AddressChannel['kind']]: (channel: AddressChannel) => Notifier
}

/** So long may it take, repeats and all: a run waits for it. */
const MOST_MS = 20_000

/** All are tried, at once; a failure stops none of the others. Gives back those that were not told. Never throws. */
export async function notifyAll(notifiers: readonly Notifier[], notice: Notice, signal: AbortSignal): Promise<readonly Untold[]> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(MOST_MS)])
  const tried = notifiers.map(async (notifier): Promise<readonly Untold[]> => {
    try {
      await notifier.send(notice, limit)
      return []
    } catch (e) {
      return [{ channel: notifier.name, error: asKeyturnError(e) }]
    }
  })
  return (await Promise.all(tried)).flat()
}

/**
 * The channels of one host; undefined where there are none. They are built, and their modules are run, when the first notice is
 * sent, but what is wrong with the setting is told at once. Throws `invalid/config` that names every channel of another host’s.
 */
export function notifyLate(
  channels: readonly Channel[],
  clouds: readonly CloudChannel['kind'][],
  build: () => Promise<Builders>
): Notify | undefined {
  const foreign = channels.flatMap((channel) => ('url' in channel || clouds.includes(channel.kind) ? [] : [channel.kind]))
  if (foreign.length > 0)
    throw new KeyturnError('invalid/config', `KEYTURN_NOTIFY: ${foreign.join(', ')} cannot be told from here`)
  if (channels.length === 0) return undefined
  const built = once(async () => {
    const builders = await build()
    return channels.map((channel) => notifierOf(channel, builders))
  })
  const told = remembered()
  return async (notice, signal, only) => {
    try {
      const open = (await built()).filter(({ name }) => isAsked(name, only) && !told.has(name, notice.id))
      const untold = await notifyAll(open, notice, signal)
      for (const { name } of open) if (!untold.some(({ channel }) => channel === name)) told.add(name, notice.id)
      return untold
    } catch (e) {
      return channels.map(({ kind }) => ({ channel: kind, error: asKeyturnError(e) }))
    }
  }
}

/** What could not be built was called by its kind. */
const isAsked = (name: string, only: readonly string[] | undefined): boolean =>
  only === undefined || only.some((one) => name === one || name.startsWith(`${one}:`))

/** One that cannot be built fails when it is sent to; the others are told. */
function notifierOf(channel: Channel, builders: Builders): Notifier {
  try {
    if ('url' in channel) return builders[channel.kind](channel)
    const build = builders[channel.kind]
    if (build === undefined) throw new KeyturnError('invalid/config', `${channel.kind} cannot be told from here`)
    return build(channel)
  } catch (e) {
    return { name: channel.kind, send: async () => Promise.reject(e) }
  }
}

/** Of notices that a process keeps in mind. */
const MOST_KEPT = 1_000

/** A sweep that comes by again in the same process says nothing that was said already. */
function remembered() {
  const kept = new Set<string>()
  const keyOf = (channel: string, id: string): string => `${channel} ${id}`
  return {
    has: (channel: string, id: string): boolean => kept.has(keyOf(channel, id)),
    add: (channel: string, id: string): void => {
      const [oldest] = kept
      if (kept.size === MOST_KEPT && oldest !== undefined) kept.delete(oldest)
      kept.add(keyOf(channel, id))
    }
  }
}

/**
 * What every channel at an address is called with. The CA of KEYTURN_CA_FILE, which may be the databases’ alone, is trusted beside
 * the public ones and not instead of them. Throws `invalid/config`.
 */
export function addressing(config: Config): { readonly ca: string | undefined; readonly allowPrivate: readonly string[] } {
  const own = readCa(config)
  return { ca: own === undefined ? undefined : [...rootCertificates, own].join('\n'), allowPrivate: config.privateHosts }
}
