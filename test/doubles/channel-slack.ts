import type { AddressSettings } from '../../shared/notifiers/remote.ts'
import { slack } from '../../shared/notifiers/slack.ts'
import { SecretText } from '../../shared/types.ts'
import { type Arrived, type ChannelHarness, sinceLast } from '../conformance/notifier-harness.ts'
import { localIdentity, sharedAuthority } from '../servers/certificates.ts'
import { startHttpProxy } from './http-proxy.ts'
import { type ProviderAnswer, type ProviderRequest, startProvider } from './provider-double.ts'

/** slackapi/bolt-js#2509: some 13,200 characters in all blocks; keyturn stops before. */
const MOST_CHARACTERS = 12_000

/** A message as Slack shows it. */
export interface Shown {
  readonly id: string
  /** What is read, block by block. */
  readonly text: string
  /** Addresses that can be clicked. */
  readonly links: readonly string[]
  /** Whoever is called: users, channels, groups, everybody. */
  readonly mentions: readonly string[]
  /** Of notifications, and of what knows no blocks; as it is shown there. */
  readonly fallback: string
  readonly payload: Payload
}

export interface Payload {
  readonly text?: string
  readonly mrkdwn?: boolean
  readonly unfurl_links?: boolean
  readonly blocks?: readonly Block[]
}

interface Block {
  readonly type: string
  readonly text?: { readonly type: string; readonly text: string; readonly verbatim?: boolean }
}

export interface SlackHarness extends ChannelHarness {
  readonly settings: AddressSettings
  last(): Shown | undefined
}

/** The bodies are words (docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks). */
const refused = (status: number, body: string) => ({ status, body })

/** Slack’s incoming webhooks, with the limits and the markup of its pages. */
export async function startSlack(): Promise<SlackHarness> {
  const kept: Shown[] = []
  const fresh = sinceLast(kept)
  const answer = ({ headers, json }: ProviderRequest): ProviderAnswer => {
    if (!headers['content-type']?.startsWith('application/json')) return refused(400, 'invalid_payload')
    const problem = problemIn(json)
    if (problem !== undefined) return refused(400, problem)
    kept.push(shown(json))
    return { status: 200, body: 'ok' }
  }
  const double = await startProvider({
    routes: [{ op: 'post', method: 'POST', path: /^\/services\/T0PLANTED\/B0PLANTED\/plantedTokenOfHook$/, answer }],
    unknown: refused(404, 'no_service'),
    tls: await localIdentity()
  })
  const { caPem } = await sharedAuthority()
  const proxy = await startHttpProxy(double.url, { tls: { ...(await localIdentity()), caPem } })
  const urlOf = (token: string) => new SecretText(`${proxy.url}/services/T0PLANTED/B0PLANTED/${token}`)
  const common = { place: 'TEAM_SLACK', allowPrivate: true, ca: caPem }
  const settings = { ...common, url: urlOf('plantedTokenOfHook') }
  return {
    settings,
    make: (pace) => slack({ ...settings, ...pace }),
    missing: slack({ ...common, url: urlOf('plantedTokenOfNobody') }),
    arrived: async () => fresh().map(arrivedIn),
    last: () => kept.at(-1),
    ...{
      most: MOST_CHARACTERS,
      cutsFields: true,
      shows: (line) => line.replaceAll('`', "'"),
      proxy,
      needs: /a webhook that is in use/
    },
    refusals: {
      denied: refused(403, 'action_prohibited'),
      throttled: { ...refused(429, 'rate_limited'), headers: { 'retry-after': '0' } },
      rejected: refused(400, 'invalid_payload')
    },
    secrets: ['T0PLANTED', 'B0PLANTED', 'plantedToken', new URL(proxy.url).host],
    stop: async () => {
      await proxy.close()
      await double.close()
    }
  }
}

/** reference/block-kit/blocks: 50 a message; section-block: 1 to 3,000 characters; header-block: 150, plain_text alone. */
function problemIn({ text, blocks }: Payload): string | undefined {
  if (typeof text !== 'string' || text === '') return 'no_text'
  if (blocks === undefined || blocks.length === 0 || blocks.length > 50) return 'invalid_blocks'
  if (JSON.stringify(blocks).length > 13_200) return 'msg_blocks_too_long'
  const isRight = blocks.every((block) => {
    const length = block.text?.text.length ?? 0
    if (block.type === 'header') return block.text?.type === 'plain_text' && length > 0 && length <= 150
    return block.type === 'section' && block.text?.type === 'mrkdwn' && length > 0 && length <= 3_000
  })
  return isRight ? undefined : 'invalid_blocks'
}

const arrivedIn = ({ id, text, payload }: Shown): Arrived => ({ id, text, size: JSON.stringify(payload.blocks).length })

/**
 * messaging/formatting-message-text: `<…>` is a link, or a mention where it begins with @, # or !; the three entities are decoded
 * and no others. Without `verbatim` bare addresses are links too, and @channel calls everybody (link_names, parse).
 */
function shown(payload: Payload): Shown {
  const texts = (payload.blocks ?? []).map(({ text }) => text ?? { type: '', text: '' })
  const controls = texts.flatMap(({ text }) => [...text.matchAll(/<([^<>]*)>/g)].map(([, inner = '']) => inner))
  const bare = texts.flatMap(({ text, verbatim }) =>
    verbatim ? [] : (text.match(/https?:\/\/\S+|@(?:channel|here|everyone)\b/g) ?? [])
  )
  const blocks = texts.map(({ text }) => seen(text.replaceAll(/<([^<>|]*)(?:\|[^<>]*)?>/g, '$1'))).join('\n')
  return {
    id: /^id: (.+)$/m.exec(blocks)?.[1] ?? '',
    text: blocks,
    links: [...controls.filter((one) => !/^[@#!]/.test(one)).map((one) => seen(one.split('|')[0] ?? '')), ...bare],
    mentions: controls.filter((one) => /^[@#!]/.test(one)),
    fallback: seen(payload.text ?? ''),
    payload
  }
}

/** As it is read: a space of no width is not. The title’s stars make it bold. */
const seen = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').replaceAll('\u200b', '')
