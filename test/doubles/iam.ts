import { randomBytes } from 'node:crypto'
import { createdKey, iamAnswer, iamError, identity, keyList, lastUse, type Refusal, stsError, UNKNOWN } from './iam-answers.ts'
import { type QueryRequest, type QueryServer, startQueryServer } from './iam-wire.ts'
import { type KeyShelf, keyShelf, type ShelfKey } from './key-shelf.ts'
import type { ProviderAnswer } from './provider-double.ts'
import { authorizationOf, type SignedRequest, signatureOf } from './vault-login-aws.ts'

/** Who may do everything in IAM. Every request's signature is checked. */
export const ADMIN = { accessKeyId: 'AKIAADMINADMINADMIN1', secretAccessKey: 'the-key-of-the-administrator' }

export interface IamDouble extends QueryServer {
  readonly shelf: KeyShelf
  addUser(name: string): void
  /** A key made in the console. */
  addKey(user: string): ShelfKey
  /** How many keys a page of ListAccessKeys has. */
  setPageSize(keys: number): void
}

/** reference_iam-quotas.html: access keys a user. */
const MOST_KEYS = 2
/** reference_sigv.html, "requests must reach AWS within five minutes"; STS was seen to take fifteen (aws/aws-cli#6676). */
const MOST_SKEW_MS = 5 * 60_000

/** IAM and STS in the query protocol: one account, its users, and their keys, which come and go with a lag. */
export async function startIam(): Promise<IamDouble> {
  const users = new Set<string>()
  let pageSize = 100
  const server = await startQueryServer((request) =>
    request.action === 'GetCallerIdentity' ? callerIdentity(shelf, request) : iamOf(users, shelf, pageSize, request)
  )
  const shelf = keyShelf(server.now)
  return {
    ...server,
    shelf,
    addUser: (name) => void users.add(name),
    addKey: (user) => newKey(shelf, user),
    setPageSize: (keys) => {
      pageSize = keys
    }
  }
}

/** AKIA and 16 of base32; 40 of base64. */
function newKey(shelf: KeyShelf, account: string): ShelfKey {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const id = `AKIA${[...randomBytes(16)].map((byte) => letters[byte % 32]).join('')}`
  return shelf.add({ id, account, value: randomBytes(30).toString('base64') })
}

const time = (request: SignedRequest): number =>
  Date.parse((request.headers['x-amz-date'] ?? '').replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))

/** How both services refuse a signature: a clock that is wrong has the same code as a wrong secret, and another message. */
function refused({ signed, now }: QueryRequest, secret: string): Refusal | undefined {
  const authorization = authorizationOf(signed.headers)
  if (!authorization) return UNSIGNED
  const at = time(signed)
  if (now - at > MOST_SKEW_MS) return [403, 'SignatureDoesNotMatch', 'Signature expired: … is now earlier than … (… - 5 min.)']
  if (at - now > MOST_SKEW_MS) return [403, 'SignatureDoesNotMatch', 'Signature not yet current: … is still later than …']
  if (signatureOf(signed, authorization, secret) === authorization.signature) return undefined
  return [403, 'SignatureDoesNotMatch', 'The request signature we calculated does not match the signature you provided.']
}

const UNSIGNED: Refusal = [403, 'MissingAuthenticationToken', 'Request is missing Authentication Token']

/** API_GetCallerIdentity. An id that is unknown, deleted or inactive is InvalidClientTokenId, whatever it is signed with. */
function callerIdentity(shelf: KeyShelf, request: QueryRequest): ProviderAnswer {
  const authorization = authorizationOf(request.signed.headers)
  if (!authorization) return stsError(...UNSIGNED)
  const key = shelf.find(authorization.accessKeyId)
  if (!key || authorization.service !== 'sts') return stsError(...UNKNOWN)
  const refusal = refused(request, key.value)
  if (refusal) return stsError(...(key.isDeleted || key.isDisabled ? UNKNOWN : refusal))
  if (shelf.call(key.value).standing !== 'alive') return stsError(...UNKNOWN)
  return identity(key.account)
}

/** The administrator may do everything, whoever else has a key nothing. */
function forbidden(shelf: KeyShelf, request: QueryRequest): Refusal | undefined {
  const authorization = authorizationOf(request.signed.headers)
  if (!authorization) return UNSIGNED
  if (authorization.accessKeyId === ADMIN.accessKeyId) return refused(request, ADMIN.secretAccessKey)
  const key = shelf.find(authorization.accessKeyId)
  if (!key || key.isDeleted || key.isDisabled) return UNKNOWN
  return refused(request, key.value) ?? [403, 'AccessDenied', `User: … is not authorized to perform: iam:${request.action}`]
}

function iamOf(users: ReadonlySet<string>, shelf: KeyShelf, pageSize: number, request: QueryRequest): ProviderAnswer {
  const { action, params } = request
  const refusal = forbidden(shelf, request)
  if (refusal) return iamError(...refusal)
  const id = params.get('AccessKeyId') ?? ''
  if (action === 'GetAccessKeyLastUsed') return lastUsedOf(users, shelf, id)
  const user = params.get('UserName') ?? ''
  if (!users.has(user)) return iamError(404, 'NoSuchEntity', `The user with name ${user} cannot be found.`)
  const keys = shelf.of(user)
  if (action === 'ListAccessKeys')
    return page(user, keys, Number(params.get('Marker') ?? 0), Number(params.get('MaxItems') ?? pageSize))
  if (action === 'CreateAccessKey') {
    if (keys.length >= MOST_KEYS) return iamError(409, 'LimitExceeded', `Cannot exceed quota for AccessKeysPerUser: ${MOST_KEYS}`)
    return iamAnswer(action, createdKey(newKey(shelf, user)))
  }
  if (!shelf.owned(user, id)) return noSuchKey(id)
  if (action === 'DeleteAccessKey') shelf.remove(id)
  else if (action === 'UpdateAccessKey') shelf.setDisabled(id, params.get('Status') === 'Inactive')
  else return iamError(400, 'InvalidAction', `Could not find operation ${action} for version 2010-05-08`)
  return iamAnswer(action)
}

const noSuchKey = (id: string): ProviderAnswer => iamError(404, 'NoSuchEntity', `The Access Key with id ${id} cannot be found.`)

/**
 * Recorded from AWS of a key that is not there, asked by an administrator: localstack, tests/aws/services/iam/
 * test_iam_users.snapshot.json, "get-last-used-nonexistent-key-error". Of another account's key it is taken to say the same.
 */
function lastUsedOf(users: ReadonlySet<string>, shelf: KeyShelf, id: string): ProviderAnswer {
  const key = shelf.find(id)
  if (key && !key.isDeleted && users.has(key.account)) return iamAnswer('GetAccessKeyLastUsed', ...lastUse(key))
  const what = `iam:GetAccessKeyLastUsed on resource: access key ${id}`
  return iamError(403, 'AccessDenied', `User: … is not authorized to perform ${what}`)
}

function page(user: string, keys: readonly ShelfKey[], from: number, size: number): ProviderAnswer {
  const end = from + size
  return iamAnswer('ListAccessKeys', ...keyList(user, keys.slice(from, end), end < keys.length ? String(end) : undefined))
}
