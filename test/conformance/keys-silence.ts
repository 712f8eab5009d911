import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jsonLog } from '../../shared/log.ts'
import { failed, logResult, succeeded } from '../../shared/report.ts'
import type { SecretText } from '../../shared/types.ts'
import type { ProviderFault } from '../doubles/provider-double.ts'
import {
  acknowledge,
  asked,
  atRest,
  drainMs,
  type KeySecret,
  type KeysSubject,
  type KeysWorld,
  keysWorld,
  newToken,
  OUTLIVED_MS,
  SOAK_MS,
  type Want
} from './keys-crash-world.ts'

/** Members of the documents of every target that hold what is secret. */
const SECRET_MEMBERS = [
  'secretAccessKey',
  'smtpPassword',
  'clientSecret',
  'key',
  'connectionString',
  'private_key',
  'apiKey',
  'secret'
]

/** No key's value, and nothing that the administrator has, is seen in what is logged, thrown, reported or asked for by URL. */
export function keysSilence(name: string, start: () => Promise<KeysSubject>): void {
  describe(`the silence suite: ${name}`, () => {
    const said: string[] = []
    const note = (message: unknown): void => void said.push(lineOf((message as { readonly request: IncomingMessage }).request))
    let world: KeysWorld | undefined
    beforeAll(async () => {
      subscribe('http.server.request.start', note)
      const log = jsonLog('trace', { write: (line) => void said.push(line) })
      world = await keysWorld(await start(), { log })
    })
    afterAll(async () => {
      unsubscribe('http.server.request.start', note)
      await world?.stop()
    })

    it('a key’s life, and every failure of it, shows no value', { timeout: 120_000 }, async () => {
      if (!world) throw new Error('the world did not start')
      const secret = await world.fresh()
      const values = await livedThrough(world, secret, said)
      expect(values.size, 'values of current and of those before').toBeGreaterThan(2)
      const seen = said.join('\n')
      expect(seen, 'something was said').toContain((await secret.read()).principal)
      expect(seen, 'addresses were seen').toMatch(/^(GET|POST) \//m)
      const forms = [...values, ...world.subject.admins].flatMap(formsOf)
      expect(forms.filter((form) => seen.includes(form)).map((form) => `${form.length} characters of a secret`)).toEqual([])
    })
  })
}

/** The address of a request, query and all. */
const lineOf = ({ method, url }: IncomingMessage): string => `${method} ${url}`

/** A rotation, a retirement, and each again under each fault of each call; gives every value that was ever current. */
async function livedThrough(world: KeysWorld, secret: KeySecret, said: string[]): Promise<ReadonlySet<string>> {
  const { harness } = world.subject
  const values = new Set<string>()
  const attempt = async (want: Want): Promise<void> => {
    for (const value of valuesIn((await secret.read()).document)) values.add(value)
    try {
      const outcome = await asked(secret, want, newToken())
      logResult(secret.core.log, succeeded(outcome))
      said.push(inspect(outcome, { depth: 9, showHidden: true }), JSON.stringify(succeeded(outcome)))
    } catch (e) {
      said.push(inspect(e, { depth: 9, showHidden: true }), JSON.stringify(e), String(e), JSON.stringify(failed(secret.id, e)))
    }
  }
  for (const fault of faultsOf(world.subject)) {
    for (let at = 0; at < 4; at++) {
      let left = at
      harness.setFault(() => (left-- > 0 ? undefined : fault))
      await attempt('rotate')
      await attempt('sweep')
      harness.setFault(undefined)
      await attempt('rotate')
      world.advance(OUTLIVED_MS)
    }
    await attempt('rotate')
    await emptied(world, secret)
    world.advance(drainMs(secret))
    await acknowledge(secret)
    failsLater(world, fault)
    for (const want of ['retire', 'sweep'] as const) await attempt(want)
    harness.setFault(undefined)
    await attempt('sweep')
    world.advance(SOAK_MS + 1)
    await attempt('sweep')
  }
  await atRest(world, secret)
  return values
}

/** The second call and all after it fail. */
function failsLater({ subject: { harness } }: KeysWorld, fault: ProviderFault): void {
  let calls = 0
  harness.setFault(() => (calls++ < 2 ? undefined : fault))
}

/** A person deletes what a dead run left where nothing tells whose it is. */
async function emptied({ subject: { harness } }: KeysWorld, secret: KeySecret): Promise<void> {
  if (harness.hasMarks) return
  const current = await secret.read()
  for (const principal of await secret.strays()) await harness.deleteBehind({ ...current, principal })
}

const faultsOf = ({ harness }: KeysSubject): readonly ProviderFault[] => [
  harness.denied,
  harness.throttled,
  { status: 503, body: 'Service Unavailable' },
  'before',
  'lost'
]

function valuesIn(document: SecretText): readonly string[] {
  const found = JSON.parse(document.reveal()) as Readonly<Record<string, unknown>>
  return SECRET_MEMBERS.map((member) => found[member]).filter((value) => typeof value === 'string')
}

/** The ways in which a text hides in another one; of a PEM, a line of its body. */
function formsOf(secret: string): readonly string[] {
  const line = secret.split('\n')[5]
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.from(`${'x'.repeat(shift)}${secret}`).toString('base64')
    return text.slice(shift === 0 ? 0 : 4, -4)
  })
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), ...base64]
  return line === undefined ? forms : [...forms, line]
}
