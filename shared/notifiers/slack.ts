import type { Code } from '../errors.ts'
import type { Notice, Notifier } from '../ports/notifier.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { wordIn } from '../vendor-code.ts'
import { type AddressSettings, addressed, remoteNotifier } from './remote.ts'
import { cut, factsOf, fitted } from './remote-text.ts'

/**
 * An incoming webhook of Slack (docs.slack.dev/messaging/sending-messages-using-incoming-webhooks), or of something that takes the
 * same: Mattermost, Rocket.Chat, Discord below /slack. It has no id that Slack would drop a repeat by; it is shown.
 */
export function slack(settings: AddressSettings): Notifier {
  const name = `slack:${settings.place}`
  const post = addressed(name, settings)
  return remoteNotifier({
    name,
    needs: 'a webhook that is in use, in a workspace that lets it post',
    send: async (notice, signal) =>
      post(JSON.stringify(messageOf(notice)), { 'content-type': 'application/json; charset=utf-8' }, signal),
    isTaken,
    vendorIn: ({ text }) => wordIn(text.trim()),
    codes: CODES
  })
}

/** “ok” is the whole answer; Rocket.Chat has JSON instead. Any other 200 is somebody’s in between. */
const isTaken = ({ status, text, json }: ApiAnswer): boolean =>
  status === 200 && (text.trim() === 'ok' || (json as { success?: unknown } | null | undefined)?.success === true)

/** docs.slack.dev/reference/block-kit/blocks/section-block: 3,000 characters. */
const MOST_SECTION = 3_000
/**
 * 50 blocks are taken, and 13,200 characters in all of them (msg_blocks_too_long, which no page has a number for: slackapi/bolt-js#2509),
 * so that the second is reached first.
 */
const MOST_CHARACTERS = 12_000
/** docs.slack.dev/changelog/2018-truncating-really-long-messages: 4,000 characters are advised. */
const MOST_TEXT = 4_000

/** What is not seen where the message is shown as text alone is in `text`: notifications, and what knows no blocks. */
function messageOf(whole: Notice): object {
  const notice = fitted(whole, (less) => JSON.stringify(blocksOf(less)).length <= MOST_CHARACTERS)
  const text = within([headOf(notice), ...notice.lines].join('\n'), MOST_TEXT)
  // A link that a log brought along is not looked at by Slack, and so shows no picture of its own.
  return { text, mrkdwn: false, unfurl_links: false, unfurl_media: false, blocks: blocksOf(notice) }
}

const headOf = ({ severity, title }: Notice): string => `[${severity}] ${title}`

function blocksOf(notice: Notice): readonly object[] {
  const link = notice.link === undefined ? undefined : linkTo(notice.link)
  return [
    section(`*${inert(headOf(notice))}*`),
    ...sectionsOf(notice.lines),
    ...(link === undefined ? [] : [section(link)]),
    ...sectionsOf(factsOf(notice))
  ]
}

/** `verbatim`: neither addresses nor names are made into links (docs.slack.dev/reference/block-kit/composition-objects/text-object). */
const section = (text: string): object => ({ type: 'section', text: { type: 'mrkdwn', text, verbatim: true } })

/** As many lines in one section as it takes. */
function sectionsOf(lines: readonly string[]): readonly object[] {
  const texts: string[] = []
  for (const line of lines.map((one) => within(one, MOST_SECTION)).filter((one) => one.trim() !== '')) {
    const last = texts.at(-1)
    if (last === undefined || last.length + 1 + line.length > MOST_SECTION) texts.push(line)
    else texts.splice(-1, 1, `${last}\n${line}`)
  }
  return texts.map(section)
}

/** Made inert, and cut so that it is no longer than so then. */
function within(text: string, most: number): string {
  let kept = cut(text, most)
  while (inert(kept).length > most) kept = cut(kept, Math.floor(kept.length * 0.8))
  return inert(kept)
}

/**
 * docs.slack.dev/messaging/formatting-message-text, “Escaping text”: without `<` and `>` there is no link and no mention, neither
 * `<!channel>` nor `<@U…>`. What is beside Slack’s own: a `@channel` of Mattermost, and its `[text](address)`, get a space of no
 * width. A backtick would open a block of code that the lines after it are in, too.
 */
const inert = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/(?<!\w)@/g, '@\u200b')
    .replaceAll('](', ']\u200b(')
    .replaceAll('`', "'")

/** Undefined: it is no address. */
function linkTo(link: string): string | undefined {
  const url = URL.canParse(link) ? new URL(link) : undefined
  return url?.protocol === 'https:' ? `<${inert(url.href).replaceAll('|', '%7C')}>` : undefined
}

/**
 * docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks, and the page of incoming webhooks, “Handling
 * errors”. 429 and 5xx are told by the status.
 */
const CODES: Readonly<Record<string, Code>> = {
  invalid_payload: 'invalid/notice',
  invalid_blocks: 'invalid/notice',
  invalid_blocks_format: 'invalid/notice',
  msg_blocks_too_long: 'invalid/notice',
  no_text: 'invalid/notice',
  too_many_attachments: 'invalid/notice',
  channel_not_found: 'not-found/channel',
  channel_is_archived: 'not-found/channel',
  no_active_hooks: 'not-found/channel',
  no_service: 'not-found/channel',
  no_service_id: 'not-found/channel',
  no_team: 'not-found/channel',
  team_disabled: 'not-found/channel',
  user_not_found: 'not-found/channel',
  action_prohibited: 'denied/channel',
  invalid_token: 'denied/channel',
  posting_to_general_channel_denied: 'denied/channel'
}
