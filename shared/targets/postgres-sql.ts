/** Any text as an identifier; a NUL cannot occur (names are checked first). */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Any text as a literal, whatever standard_conforming_strings says. */
export function literal(text: string): string {
  const quoted = text.replaceAll("'", "''")
  return quoted.includes('\\') ? ` E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`
}

// Their values are lists, stored as `a, "b c"`; a single literal would be taken for one element (variable_is_guc_list_quote in
// Postgres' dumputils.c, which pg_dump goes by as well).
const LISTS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories'
])

/** A setting's stored value as ALTER ROLE … SET takes it back. */
export function settingValue(name: string, stored: string): string {
  if (!LISTS.has(name.toLowerCase())) return literal(stored)
  const elements = [...stored.matchAll(/"((?:[^"]|"")*)"|([^\s,"][^,]*)/g)].map(([, quoted, plain]) =>
    literal(quoted?.replaceAll('""', '"') ?? (plain ?? '').trim())
  )
  return elements.length === 0 ? "''" : elements.join(', ')
}

/** A setting's name: a plain one, or with an extension's prefix. */
export const settingName = (name: string): string => name.split('.').map(identifier).join('.')
