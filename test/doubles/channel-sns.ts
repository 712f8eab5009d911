import { snsTopic } from '../../shared/notifiers/aws-sns.ts'
import { SecretText } from '../../shared/types.ts'
import { type Arrived, type ChannelHarness, sinceLast } from '../conformance/notifier-harness.ts'
import { startHttpProxy } from './http-proxy.ts'
import { type ProviderAnswer, type ProviderRequest, startProvider } from './provider-double.ts'
import { authorizationOf, signatureOf } from './vault-login-aws.ts'

const KEY_ID = 'AKIDEXAMPLE'
const KEY = 'planted-secret-access-key'
const TOKEN = 'planted-session-token-77'
const ARN = 'arn:aws:sns:eu-west-1:123456789012:alerts'
/** API_Publish, Message. */
export const MOST_BYTES = 262_144

export interface SnsHarness extends ChannelHarness {
  /** The parameters of what arrived last. */
  last(): URLSearchParams | undefined
  readonly arn: string
}

/** API_Publish, at a server that checks the signature and every constraint that the page states. */
export async function startSns(arn = ARN): Promise<SnsHarness> {
  const kept: URLSearchParams[] = []
  const fresh = sinceLast(kept)
  const double = await startProvider({
    routes: [{ op: 'Publish', method: 'POST', path: /^\/$/, answer: (request) => published(request, arn, kept) }],
    unknown: { status: 404 }
  })
  const proxy = await startHttpProxy(double.url)
  const settings = { credentials: ownKeys, endpoint: proxy.url }
  return {
    arn,
    make: (pace) => snsTopic({ ...settings, arn, ...pace }),
    missing: snsTopic({ ...settings, arn: arn.replace('alerts', 'gone') }),
    arrived: async () => fresh().map(arrivedIn),
    last: () => kept.at(-1),
    ...{ most: MOST_BYTES, shows: (line) => line, proxy, refusals: SNS_REFUSALS, needs: /sns:Publish/ },
    secrets: [KEY, TOKEN],
    stop: async () => {
      await proxy.close()
      await double.close()
    }
  }
}

export const ownKeys = async () => ({
  accessKeyId: KEY_ID,
  secretAccessKey: new SecretText(KEY),
  sessionToken: new SecretText(TOKEN)
})

const errorXml = (code: string): string =>
  `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code><Message>in words</Message></Error><RequestId>4f1</RequestId></ErrorResponse>`

/** Status and code are those of the service’s model (sns-2010-03-31), and of CommonErrors. */
export const snsRefusal = (status: number, code: string) => ({ status, body: errorXml(code) })

export const SNS_REFUSALS: ChannelHarness['refusals'] = {
  denied: snsRefusal(403, 'AuthorizationError'),
  throttled: snsRefusal(400, 'Throttling'),
  rejected: snsRefusal(400, 'InvalidParameter')
}

function published(request: ProviderRequest, arn: string, kept: URLSearchParams[]): ProviderAnswer {
  const asked = new URLSearchParams(request.text)
  if (!isSigned(request)) return snsRefusal(403, 'SignatureDoesNotMatch')
  if (asked.get('Action') !== 'Publish' || asked.get('Version') !== '2010-03-31') return snsRefusal(400, 'InvalidAction')
  if (asked.get('TopicArn') !== arn) return snsRefusal(404, 'NotFound')
  const isFifo = arn.endsWith('.fifo')
  if (isFifo !== asked.has('MessageGroupId') || isFifo !== asked.has('MessageDeduplicationId'))
    return snsRefusal(400, 'InvalidParameter')
  // Subject: of ASCII, as the page said for years, what today’s UTF-8 takes too; it begins with a letter, a number or a mark.
  if (!/^[\x21-\x7e][\x20-\x7e]{0,98}$/.test(asked.get('Subject') ?? '')) return snsRefusal(400, 'InvalidParameter')
  const isBad = attributesIn(asked).some(
    ([name, type, value]) => !/^[\w.-]{1,256}$/.test(name) || type !== 'String' || value === ''
  )
  if (isBad || sizeOf(asked) > MOST_BYTES) return snsRefusal(400, 'InvalidParameter')
  // 5 minutes, of a FIFO topic.
  const repeat = isFifo && kept.some((one) => one.get('MessageDeduplicationId') === asked.get('MessageDeduplicationId'))
  if (!repeat) kept.push(asked)
  return {
    status: 200,
    body: '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>94f2</MessageId></PublishResult></PublishResponse>'
  }
}

export function attributesIn(asked: URLSearchParams): readonly (readonly [name: string, type: string, value: string])[] {
  const numbers = [...asked.keys()].flatMap((key) => /^MessageAttributes\.entry\.(\d+)\.Name$/.exec(key)?.[1] ?? [])
  return numbers.map((n) => {
    const part = (name: string) => asked.get(`MessageAttributes.entry.${n}.${name}`) ?? ''
    return [part('Name'), part('Value.DataType'), part('Value.StringValue')]
  })
}

const sizeOf = (asked: URLSearchParams): number =>
  Buffer.byteLength([asked.get('Message'), ...attributesIn(asked).flat()].join(''))

const arrivedIn = (asked: URLSearchParams): Arrived => ({
  id: attributesIn(asked).find(([name]) => name === 'id')?.[2] ?? '',
  text: asked.get('Message') ?? '',
  size: sizeOf(asked)
})

function isSigned({ headers, text }: ProviderRequest): boolean {
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
  const authorization = authorizationOf(given)
  if (authorization?.accessKeyId !== KEY_ID || authorization.service !== 'sns' || authorization.region !== 'eu-west-1')
    return false
  const url = new URL(`http://${headers.host}/`)
  return signatureOf({ method: 'POST', url, body: text, headers: given }, authorization, KEY) === authorization.signature
}
