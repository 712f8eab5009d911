import { DAY_MS } from '../duration.ts'
import type { Log } from '../log.ts'
import type { Notice } from '../ports/notifier.ts'
import type { Notify } from '../ports/notify.ts'
import { atLeast, type Finding, type Severity } from './finding.ts'
import type { AuditState } from './state.ts'

export interface Telling {
  /** Undefined: there is no channel. */
  readonly notify: Notify | undefined
  /** What is less bad is not told. */
  readonly notifyFrom: Severity
  readonly log: Log
}

export interface Told {
  /** Notices that every channel took. */
  readonly told: number
  /** Findings that wait for a channel: they are told with the next run. */
  readonly untold: number
}

const KEPT_MS = 42 * DAY_MS
const MOST_UNTOLD = 200

/**
 * Tells what is new and bad enough, and what a channel did not take before, that channel alone. At least once: a repeat has
 * the same id. Never throws; the state knows what waits.
 */
export async function tellFindings(
  { notify, notifyFrom, log }: Telling,
  state: AuditState,
  findings: readonly Finding[],
  at: number,
  signal: AbortSignal
): Promise<Told> {
  const owed = state.untold.splice(0)
  if (!notify) return { told: 0, untold: 0 }
  let told = 0
  const send = async (some: readonly Finding[], only?: readonly string[]): Promise<void> => {
    const notice = noticeOf(some, at)
    const untold = await notify(notice, signal, only)
    for (const { channel, error } of untold)
      log.error('untold', { notice: notice.id, channel, code: error.code, message: error.message, todo: error.todo })
    for (const { id } of some) state.told.set(id, at)
    const channels = untold.map(({ channel }) => channel)
    if (channels.length === 0) told++
    else state.untold.push(...some.map((finding) => ({ finding, channels })))
  }
  for (const [only, some] of byChannels(owed)) for (const group of grouped(some)) await send(group, only)
  const isNew = ({ id, severity }: Finding): boolean => atLeast(severity, notifyFrom) && !state.told.has(id)
  for (const group of grouped(findings.filter(isNew))) await send(group)
  const dropped = state.untold.splice(0, Math.max(0, state.untold.length - MOST_UNTOLD))
  if (dropped.length > 0) log.warn('dropped', { findings: dropped.length, why: `more than ${MOST_UNTOLD} wait to be told` })
  for (const [id, when] of state.told) if (when < at - KEPT_MS) state.told.delete(id)
  return { told, untold: state.untold.length }
}

function byChannels(owed: AuditState['untold']): readonly (readonly [channels: readonly string[], findings: Finding[]])[] {
  const found = new Map<string, readonly [readonly string[], Finding[]]>()
  for (const { finding, channels } of owed) {
    const known = found.get(channels.join(' ')) ?? [channels, []]
    known[1].push(finding)
    found.set(channels.join(' '), known)
  }
  return [...found.values()]
}

/** The worst ones by themselves, the others in one notice: a channel that is flooded is switched off. */
const MOST_ALONE = 10

function grouped(findings: readonly Finding[]): readonly (readonly Finding[])[] {
  const [alone, rest] = [findings.slice(0, MOST_ALONE), findings.slice(MOST_ALONE)]
  return [...alone.map((one) => [one]), ...(rest.length > 0 ? [rest] : [])]
}

function noticeOf(findings: readonly Finding[], at: number): Notice {
  const [first, ...more] = findings as readonly [Finding, ...Finding[]]
  const { id, severity, title, why, signal, store, account, evidence, technique, todo } = first
  if (more.length > 0) {
    const lines = findings.map((one) => `${one.severity}: ${one.title}`)
    return { id: `more-${id}`, severity, title: `${findings.length} more findings`, at, link: undefined, lines, fields: {} }
  }
  return {
    ...{ id, severity, title, at, link: undefined },
    lines: [why, `What to do: ${todo}`, ...(evidence.length > 0 ? [`Events: ${evidence.join(' ')}`] : [])],
    fields: { signal, technique, ...(store && { store }), ...(account && { account }) }
  }
}
