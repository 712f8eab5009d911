import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { createHttpHeaders, createPipelineRequest, type PipelineResponse } from '@azure/core-rest-pipeline'
import { hasCode, KeyturnError } from '../errors.ts'
import { instantIn, type Token } from '../types.ts'
import type { Send } from './azure-client.ts'
import { journalError, journalRefusal } from './azure-errors.ts'

/** What somebody was about to write, before it was sent. */
export interface Entry {
  readonly what: 'claim' | 'stage' | 'drop' | 'promote' | 'restore'
  readonly token: Token
  /** Larger than that of the entry before it. What is written carries it, so that two writes tell which was announced first. */
  readonly ticket: number
}

/** The journal of one secret, as it was read. */
export interface Page {
  /** Undefined: nobody ever wrote one, or nobody can understand it. */
  readonly entry: Entry | undefined
  /** Undefined: there is no blob. */
  readonly etag: string | undefined
  /**
   * By Azure Storage's own clock the entry is older than a request timeout: whoever wrote it has given up what it announced,
   * and sends it no more. Not that it cannot land any more: what is in the network, or in the vault, may (azure-late.ts).
   */
  readonly isOver: boolean
  /** Until then. */
  readonly waitMs: number
  /** For the entry that is written over this one. It is a time in ms, so that it goes on where the blob was lost. */
  readonly nextTicket: number
}

export interface Lease {
  readonly id: string
  /** By the monotonic clock, counted from before it was asked for. */
  readonly endsMs: number
}

/**
 * One small blob a secret: Key Vault compares nothing, Azure Storage does. Whoever writes the sibling or commits says so
 * here first, by a write that fails when somebody else was faster; so of two writers one goes on. It keeps no secret, and
 * no digest of one: a document may hold a password that a person chose, and repeats never bring the same value along.
 */
export interface Journal {
  read(name: string, signal: AbortSignal): Promise<Page>
  /** `changed`: not as it was read any more. `held`: somebody else has the lease. With a lease: only as long as it is ours. */
  write(
    name: string,
    entry: Entry | undefined,
    page: Page,
    lease: Lease | undefined,
    signal: AbortSignal
  ): Promise<Page | 'changed' | 'held'>
  /** Fails with `busy/claimed` while somebody has it. Ends by itself after a minute. */
  acquire(name: string, signal: AbortSignal): Promise<Lease>
  /** Never throws: what is not released ends by itself. */
  release(name: string, lease: Lease): Promise<void>
  /** Until the page is over. */
  wait(page: Page, signal: AbortSignal): Promise<void>
}

/** rest/api/storageservices/lease-blob: 15 to 60 seconds. */
const LEASE_S = 60
/** A commit begins with a request timeout of the lease left, and what comes before it takes time too. */
export const MAX_REQUEST_TIMEOUT_MS = (LEASE_S * 1_000) / 2
/** Date and Last-Modified have whole seconds each. */
const ROUNDING_MS = 1_000

export interface JournalSettings {
  readonly send: Send
  /** Of the container, without a slash at the end. */
  readonly containerUrl: string
  /** The host of the vault: one container may serve several. */
  readonly vaultHost: string
  readonly requestTimeoutMs: number
  readonly steadyMs: () => number
  /** ms since 1970, where an answer has no Date. */
  readonly now: () => number
}

export function journalOf(settings: JournalSettings): Journal {
  const journal: Journal = {
    read: (name, signal) => read(settings, name, signal),
    write: (name, entry, page, lease, signal) => write(settings, name, entry, page, lease, signal),
    acquire: (name, signal) => acquire(settings, name, signal),
    release: (name, lease) => release(settings, name, lease),
    wait: async ({ waitMs }, signal) => {
      await setTimeout(waitMs, undefined, { signal }).catch(() => {
        throw new KeyturnError('unavailable/store', 'the time was over while another write may still have been on its way')
      })
    }
  }
  return journal
}

async function read(settings: JournalSettings, name: string, signal: AbortSignal): Promise<Page> {
  const answer = await ask(settings, name, { method: 'GET', headers: {} }, signal)
  if (answer.status === 200) return pageOf(settings, parseEntry(answer.bodyAsText), answer)
  if (isMissing(answer)) return { ...NOTHING, nextTicket: ticketAfter(settings, undefined, answer) }
  throw refusal(settings, name, answer)
}

async function write(
  settings: JournalSettings,
  name: string,
  entry: Entry | undefined,
  page: Page,
  lease: Lease | undefined,
  signal: AbortSignal
): Promise<Page | 'changed' | 'held'> {
  const headers = { ...PUT, ...conditionOf(page), ...(lease && { 'x-ms-lease-id': lease.id }) }
  const answer = await ask(settings, name, { method: 'PUT', headers, body: JSON.stringify(entry ?? {}) }, signal)
  if (answer.status === 201) return pageOf(settings, entry, answer)
  if (codeOf(answer) === 'LeaseIdMissing') return 'held'
  // 409 BlobAlreadyExists is the answer to If-None-Match; 412 also says that our lease is another's by now, or over.
  if (answer.status === 412 || codeOf(answer) === 'BlobAlreadyExists') return 'changed'
  throw refusal(settings, name, answer)
}

async function acquire(settings: JournalSettings, name: string, signal: AbortSignal): Promise<Lease> {
  const lease = { id: randomUUID(), endsMs: settings.steadyMs() + LEASE_S * 1_000 }
  const headers = { ...ACQUIRE, 'x-ms-proposed-lease-id': lease.id }
  const answer = await ask(settings, name, { method: 'PUT', query: '?comp=lease', headers }, signal).catch(async (e: unknown) => {
    // Its answer was lost: the id is ours, so that it can be given back.
    if (hasCode(e, 'unavailable/store')) await release(settings, name, lease)
    throw e
  })
  if (answer.status === 201) return lease
  if (!isMissing(answer)) throw refusal(settings, name, answer)
  // Only what is there can be leased. Where somebody was faster, that one is.
  await write(settings, name, undefined, NOTHING, undefined, signal)
  return acquire(settings, name, signal)
}

async function release(settings: JournalSettings, name: string, { id }: Lease): Promise<void> {
  const headers = { 'x-ms-lease-action': 'release', 'x-ms-lease-id': id }
  const own = AbortSignal.timeout(settings.requestTimeoutMs)
  await ask(settings, name, { method: 'PUT', query: '?comp=lease', headers }, own).catch(() => undefined)
}

interface Ask {
  readonly method: 'GET' | 'PUT'
  readonly query?: string
  readonly headers: Record<string, string>
  readonly body?: string
}

const PUT = { 'x-ms-blob-type': 'BlockBlob', 'content-type': 'application/json' }
const ACQUIRE = { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': `${LEASE_S}` }
const NOTHING: Page = { entry: undefined, etag: undefined, isOver: true, waitMs: 0, nextTicket: 0 }

const pathOf = ({ vaultHost }: JournalSettings, name: string): string =>
  `${encodeURIComponent(vaultHost)}/${name.toLowerCase()}.json`

async function ask(settings: JournalSettings, name: string, request: Ask, signal: AbortSignal): Promise<PipelineResponse> {
  const { method, query = '', headers, body = null } = request
  const url = `${settings.containerUrl}/${pathOf(settings, name)}${query}`
  try {
    const sent = { url, method, headers: createHttpHeaders(headers), body, abortSignal: signal }
    return await settings.send(createPipelineRequest(sent))
  } catch (e) {
    throw journalError(e, pathOf(settings, name))
  }
}

/** Age by one clock: both times are Azure Storage's. A lease changes neither ETag nor Last-Modified (lease-blob, Remarks). */
function pageOf(settings: JournalSettings, entry: Entry | undefined, answer: PipelineResponse): Page {
  const { headers } = answer
  const ageMs = Date.parse(headers.get('date') ?? '') - Date.parse(headers.get('last-modified') ?? '')
  const waitMs = Math.max(0, settings.requestTimeoutMs + ROUNDING_MS - (Number.isNaN(ageMs) ? 0 : ageMs))
  const nextTicket = ticketAfter(settings, entry, answer)
  return { entry, etag: headers.get('etag'), isOver: waitMs === 0, waitMs, nextTicket }
}

function ticketAfter({ now }: JournalSettings, entry: Entry | undefined, { headers }: PipelineResponse): number {
  return Math.max((entry?.ticket ?? 0) + 1, instantIn(headers.get('date')) ?? Math.floor(now()))
}

const conditionOf = ({ etag }: Page): Record<string, string> =>
  etag === undefined ? { 'if-none-match': '*' } : { 'if-match': etag }

const codeOf = (answer: PipelineResponse): string | undefined => answer.headers.get('x-ms-error-code')
const isMissing = (answer: PipelineResponse): boolean => answer.status === 404 && codeOf(answer) === 'BlobNotFound'
const refusal = (settings: JournalSettings, name: string, answer: PipelineResponse): KeyturnError =>
  journalRefusal(answer.status, codeOf(answer), pathOf(settings, name))

function parseEntry(text: string | null | undefined): Entry | undefined {
  try {
    const { what, token, ticket } = JSON.parse(text ?? '') as Partial<Entry>
    return what !== undefined && typeof token === 'string' && Number.isSafeInteger(ticket)
      ? { what, token, ticket: Number(ticket) }
      : undefined
  } catch {
    return undefined
  }
}
