import { inspect } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import type { Channel } from '../../shared/channels.ts'
import { type Config, readConfig } from '../../shared/config.ts'
import { KeyturnError } from '../../shared/errors.ts'
import { newSecret } from '../doubles/channel-webhook.ts'

const URL_OF_HOOK = 'https://hooks.example.com/planted-path?sig=planted-query'
const [SECRET, NEXT] = [newSecret(24), newSecret(64)]

const read = (KEYTURN_NOTIFY: string, more: Readonly<Record<string, string>> = {}): Config =>
  readConfig({ KEYTURN_NOTIFY, ...more })

function problemsOf(text: string, more: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    read(text, more)
  } catch (e) {
    if (e instanceof KeyturnError && e.code === 'invalid/config') return e.message.split('; ')
    throw e
  }
  return []
}

const urlsOf = (channels: readonly Channel[]) => channels.flatMap((one) => ('url' in one ? [one.url.reveal()] : []))

describe('KEYTURN_NOTIFY', () => {
  it('names nobody by itself', () => {
    expect(readConfig({}).channels).toEqual([])
    expect(read(' \n ').channels).toEqual([])
  })

  it.each([
    'sns:arn:aws:sns:eu-west-1:123456789012:alerts',
    'sns:arn:aws-us-gov:sns:us-gov-west-1:123456789012:alerts.fifo',
    'queue:https://acme.queue.core.windows.net/alerts',
    'queue:https://127.0.0.1:10001/devstoreaccount1/alerts',
    'eventgrid:https://alerts.westeurope-1.eventgrid.azure.net/api/events',
    'eventgrid:https://alerts.westeurope-1.eventgrid.azure.net/api/events#EventGridSchema',
    'pubsub:projects/acme-1/topics/alerts',
    'pubsub:projects/example.com:acme/topics/alerts'
  ])('takes %s', (part) => {
    const [kind, ...place] = part.split(':')
    expect(read(part).channels).toEqual([{ kind, place: place.join(':') }])
  })

  it('takes several, with spaces between, and the variables of addresses with them', () => {
    const { channels } = read('sns:arn:aws:sns:eu-west-1:123456789012:alerts  webhook:HOOK\nslack:KEYTURN_SLACK', {
      HOOK: URL_OF_HOOK,
      HOOK_SECRET: `${SECRET} ${NEXT}`,
      KEYTURN_SLACK: 'https://hooks.slack.com/services/T/B/x'
    })
    expect(channels.map(({ kind }) => kind)).toEqual(['sns', 'webhook', 'slack'])
    expect(urlsOf(channels)).toEqual([URL_OF_HOOK, 'https://hooks.slack.com/services/T/B/x'])
    const secrets = channels.flatMap((one) => ('secrets' in one ? one.secrets : []))
    expect(secrets.map((secret) => secret.reveal())).toEqual([SECRET, NEXT])
  })

  it('shows neither an address nor a secret in the configuration that is read', () => {
    const seen = inspect(read('webhook:HOOK', { HOOK: URL_OF_HOOK, HOOK_SECRET: SECRET }), { depth: 10, showHidden: true })
    for (const secret of ['planted', SECRET, SECRET.slice(6)]) expect(seen).not.toContain(secret)
  })

  it.each([
    'alerts',
    'mail:ann@example.com',
    'constructor:x',
    'sns:alerts',
    'sns:arn:aws:sqs:eu-west-1:123456789012:alerts',
    'sns:arn:aws:sns:eu-west-1:123456789012:alerts/../x',
    'queue:http://acme.queue.core.windows.net/alerts',
    'queue:https://acme.queue.core.windows.net/alerts?sig=planted',
    'queue:https://acme.queue.core.windows.net/Alerts',
    'queue:https://user:planted@acme.queue.core.windows.net/alerts',
    'eventgrid:https://alerts.westeurope-1.eventgrid.azure.net/',
    'eventgrid:https://alerts.westeurope-1.eventgrid.azure.net/api/events#Other',
    'eventgrid:https://alerts.westeurope-1.eventgrid.azure.net/api/events?aeg-sas-key=planted',
    'pubsub:alerts',
    'pubsub:projects/acme-1/topics/a/b',
    'webhook:https://hooks.example.com/planted',
    'slack:hook'
  ])('does not take %s, and quotes nothing of it', (part) => {
    const [problem, ...more] = problemsOf(part)
    expect(problem).toMatch(/^part 1 of KEYTURN_NOTIFY /)
    expect(more).toEqual([])
    expect(problem).not.toMatch(/planted|example\.com/)
  })

  it.each([
    ['HOOK', 'no URL at all', {}],
    ['HOOK', 'http', { HOOK: 'http://hooks.example.com/planted', HOOK_SECRET: SECRET }],
    ['HOOK', 'a user', { HOOK: 'https://ann:planted@hooks.example.com/', HOOK_SECRET: SECRET }],
    ['HOOK', 'a fragment', { HOOK: 'https://hooks.example.com/#planted', HOOK_SECRET: SECRET }],
    ['HOOK_SECRET', 'no secret', { HOOK: URL_OF_HOOK }],
    ['HOOK_SECRET', 'a short one', { HOOK: URL_OF_HOOK, HOOK_SECRET: newSecret(23) }],
    ['HOOK_SECRET', 'a long one', { HOOK: URL_OF_HOOK, HOOK_SECRET: newSecret(65) }],
    ['HOOK_SECRET', 'one of another form', { HOOK: URL_OF_HOOK, HOOK_SECRET: 'planted-planted-planted-planted-planted' }],
    ['HOOK_SECRET', 'three of them', { HOOK: URL_OF_HOOK, HOOK_SECRET: [SECRET, SECRET, NEXT].join(' ') }]
  ])('wants %s right: not %s', (name, _, environment) => {
    const problems = problemsOf('webhook:HOOK', environment as unknown as Readonly<Record<string, string>>)
    expect(problems.join()).toMatch(new RegExp(`\\b${name}\\b.* must hold`))
    expect(problems.join()).not.toMatch(/planted|hooks\.example/)
    expect(problems.join()).not.toContain(SECRET)
  })

  it('is refused with all that is wrong at once, beside what else is', () => {
    const problems = problemsOf('mail:x sns:y slack:GONE slack:TWICE slack:TWICE', {
      TWICE: 'https://hooks.slack.com/services/T/B/x',
      KEYTURN_LOG_LEVEL: 'loud',
      KEYTURN_NOTFY: 'x'
    })
    expect(problems).toEqual([
      expect.stringContaining('KEYTURN_LOG_LEVEL'),
      expect.stringContaining('part 1'),
      expect.stringContaining('part 2'),
      expect.stringContaining('GONE'),
      expect.stringContaining('twice'),
      expect.stringContaining('KEYTURN_NOTFY')
    ])
  })
})

test('a variable that begins with KEYTURN_ is known where a channel names it, and only there', () => {
  const hook = { KEYTURN_HOOK: URL_OF_HOOK, KEYTURN_HOOK_SECRET: SECRET }
  expect(read('webhook:KEYTURN_HOOK', hook).channels).toHaveLength(1)
  expect(problemsOf('', hook)).toEqual(['KEYTURN_HOOK is no setting of keyturn', 'KEYTURN_HOOK_SECRET is no setting of keyturn'])
})
