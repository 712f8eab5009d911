import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type Access, authenticate, authorize, type Op } from './key-vault-access.ts'
import {
  deleteSecret,
  getDeletedSecret,
  getDeletedSecrets,
  getSecrets,
  getSecretVersions,
  purgeDeletedSecret,
  recoverDeletedSecret
} from './key-vault-catalog.ts'
import { checkName, type Operation, type Vault } from './key-vault-state.ts'
import { getSecret, setSecret, updateSecret } from './key-vault-values.ts'
import { type Answer, faultRefusal, outcome, type Routed, refused, route, send, type VendorFault } from './key-vault-wire.ts'

/**
 * before: the connection is destroyed, nothing happened. lost: it happened, and the connection is destroyed without an
 * answer. after: it happened and is answered; who set the hook stops its own run then. late: the request is taken, the
 * connection is destroyed, and it happens when the test calls `landLate()`. VendorFault: the vendor's error instead.
 */
export type Fault = 'before' | 'lost' | 'after' | 'late' | VendorFault

/** A request that came with a good token. Never the token, never a value. */
export interface Call {
  readonly op: Op
  /** As the caller wrote it; empty for the lists of the whole vault. */
  readonly name: string
  /** Where the path names one. */
  readonly version?: string
  readonly principal: string
  /** Milliseconds since the epoch, by the double's clock. */
  readonly at: number
}

export interface IncomingCall extends Call {
  /** Counts the authenticated requests from 0, the SDK's own retries and its pages too; not the challenges. */
  readonly index: number
  /** What the body says, without the value. */
  readonly tags?: Readonly<Record<string, string>>
  readonly enabled?: boolean
}

export type FaultHook = (call: IncomingCall) => Fault | undefined | Promise<Fault | undefined>

/** A request that was turned away for want of a good token. */
export interface Challenge {
  readonly why: 'no token' | 'bad token'
  /** More than none: the client sent a body before it had to show who it is. */
  readonly bodyBytes: number
}

export interface Landed {
  readonly op: Op
  readonly name: string
  readonly status: number
}

/** The vault, who may use it, what was asked of it, and what goes wrong with it. */
export interface House {
  readonly vault: Vault
  readonly access: Access
  readonly calls: Call[]
  readonly challenges: Challenge[]
  fault: FaultHook | undefined
  late: { readonly call: Call; readonly effect: () => Answer }[]
}

const OPERATIONS: Readonly<Record<Op, Operation>> = {
  GetSecret: getSecret,
  SetSecret: setSecret,
  UpdateSecret: updateSecret,
  DeleteSecret: deleteSecret,
  GetSecrets: getSecrets,
  GetSecretVersions: getSecretVersions,
  GetDeletedSecret: getDeletedSecret,
  GetDeletedSecrets: getDeletedSecrets,
  RecoverDeletedSecret: recoverDeletedSecret,
  PurgeDeletedSecret: purgeDeletedSecret
}

/** Answers one request, or does not, as the fault hook says. */
export async function serve(house: House, message: IncomingMessage, response: ServerResponse): Promise<void> {
  // Undefined: the caller hung up before it had said all.
  const body = await text(message).catch(() => undefined)
  if (body === undefined) return
  const { vault } = house
  const admitted = outcome(() => ({ principal: authenticate(message.headers.authorization), ...route(message, body) }))
  if (admitted.status === 401) {
    const why = message.headers.authorization === undefined ? 'no token' : 'bad token'
    house.challenges.push({ why, bodyBytes: Buffer.byteLength(body) })
  }
  if (admitted.status !== 200) return send(response, vault.now(), admitted)
  const { principal, op, request } = admitted.body as Routed & { readonly principal: string }
  const { name, version } = request
  const call: Call = { op, name, ...(version !== '' && { version }), principal, at: vault.now() }
  const index = house.calls.push(call) - 1
  const effect = (): Answer => perform(house, call, { op, request })
  const fault = await house.fault?.({ ...call, index, ...saidOf(request) })
  if (fault === 'late') house.late.push({ call, effect })
  if (fault === 'late' || fault === 'before') return void response.destroy()
  const answer = typeof fault === 'object' ? refused(faultRefusal(fault)) : effect()
  if (fault === 'lost') return void response.destroy()
  send(response, vault.now(), answer)
}

function perform({ vault, access }: House, { principal }: Call, { op, request }: Routed): Answer {
  return outcome(() => {
    authorize(access, op, principal, request.name)
    if (op !== 'GetSecrets' && op !== 'GetDeletedSecrets') checkName(request.name)
    return OPERATIONS[op](vault, request)
  })
}

function saidOf({ body }: Routed['request']): Pick<IncomingCall, 'tags' | 'enabled'> {
  const { tags, attributes } = body as { readonly tags?: Record<string, string>; readonly attributes?: { enabled?: boolean } }
  return { ...(tags && { tags }), ...(attributes?.enabled !== undefined && { enabled: attributes.enabled }) }
}
