/** A template's parts: text as it is, or the name of a placeholder (http-description.ts). */
type Part = { readonly text: string } | { readonly name: string }

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g
const NAME = /^(mark|id|value|key\.(id|value)|(config|admin|read)\.[A-Za-z_][\w-]*)$/

/** Undefined: a brace without its other half. */
function partsOf(template: string): readonly Part[] | undefined {
  const parts: Part[] = []
  let from = 0
  for (const found of template.matchAll(TOKEN)) {
    const [token, name] = found
    parts.push({ text: template.slice(from, found.index) })
    from = found.index + token.length
    if (name !== undefined) parts.push({ name })
    else if (token.length === 2) parts.push({ text: token.slice(1) })
    else return undefined
  }
  return [...parts, { text: template.slice(from) }]
}

/** The names of its placeholders; what is none, as it stands. Undefined: a brace too many. */
export const placeholdersIn = (template: string): readonly string[] | undefined =>
  partsOf(template)?.flatMap((part) => ('name' in part ? [part.name] : []))

export const isPlaceholder = (name: string): boolean => NAME.test(name)

/** The placeholder that is all of the template. */
export const aloneIn = (template: string): string | undefined => /^\{([^{}]+)\}$/.exec(template)?.[1]

export const fill = (template: string, meant: (name: string) => string): string =>
  (partsOf(template) ?? []).map((part) => ('name' in part ? meant(part.name) : part.text)).join('')
