/** What a text says in JSON; undefined for what is none, which no JSON text says. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
