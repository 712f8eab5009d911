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
export const httpApiKeys = (descriptions: readonly HttpDescription[], settings: HttpApiKeySettings): Choice =>
  chosenBy(
    descriptions.map((one) => checkDescription(one)),
    settings
  )

type Choice = (document: SecretText) => Target

/** The same for descriptions that were checked: each target is made for the first document that names it. */
export function chosenBy(checked: readonly HttpDescription[], settings: HttpApiKeySettings): Choice {
  const descriptions = new Map(refuseTwice(checked).map((one) => [one.name, one]))
  const targets = new Map<string, Target>()
  return (document) => {
    const name = providerIn(document)
    const description = descriptions.get(name)
    if (description) {
      const target = targets.get(name) ?? targetOf(description, settings)
      targets.set(name, target)
      return target
    }
    refuseUnsupported(name)
    throw new KeyturnError('invalid/document', `the secret’s provider is none of ${[...descriptions.keys()].join(', ')}`)
  }
}

const targetOf = (checked: HttpDescription, settings: HttpApiKeySettings): Target =>
  minted(httpProvider(checked, settings), settings.minted)

/** API keys of one provider, by its description. Throws `invalid/description`, `unsupported/overlap`. */
export const httpApiKey = (description: HttpDescription, settings: HttpApiKeySettings): Target =>
  targetOf(checkDescription(description), settings)
