import { SecretText } from '../../shared/types.ts'

type Fields = Readonly<Record<string, unknown>>

const documentIn = (fields: Fields): SecretText => new SecretText(JSON.stringify(fields, undefined, 2))

/** What makes the documents of one type. */
export const documentsOf =
  (type: string) =>
  (fields: Fields): SecretText =>
    documentIn({ type, ...fields })

export const fieldsOf = (document: SecretText): Readonly<Record<string, string | undefined>> =>
  JSON.parse(document.reveal()) as Record<string, string | undefined>

export const changed = (document: SecretText, fields: Fields): SecretText => documentIn({ ...fieldsOf(document), ...fields })
