import { awsEndpoint } from '../aws-region.ts'
import { type OwnCredentials, ownHeaders } from '../aws-signature.ts'
import type { Code } from '../errors.ts'
import type { Notice, Notifier } from '../ports/notifier.ts'
import { type ApiAnswer, type CallSettings, providerApi } from '../provider-api.ts'
import { wordIn } from '../vendor-code.ts'
import { remoteNotifier } from './remote.ts'
import { attributesOf, cut, fitted, noticeText } from './remote-text.ts'

export interface SnsSettings extends CallSettings {
  /** `arn:aws:sns:eu-west-1:123456789012:alerts`, or of a FIFO topic with `.fifo` at its end. */
  readonly arn: string
  readonly credentials: OwnCredentials
  /** Default: SNS of the topic’s region. */
  readonly endpoint?: string | undefined
}

/**
 * A topic of Amazon SNS: a text for people, with attributes that subscriptions filter by. A FIFO topic drops a repeat of the id
 * within five minutes. Signed here, and not sent by an SDK: with the SDK’s client one call would add 22 kB to a function.
 */
export function snsTopic({ arn, credentials, endpoint, ...rest }: SnsSettings): Notifier {
  const [, , , region = '', , topic = ''] = arn.split(':')
  const name = `sns:${topic}`
  const url = endpoint ?? awsEndpoint('sns', region)
  const api = providerApi({ ...rest, peer: name, endpoint: url })
  const { host } = new URL(url)
  return remoteNotifier({
    name,
    needs: 'sns:Publish on the topic, and kms:GenerateDataKey and kms:Decrypt on its key where it is encrypted',
    send: async (notice, signal) => {
      const body = publishing(arn, notice)
      const headers = await ownHeaders(name, credentials, { service: 'sns', region, host, body, headers: TYPE }, signal)
      return api({ method: 'POST', path: '/', body, headers, repeatable: true }, signal)
    },
    isTaken: ({ status, text }) => status === 200 && text.includes('<MessageId>'),
    vendorIn,
    codes: CODES
  })
}

const TYPE = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }

/** API_Publish, Message: 262,144 bytes by default, “the combined size of the message body and message attributes”. */
const MOST_BYTES = 262_144
/** API_Publish, Subject: “less than 100 characters long”. */
const MOST_SUBJECT = 99

/** The query protocol, as the service’s model (sns-2010-03-31) says. */
function publishing(arn: string, whole: Notice): string {
  const attributes = attributesOf(whole, MOST_ATTRIBUTES, isAttribute)
  const attributeBytes = attributes.reduce((sum, [name, value]) => sum + bytesOf(name) + bytesOf('String') + bytesOf(value), 0)
  const notice = fitted(whole, (less) => attributeBytes + bytesOf(noticeText(less)) <= MOST_BYTES)
  const parameters: readonly Pair[] = [
    ['Action', 'Publish'],
    ['Version', '2010-03-31'],
    ['TopicArn', arn],
    ['Subject', subjectOf(notice)],
    ['Message', noticeText(notice)],
    ...(arn.endsWith('.fifo') ? fifo(notice) : []),
    ...attributes.flatMap(([name, value], index) => attribute(index + 1, name, value))
  ]
  return new URLSearchParams([...parameters]).toString()
}

/** Of a FIFO topic alone: another refuses the second one. */
const fifo = ({ id }: Notice): readonly Pair[] => [
  ['MessageGroupId', 'keyturn'],
  ['MessageDeduplicationId', id]
]

type Pair = [name: string, value: string]

const bytesOf = (text: string): number => Buffer.byteLength(text, 'utf8')

/** ASCII, which mail shows everywhere; it begins with none of the characters that it must not begin with. */
const subjectOf = ({ severity, title }: Notice): string =>
  cut(`[${severity}] ${title}`.replaceAll(/[^\x20-\x7e]/gu, '?'), MOST_SUBJECT).replace(/…$/, '~')

const attribute = (n: number, name: string, value: string): readonly Pair[] => {
  const entry = `MessageAttributes.entry.${n}`
  return [
    [`${entry}.Name`, name],
    [`${entry}.Value.DataType`, 'String'],
    [`${entry}.Value.StringValue`, value]
  ]
}

/** sns/latest/dg/sns-message-attributes: SQS takes ten of them where the message is delivered raw, none of them empty. */
const MOST_ATTRIBUTES = 10
const isAttribute = (name: string, value: string): boolean =>
  /^(?!(?:aws|amazon)\.)[A-Za-z0-9_-]{1,256}$/i.test(name) && value !== '' && value.length <= 256

/** The query protocol’s `<Error><Type>Sender</Type><Code>NotFound</Code>…`: an element that holds a word, so no parser of XML is needed. */
const vendorIn = ({ text }: ApiAnswer): string | undefined => wordIn(/<Code>([^<]*)<\/Code>/.exec(text)?.[1])

/** API_Publish, “Errors”, as the model spells them, and CommonErrors. 429 and 5xx are told by the status. */
const CODES: Readonly<Record<string, Code>> = {
  NotFound: 'not-found/channel',
  EndpointDisabled: 'not-found/channel',
  PlatformApplicationDisabled: 'not-found/channel',
  InvalidParameter: 'invalid/notice',
  ParameterValueInvalid: 'invalid/notice',
  ValidationException: 'invalid/notice',
  AuthorizationError: 'denied/channel',
  AccessDenied: 'denied/channel',
  AccessDeniedException: 'denied/channel',
  ExpiredToken: 'denied/channel',
  ExpiredTokenException: 'denied/channel',
  IncompleteSignature: 'denied/channel',
  InvalidClientTokenId: 'denied/channel',
  InvalidSecurity: 'denied/channel',
  KMSAccessDenied: 'denied/channel',
  KMSDisabled: 'denied/channel',
  KMSInvalidState: 'denied/channel',
  KMSNotFound: 'denied/channel',
  KMSOptInRequired: 'denied/channel',
  MissingAuthenticationToken: 'denied/channel',
  OptInRequired: 'denied/channel',
  SignatureDoesNotMatch: 'denied/channel',
  KMSThrottling: 'throttled/channel',
  RequestLimitExceeded: 'throttled/channel',
  Throttled: 'throttled/channel',
  Throttling: 'throttled/channel',
  ThrottlingException: 'throttled/channel'
}
