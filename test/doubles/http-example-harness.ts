import { randomBytes } from 'node:crypto'
import type { Credential, Target } from '../../shared/ports/target.ts'
import type { HttpDescription } from '../../shared/targets/http-description.ts'
import { SecretText } from '../../shared/types.ts'
import type { KeyScene, KeysHarness } from '../conformance/keys-harness.ts'
import { PLANTED } from '../conformance/target-harness.ts'
import { fieldsOf } from './key-documents.ts'
import type { KeyShelf } from './key-shelf.ts'
import type { ProviderDouble } from './provider-double.ts'

export const AT_ONCE = { pausesMs: [0, 0], minted: { pausesMs: [0, 0, 0, 0, 0] } }

export interface ExampleParts {
  readonly double: ProviderDouble
  readonly shelf: KeyShelf
  readonly target: Target
  /** The names of the document's fields for the key. */
  readonly idField: string
  readonly valueField: string
  /** The document of a scene, but for the key. */
  readonly documentOf: (account: string) => Readonly<Record<string, unknown>>
  readonly unreadable: readonly (readonly [document: Readonly<Record<string, unknown>>, names: RegExp])[]
  readonly denied: KeysHarness['denied']
}

/** What a description calls the document's fields for the key. */
export const keyFieldsOf = ({ fields = {} }: HttpDescription): Pick<ExampleParts, 'idField' | 'valueField'> => ({
  idField: fields.keyId ?? 'keyId',
  valueField: fields.apiKey ?? 'apiKey'
})

export interface ExampleHarness extends KeysHarness {
  readonly double: ProviderDouble
}

/** The suite's hands on an example: behind it they change the shelf. */
export function exampleHarness(parts: ExampleParts): ExampleHarness {
  const { double, shelf, target, idField, valueField } = parts
  const keyOf = (credential: Credential) => shelf.find(credential.principal)
  const accountOf = ({ current }: KeyScene): string => keyOf(current)?.account ?? ''
  return {
    double,
    async scene() {
      const account = `p-${randomBytes(4).toString('hex')}`
      const key = shelf.add({ id: `first-${account}`, account, value: `value-of-${account}`, name: 'by hand' })
      const text = JSON.stringify(
        { ...parts.documentOf(account), [idField]: key.id, note: [1, 'two'], [valueField]: key.value },
        null,
        1
      )
      const context = { secret: `secret/${account}` }
      return { target, current: target.inspect(new SecretText(text), context), context }
    },
    works: async (credential) => shelf.works(credential.principal, fieldsOf(credential.document)[valueField]),
    use: async (credential, agoMs) => shelf.used(credential.principal, double.now() - agoMs),
    wrong: (credential) => ({
      ...credential,
      document: new SecretText(JSON.stringify({ ...fieldsOf(credential.document), [valueField]: PLANTED }))
    }),
    unreadable: parts.unreadable.map(([document, names]) => ({ document: new SecretText(JSON.stringify(document)), names })),
    person: async (scene) =>
      shelf.add({
        id: `hand-${randomBytes(4).toString('hex')}`,
        account: accountOf(scene),
        value: randomBytes(8).toString('hex')
      }).id,
    deleteBehind: async ({ principal }) => shelf.remove(principal),
    snapshot: async (scene) => shelf.snapshot(accountOf(scene)),
    hasMarks: true,
    lagCreated: shelf.lagCreated,
    lagRevoked: shelf.lagRevoked,
    calls: () => double.calls,
    setFault: double.setFault,
    createOp: 'CreateKey',
    denied: parts.denied,
    throttled: { status: 429, body: { error: { code: 'rate_limited' } } },
    stop: double.close
  }
}
