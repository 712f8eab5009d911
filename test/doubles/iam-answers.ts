import { randomUUID } from 'node:crypto'
import type { ShelfKey } from './key-shelf.ts'
import type { ProviderAnswer } from './provider-double.ts'

const IAM = 'https://iam.amazonaws.com/doc/2010-05-08/'

const element = (name: string, ...inner: readonly string[]): string => `<${name}>${inner.join('')}</${name}>`
const metadata = (): string => element('ResponseMetadata', element('RequestId', randomUUID()))

/** The frame of every answer (IAM user guide, reference of "Making query requests"): <Action>Response and <Action>Result. */
export function iamAnswer(action: string, ...inner: readonly string[]): ProviderAnswer {
  const result = inner.length === 0 ? '' : element(`${action}Result`, ...inner)
  return { status: 200, body: `<${action}Response xmlns="${IAM}">${result}${metadata()}</${action}Response>` }
}

/** CommonErrors and the errors of each operation, in the query protocol's frame. */
export const iamError = (status: number, code: string, message: string): ProviderAnswer => ({
  status,
  body: `<ErrorResponse xmlns="${IAM}">${element(
    'Error',
    element('Type', status < 500 ? 'Sender' : 'Receiver'),
    element('Code', code),
    element('Message', message)
  )}${element('RequestId', randomUUID())}</ErrorResponse>`
})

/** API_CreateAccessKey, "Sample Response". */
export const createdKey = (key: ShelfKey): string =>
  element('AccessKey', ...described(key), element('SecretAccessKey', key.value))

/** API_ListAccessKeys, "Sample Response". */
export const keyList = (user: string, keys: readonly ShelfKey[], marker: string | undefined): readonly string[] => [
  element('UserName', user),
  element('AccessKeyMetadata', ...keys.map((key) => element('member', ...described(key)))),
  element('IsTruncated', String(marker !== undefined)),
  ...(marker === undefined ? [] : [element('Marker', marker)])
]

const described = (key: ShelfKey): readonly string[] => [
  element('UserName', key.account),
  element('AccessKeyId', key.id),
  element('Status', key.isDisabled ? 'Inactive' : 'Active'),
  element('CreateDate', new Date(key.createdAt).toISOString())
]

/** API_GetAccessKeyLastUsed, "Sample Response"; API_AccessKeyLastUsed: N/A and no date of a key that was never used. */
export const lastUse = ({ account, lastUsedAt }: ShelfKey): readonly string[] => [
  element('UserName', account),
  element(
    'AccessKeyLastUsed',
    element('Region', lastUsedAt === undefined ? 'N/A' : 'eu-west-1'),
    ...(lastUsedAt === undefined ? [] : [element('LastUsedDate', new Date(lastUsedAt).toISOString())]),
    element('ServiceName', lastUsedAt === undefined ? 'N/A' : 's3')
  )
]

/** What aws-iam-authenticator decodes (pkg/token/token.go, getCallerIdentityWrapper), of a caller that asks for JSON. */
export const identity = (user: string): ProviderAnswer => ({
  status: 200,
  body: {
    GetCallerIdentityResponse: {
      GetCallerIdentityResult: { Account: '123456789012', Arn: `arn:aws:iam::123456789012:user/${user}`, UserId: 'AIDAEXAMPLE' },
      ResponseMetadata: { RequestId: randomUUID() }
    }
  }
})

export const stsError = (status: number, code: string, message: string): ProviderAnswer => ({
  status,
  body: { Error: { Code: code, Message: message, Type: 'Sender' }, RequestId: randomUUID() }
})

export type Refusal = readonly [status: number, code: string, message: string]

/** STS CommonErrors: the id is unknown, deleted or inactive. */
export const UNKNOWN: Refusal = [403, 'InvalidClientTokenId', 'The security token included in the request is invalid.']
