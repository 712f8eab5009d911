import { setTimeout } from 'node:timers/promises'
import { KeyturnError } from '../errors.ts'
import { recordIn, textIn } from '../google-api.ts'
import type { ApiAnswer, ProviderApi } from '../provider-api.ts'
import { accepted, detailsIn, missing, refusalOf, type Wanted } from './gcp-answers.ts'

export interface OperationSettings {
  /** Before each further question whether an operation is done. Default: half a minute in all. */
  readonly operationPausesMs?: readonly number[] | undefined
}

/** Google recommends 10 s (cloud.google.com/api-keys/docs/polling-operations); most are done in two. */
const PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000, 10_000]

/** The words of google/rpc/code.proto by their numbers, which an operation's error has alone. */
const STATUS: Readonly<Record<number, string>> = {
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  10: 'ABORTED',
  16: 'UNAUTHENTICATED'
}

/** Waits for the operation that a call began, and gives its response. Fails as the call itself would have. */
export async function finished(
  api: ProviderApi,
  began: ApiAnswer,
  wanted: Wanted,
  { operationPausesMs = PAUSES_MS }: OperationSettings,
  signal: AbortSignal
): Promise<Readonly<Record<string, unknown>>> {
  let operation = accepted(began, wanted)
  for (const ms of operationPausesMs) {
    if (operation.done === true) break
    const goesOn = await setTimeout(ms, true, { signal }).catch(() => false)
    if (!goesOn) break
    operation = accepted(await api({ method: 'GET', path: operationPath(operation.name, wanted) }, signal), wanted)
  }
  if (operation.done !== true) throw new KeyturnError('unavailable/provider', `${wanted.what}: Google is not done with it yet`)
  if (operation.error === undefined) return recordIn(operation.response)
  const { code, details } = recordIn(operation.error)
  throw refusalOf({ status: STATUS[Number(code)] ?? `code ${Number(code)}`, ...detailsIn(details) }, wanted)
}

function operationPath(name: unknown, wanted: Wanted): string {
  const text = textIn(name)
  if (text === undefined || !/^operations\/[\w.-]+$/.test(text)) throw missing(wanted, 'name of an operation')
  return `/v2/${text}`
}
