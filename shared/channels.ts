import { entryOf } from './table.ts'
import { SecretText } from './types.ts'

/** Where people or programs are told: one part of KEYTURN_NOTIFY, with what its variables hold. */
export type Channel = CloudChannel | AddressChannel

export interface CloudChannel {
  readonly kind: 'sns' | 'queue' | 'eventgrid' | 'pubsub'
  /** As the cloud names it: an ARN, a URL, a resource's name. Never secret. */
  readonly place: string
}

/** At a URL that is a secret: whoever knows it can post there. */
export interface AddressChannel {
  readonly kind: 'webhook' | 'slack'
  /** The variable that holds the URL: what the channel is called by. */
  readonly place: string
  readonly url: SecretText
  /** Of a webhook: what signs, in the form of Standard Webhooks; two while they are rotated. Of Slack none. */
  readonly secrets: readonly SecretText[]
}

type Environment = Readonly<Record<string, string | undefined>>

/** A kind's form after its colon: in words for a person, and what is taken. */
interface Form {
  readonly says: string
  readonly is: RegExp
}

/** sns/latest/api/API_CreateTopic: letters, digits, `_` and `-`, 256 at most, and .fifo at the end of a FIFO topic. */
const SNS = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,251}(?:\.fifo|[A-Za-z0-9_-]{0,5})$/
/** rest/api/storageservices/naming-queues-and-metadata. No query: that would be a SAS. */
const QUEUE = /^https:\/\/[\w.:-]+(?:\/\w+)?\/[a-z0-9](?:-?[a-z0-9]){2,62}$/
/** event-grid/post-to-custom-topic, “Endpoint”; the words behind # are those of the topic’s inputSchema. */
const GRID = /^https:\/\/[\w.:-]+\/api\/events(?:#(?:EventGridSchema|CloudEventSchemaV1_0))?$/
/** pubsub/docs/create-topic, “Properties”; resource-manager/docs/creating-managing-projects (of a domain too). */
const PUBSUB = /^projects\/(?:[a-z0-9.-]+:)?[a-z0-9-]{1,63}\/topics\/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$/
const VARIABLE = /^[A-Z][A-Z0-9_]*$/

const FORMS: Readonly<Record<Channel['kind'], Form>> = {
  sns: { says: 'the ARN of a topic', is: SNS },
  queue: { says: 'the https URL of a storage queue, without a SAS', is: QUEUE },
  eventgrid: { says: 'the https endpoint of a custom topic, with #EventGridSchema where it takes that', is: GRID },
  pubsub: { says: 'projects/<project>/topics/<topic>', is: PUBSUB },
  webhook: { says: 'the name of a variable that holds its URL', is: VARIABLE },
  slack: { says: 'the name of a variable that holds its URL', is: VARIABLE }
}

/** The variable with a webhook's secrets: `HOOK_SECRET` for `webhook:HOOK`. */
export const secretVariable = (variable: string): string => `${variable}_SECRET`

/**
 * The channels of KEYTURN_NOTIFY, `sns:<arn> queue:<url> eventgrid:<endpoint> pubsub:<topic> webhook:<variable> slack:<variable>`,
 * and what is wrong with them, all of it. Nothing is quoted but kinds and names of variables: somebody may have put a URL there.
 */
export function channelsIn(
  parts: readonly string[],
  environment: Environment
): { readonly channels: readonly Channel[]; readonly problems: readonly string[]; readonly variables: readonly string[] } {
  const read = parts.map((part, index) => channelIn(part, `part ${index + 1} of KEYTURN_NOTIFY`, environment))
  const channels = read.flatMap((found) => ('kind' in found ? [found] : []))
  const named = channels.map(({ kind, place }) => `${kind}:${place}`)
  const twice = named.some((name, at) => named.indexOf(name) < at) ? ['KEYTURN_NOTIFY names a channel twice'] : []
  return {
    channels,
    problems: [...read.flatMap((found) => ('kind' in found ? [] : found.problems)), ...twice],
    variables: parts.flatMap((part) => /^(?:webhook|slack):(.+)$/.exec(part)?.[1] ?? []).flatMap((v) => [v, secretVariable(v)])
  }
}

interface Wrong {
  readonly problems: readonly string[]
}

function channelIn(part: string, which: string, environment: Environment): Channel | Wrong {
  const [, word, place = ''] = /^([a-z]+):(.*)$/.exec(part) ?? []
  const form = entryOf(FORMS, word)
  if (form === undefined) return { problems: [`${which} begins with none of ${Object.keys(FORMS).join(':, ')}:`] }
  const kind = word as Channel['kind']
  if (!form.is.test(place)) return { problems: [`${which} must be ${kind}: and ${form.says}`] }
  return kind === 'webhook' || kind === 'slack' ? addressed(kind, place, environment) : { kind, place }
}

function addressed(kind: AddressChannel['kind'], place: string, environment: Environment): AddressChannel | Wrong {
  const url = environment[place] ?? ''
  const secrets = kind === 'slack' ? [] : (environment[secretVariable(place)] ?? '').split(/\s+/).filter((one) => one !== '')
  const problems = [
    ...(isAddress(url) ? [] : [`${place}, which KEYTURN_NOTIFY names, must hold an https URL`]),
    ...(kind === 'slack' || (secrets.length > 0 && secrets.length <= 2 && secrets.every(isWebhookSecret))
      ? []
      : [secretIs(place)])
  ]
  if (problems.length > 0) return { problems }
  return { kind, place, url: new SecretText(url), secrets: secrets.map((one) => new SecretText(one)) }
}

const secretIs = (place: string): string =>
  `${secretVariable(place)} must hold what signs the webhook ${place}: whsec_ and 24 to 64 bytes in base64, or two of them with a space between`

/** A user and a password would be sent nowhere; a query is part of some receivers' addresses. */
function isAddress(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === ''
}

/** standard-webhooks, spec/standard-webhooks.md, “Signature scheme”: the table of symmetric signatures. */
function isWebhookSecret(text: string): boolean {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? []
  const bytes = base64 === undefined ? 0 : Buffer.from(base64, 'base64').length
  return bytes >= 24 && bytes <= 64
}
