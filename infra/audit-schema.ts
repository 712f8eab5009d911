import { toJsonSchema } from '@valibot/to-json-schema'
import { DEFINITIONS, DocumentSchema } from '../shared/audit/outputs/document-schema.ts'

/** Where the published JSON Schema of `keyturn audit --json` lies. */
export const AUDIT_SCHEMA_FILE = 'shared/audit/outputs/keyturn-audit-1.schema.json'

/** JSON Schema, draft 2020-12. */
export function auditSchema(): string {
  const { $schema, ...schema } = toJsonSchema(DocumentSchema, { target: 'draft-2020-12', definitions: DEFINITIONS })
  const head = { $schema, $id: 'urn:keyturn:audit:1', title: 'What keyturn audit answers, version 1' }
  return `${JSON.stringify({ ...head, ...schema }, undefined, 2)}\n`
}
