import { KeyturnError } from '../errors.ts'
import type { Target } from '../ports/target.ts'
import type { SecretText } from '../types.ts'
import { checkDescription, refuseTwice } from './http-checks.ts'
import type { HttpDescription } from './http-description.ts'
import { providerIn } from './http-document.ts'
import { type HttpProviderSettings, httpProvider } from './http-operations.ts'
import { refuseUnsupported } from './http-unsupported.ts'
import { type MintedSettings, minted } from './minted.ts'

export interface HttpApiKeySettings extends HttpProviderSettings {
  readonly minted?: MintedSettings | undefined
}

/**
 * The target of each document, by the `provider` that it names. Throws `invalid/description`, `unsupported/overlap` at once;
 * what it gives throws `invalid/document`, `invalid/kind`, and `unsupported/provider` with what to do instead.
 */
export function httpApiKeys(
  descriptions: readonly HttpDescription[],
  settings: HttpApiKeySettings
): (document: SecretText) => Target {
  const targets = new Map(refuseTwice(descriptions).map((one) => [one.name, httpApiKey(one, settings)]))
  return (document) => {
    const name = providerIn(document)
    const target = targets.get(name)
    if (target) return target
    refuseUnsupported(name)
    throw new KeyturnError('invalid/document', `the secret’s provider is none of ${[...targets.keys()].join(', ')}`)
  }
}

/** API keys of one provider, by its description. Throws `invalid/description`, `unsupported/overlap`. */
export const httpApiKey = (description: HttpDescription, settings: HttpApiKeySettings): Target =>
  minted(httpProvider(checkDescription(description), settings), settings.minted)
