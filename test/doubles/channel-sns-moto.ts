import { snsTopic } from '../../shared/notifiers/aws-sns.ts'
import type { Arrived, ChannelHarness } from '../conformance/notifier-harness.ts'
import { MOST_BYTES, ownKeys, SNS_REFUSALS } from './channel-sns.ts'
import { startHttpProxy } from './http-proxy.ts'
import { startMoto } from './moto.ts'

const REGION = 'us-east-1'
const NAME = 'alerts'

/** moto's SNS, with a queue of its SQS that is subscribed to the topic. It looks at no signature. */
export async function startMotoSns(file: string): Promise<ChannelHarness> {
  const moto = await startMoto(file)
  const ask = asker(moto.url)
  const arn = textIn(await ask('sns', { Action: 'CreateTopic', Name: NAME }), 'TopicArn')
  const queue = textIn(await ask('sqs', { Action: 'CreateQueue', QueueName: NAME }), 'QueueUrl')
  const endpoint = `arn:aws:sqs:${REGION}:123456789012:${NAME}`
  await ask('sns', { Action: 'Subscribe', TopicArn: arn, Protocol: 'sqs', Endpoint: endpoint })
  const proxy = await startHttpProxy(moto.url)
  const settings = { credentials: ownKeys, endpoint: proxy.url }
  return {
    make: (pace) => snsTopic({ ...settings, arn, ...pace }),
    missing: snsTopic({ ...settings, arn: arn.replace(NAME, 'gone') }),
    arrived: async () => {
      const found: Arrived[] = []
      for (;;) {
        const xml = await ask('sqs', { Action: 'ReceiveMessage', QueueUrl: queue, MaxNumberOfMessages: '10' })
        const bodies = [...xml.matchAll(/<Body>([\s\S]*?)<\/Body>/g)].map(([, body = '']) => unescaped(body))
        if (bodies.length === 0) return found
        await ask('sqs', { Action: 'PurgeQueue', QueueUrl: queue })
        found.push(...bodies.map(arrivedIn))
      }
    },
    ...{ most: MOST_BYTES, shows: (line) => line, proxy, refusals: SNS_REFUSALS, needs: /sns:Publish/ },
    secrets: [(await ownKeys()).secretAccessKey.reveal()],
    stop: async () => {
      await proxy.close()
      await moto.close()
    }
  }
}

interface Delivered {
  readonly Message: string
  readonly MessageAttributes: Readonly<Record<string, { readonly Type: string; readonly Value: string }>>
}

/** What SNS delivers to a queue (sns/latest/dg/sns-sqs-as-subscriber). */
function arrivedIn(body: string): Arrived {
  const { Message, MessageAttributes } = JSON.parse(body) as Delivered
  const attributes = Object.entries(MessageAttributes).flatMap(([name, { Type, Value }]) => [name, Type, Value])
  return { id: MessageAttributes.id?.Value ?? '', text: Message, size: Buffer.byteLength([Message, ...attributes].join('')) }
}

const asker = (url: string) => async (service: string, parameters: Readonly<Record<string, string>>) => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=test/20250101/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=none`,
      'content-type': 'application/x-www-form-urlencoded'
    },
    body: new URLSearchParams(parameters).toString()
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`moto answered ${answer.status} to ${parameters.Action}: ${text}`)
  return text
}

const textIn = (xml: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? ''

const unescaped = (xml: string): string =>
  xml
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&')
