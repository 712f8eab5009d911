import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

const SCRIPT = `
import json, sys
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=sys.argv[1]))
name = schema.lookup_class_name_from_uid(int(sys.argv[2]))
json.dump(schema.get_class_schema(name, [p for p in sys.argv[3].split(',') if p]), sys.stdout)
`

/** The Python that has PyPI's ocsf-json-schema: KEYTURN_OCSF_PYTHON, else the one that CI installs. */
export function findOcsf(): string | undefined {
  const file = process.env.KEYTURN_OCSF_PYTHON ?? '.ci/servers/ocsf/bin/python'
  return existsSync(file) ? file : undefined
}

/**
 * What OCSF's own schema of that version finds wrong with an event: its export from schema.ocsf.io, made a JSON Schema by
 * ocsf-json-schema (required members, enumerations, types, patterns, "at least one of", and no member that is unknown to the
 * class and its profiles), and checked by ajv. Empty: nothing.
 */
export function ocsfValidator(python: string, version: string): (event: unknown) => readonly string[] {
  const known = new Map<string, ValidateFunction>()
  const schemaOf = (classUid: number, profiles: string): ValidateFunction => {
    const key = `${classUid} ${profiles}`
    const made =
      known.get(key) ??
      new Ajv2020({ strict: false, allErrors: true }).compile(
        JSON.parse(
          execFileSync(python, ['-c', SCRIPT, version, String(classUid), profiles], { encoding: 'utf8', maxBuffer: 2 ** 26 })
        )
      )
    known.set(key, made)
    return made
  }
  return (event) => {
    const { class_uid, metadata } = event as { class_uid: number; metadata?: { profiles?: readonly string[] } }
    const validate = schemaOf(class_uid, (metadata?.profiles ?? []).join(','))
    return validate(event) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`)
  }
}
