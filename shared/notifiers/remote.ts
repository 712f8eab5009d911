import { asKeyturnError, type Code, classOf, KeyturnError } from '../errors.ts'
import { guardedApi, isAmong } from '../guarded-api.ts'
import type { Notice, Notifier } from '../ports/notifier.ts'
import type { ApiAnswer, CallSettings, ProviderApi } from '../provider-api.ts'
import { entryOf } from '../table.ts'
import type { SecretText } from '../types.ts'
import { plain } from './remote-text.ts'

/** One channel over the network, as its adapter knows it. */
export interface RemoteChannel {
  readonly name: string
  /** What it needs where it is denied: `sns:Publish on the topic`. */
  readonly needs: string
  readonly send: (notice: Notice, signal: AbortSignal) => Promise<ApiAnswer>
  /** Default: any 2xx. */
  readonly isTaken?: (answer: ApiAnswer) => boolean
  /** The vendor’s own code in a refusal, where it has any, and the table from it to keyturn’s. Else the status tells. */
  readonly vendorIn?: (answer: ApiAnswer) => string | undefined
  readonly codes?: Readonly<Record<string, Code>>
  /** What a code means here, where that is more than for all channels. */
  readonly says?: { readonly [C in Code]?: string }
}

/**
 * A notifier whose errors say the channel’s name, keyturn’s words and the vendor’s code: never an address, because that may be a
 * secret, and never what was sent.
 */
export function remoteNotifier(channel: RemoteChannel): Notifier {
  const { name, isTaken = isSuccess, vendorIn, codes = {} } = channel
  const ask = async (notice: Notice, signal: AbortSignal) => channel.send(plain(notice), signal)
  return {
    name,
    send: async (notice, signal) => {
      const answer = await ask(notice, signal).catch((e: unknown) => {
        throw failure(channel, asKeyturnError(e))
      })
      if (isTaken(answer)) return
      const vendor = vendorIn?.(answer)
      throw refusal(channel, entryOf(codes, vendor) ?? byStatus(answer.status), vendor ?? String(answer.status))
    }
  }
}

/** Where a channel is that has a secret address. */
export interface AddressSettings extends CallSettings {
  /** What the channel is called by: the variable that the URL was read from. */
  readonly place: string
  /** https. */
  readonly url: SecretText
  /** Hosts whose addresses may be private, with or without their port. `true`: all of them. Default: none. */
  readonly allowPrivate?: boolean | readonly string[] | undefined
}

/** A POST to the address, whatever it is: every connection has been through the guard. */
export function addressed(name: string, { place: _, url, allowPrivate = false, ...rest }: AddressSettings) {
  const { origin, host, hostname, pathname, search } = new URL(url.reveal())
  let api: ProviderApi | undefined
  return async (body: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<ApiAnswer> => {
    // Not before: the guard’s refusal names the host, and `send` takes that out.
    api ??= guardedApi({ ...rest, peer: name, endpoint: origin, allowPrivate: isAmong(allowPrivate, host, hostname) })
    return api({ method: 'POST', path: `${pathname}${search}`, body, headers, repeatable: true }, signal)
  }
}

const isSuccess = ({ status }: ApiAnswer): boolean => status >= 200 && status < 300

/** RFC 9110, 15.5. A success that is not the channel’s own is somebody’s in between. */
function byStatus(status: number): Code {
  if (status === 404 || status === 410) return 'not-found/channel'
  if (status === 400 || status === 413 || status === 422) return 'invalid/notice'
  return status < 400 || status === 408 ? 'unavailable/channel' : 'denied/channel'
}

/** What stays as it is: a person corrects a setting. */
const KEPT: readonly Code[] = ['denied/address', 'invalid/tls', 'invalid/config', 'invalid/notice']

function codeOf({ code }: KeyturnError): Code {
  if (KEPT.includes(code)) return code
  const kind = classOf(code)
  if (kind === 'denied' || kind === 'throttled' || kind === 'unavailable') return `${kind}/channel`
  // Of provider-api.ts: a redirect, which is not followed.
  return code === 'invalid/answer' ? 'not-found/channel' : 'bug/internal'
}

/** Of these two the message is keyturn’s own about the notice or the settings; others name a host. */
const failure = (channel: RemoteChannel, e: KeyturnError): KeyturnError =>
  refusal(channel, codeOf(e), e.vendor, ['invalid/notice', 'invalid/config'].includes(e.code) ? e.message : undefined)

const SAYS: { readonly [C in Code]?: string } = {
  'denied/address': 'its address is not called: it is private, or reserved',
  'invalid/tls': 'no TLS connection that can be trusted',
  'invalid/notice': 'it does not take such a message',
  'not-found/channel': 'it is not there, or not at this address any more',
  'throttled/channel': 'it asked to slow down',
  'unavailable/channel': 'no answer, or none that tells'
}

function refusal(channel: RemoteChannel, code: Code, vendor: string | undefined, message?: string): KeyturnError {
  const { name, needs, says } = channel
  const denied = code === 'denied/channel' ? `it refused the message; it needs ${needs}` : 'unexpected'
  const why = message ?? says?.[code] ?? SAYS[code] ?? denied
  return new KeyturnError(code, `${name}: ${why}${vendor === undefined ? '' : ` (${vendor})`}`, vendor)
}
