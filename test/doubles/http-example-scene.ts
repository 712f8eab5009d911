import { onTestFinished } from 'vitest'
import type { Context, Credential, Target, TargetHold } from '../../shared/ports/target.ts'
import type { HttpApiKeySettings } from '../../shared/targets/http-api-key.ts'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { SecretText } from '../../shared/types.ts'
import { soon } from '../conformance/target-harness.ts'
import { ACME, type Example, startExample } from './http-example.ts'
import { acmeTarget } from './http-example-keys.ts'

export const VALUE = 'value-of-the-first-key-77d0'
export const SECRET = 'secret/acme'

export interface AcmeScene extends Example {
  readonly target: Target
  readonly current: Credential
  readonly context: Context
  /** How many requests reached the provider, of any kind. */
  readonly sent: () => number
  readonly hold: () => Promise<TargetHold>
  readonly create: () => Promise<Credential>
  /** How a call with the current key is judged. */
  readonly verify: () => Promise<'accepted' | 'rejected'>
  readonly documentOf: (config: Readonly<Record<string, unknown>>, more?: Readonly<Record<string, unknown>>) => SecretText
}

export interface AcmeOptions {
  readonly description?: HttpDescription
  readonly settings?: Partial<HttpApiKeySettings>
  readonly config?: Readonly<Record<string, unknown>>
  readonly more?: Readonly<Record<string, unknown>>
}

/** One key of Acme's in one project, and a target with this description of it; it ends with the test. */
export async function acmeScene({ description = ACME, settings, config = {}, more = {} }: AcmeOptions = {}): Promise<AcmeScene> {
  const example = await startExample()
  const { double, shelf } = example
  onTestFinished(double.close)
  shelf.add({ id: 'first', account: 'p1', value: VALUE, name: 'by hand' })
  const target = acmeTarget(double.url, settings, description)
  const documentOf: AcmeScene['documentOf'] = (given, extra = {}) =>
    new SecretText(
      JSON.stringify({
        type: 'http-api-key',
        provider: description.name,
        keyId: 'first',
        apiKey: VALUE,
        config: { project: 'p1', ...given },
        adminsecret: 'acme-admin',
        ...extra
      })
    )
  const context = { secret: SECRET }
  const current = target.inspect(documentOf(config, more), context)
  return {
    ...example,
    target,
    current,
    context,
    sent: () => double.calls.length,
    hold: () => target.hold(current, context, soon()),
    create: () => target.propose(current, context, 'a-token-of-thirty-two-characters', soon()),
    verify: () => target.verify(current, context, soon()),
    documentOf
  }
}
