import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { jsonLog } from '../../shared/log.ts'
import { failed, logResult, succeeded } from '../../shared/report.ts'
import type { ProviderFault } from '../doubles/provider-double.ts'
import {
  acknowledge,
  asked,
  atRest,
  deleteStrays,
  drainMs,
  type KeySecret,
  type KeysSubject,
  type KeysWorld,
  newToken,
  OUTLIVED_MS,
  SOAK_MS,
  startedWorld
} from './keys-crash-world.ts'
import { formsOf } from './secret-forms.ts'
import { secretsIn } from './target-harness.ts'
import type { Want } from './wants.ts'

/** No key's value, and nothing that the administrator has, is seen in what is logged, thrown, reported or asked for by URL. */
export function keysSilence(name: string, start: () => Promise<KeysSubject>): void {
  describe(`the silence suite: ${name}`, () => {
    const said: string[] = []
    const note = (message: unknown): void => void said.push(lineOf((message as { readonly request: IncomingMessage }).request))
    beforeAll(() => subscribe('http.server.request.start', note))
    const w = startedWorld(start, { log: jsonLog('trace', { write: (line) => void said.push(line) }) })
    afterAll(() => void unsubscribe('http.server.request.start', note))

    it('a key’s life, and every failure of it, shows no value', { timeout: 120_000 }, async () => {
      const world = w()
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
    for (const value of secretsIn((await secret.read()).document)) values.add(value)
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
    await deleteStrays(world, secret)
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

const faultsOf = ({ harness }: KeysSubject): readonly ProviderFault[] => [
  harness.denied,
  harness.throttled,
  { status: 503, body: 'Service Unavailable' },
  'before',
  'lost'
]
