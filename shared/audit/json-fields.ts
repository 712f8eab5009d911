/** The value ends behind the bytes that were given: more of them are needed, or it was cut off. */
export const INCOMPLETE = -2
/** No JSON. */
export const MALFORMED = -1

/**
 * Finds members of one JSON object by their paths, in one pass over its bytes, without making objects of what nobody asks
 * for. Exact for JSON as RFC 8259 has it: depth, white space, escapes in keys and the last one of double keys count as in
 * JSON.parse. What is skipped is followed by its quotes and brackets and not checked further.
 */
export interface FieldScanner {
  /**
   * Scans the object that starts at `from`. Returns where it ends, MALFORMED or INCOMPLETE; then what was found before
   * stays. Stops as soon as the path `until` was found, and returns where its value ends.
   */
  scan(bytes: Uint8Array, from: number, to: number, until?: number): number
  /** Where the value of path n begins and ends, quotes included; -1 where it is not there. */
  readonly starts: Int32Array
  readonly ends: Int32Array
}

interface Node {
  readonly name: string
  readonly key: Uint8Array
  /** Index of the path that ends here, or -1. */
  readonly slot: number
  readonly children: readonly Node[]
  readonly isLeaf: boolean
  /** Its own and those below. */
  readonly slots: readonly number[]
}

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [34, 92, 44, 58, 123, 125, 91, 93]

/** Paths are members joined by dots; a member that has a dot in its name cannot be asked for. */
export function fieldScanner(paths: readonly string[]): FieldScanner {
  const root = nodeOf(
    '',
    paths.map((path, slot) => [path.split('.'), slot] as const)
  )
  const starts = new Int32Array(paths.length)
  const ends = new Int32Array(paths.length)
  let bytes: Uint8Array = new Uint8Array()
  let end = 0
  let wanted = -1

  const object = (node: Node, from: number): number => {
    let at = afterSpace(bytes, from, end)
    if (at < end && bytes[at] === CLOSE) return at + 1
    for (;;) {
      if (at >= end) return INCOMPLETE
      if (bytes[at] !== QUOTE) return MALFORMED
      const keyFrom = at + 1
      at = afterString(bytes, keyFrom, end)
      if (at < 0) return at
      const child = childOf(node.children, bytes, keyFrom, at - 1)
      at = afterSpace(bytes, at, end)
      if (at >= end) return INCOMPLETE
      if (bytes[at] !== COLON) return MALFORMED
      at = afterSpace(bytes, at + 1, end)
      if (at >= end) return INCOMPLETE
      at = child ? value(child, at) : afterValue(bytes, at, end)
      if (at < 0 || wanted === DONE) return at
      at = afterSpace(bytes, at, end)
      if (at >= end) return INCOMPLETE
      const mark = bytes[at]
      if (mark === CLOSE) return at + 1
      if (mark !== COMMA) return MALFORMED
      at = afterSpace(bytes, at + 1, end)
    }
  }

  const value = (node: Node, from: number): number => {
    const { slots } = node
    for (let n = 0; n < slots.length; n++) starts[slots[n] as number] = -1
    const at = !node.isLeaf && bytes[from] === OPEN ? object(node, from + 1) : afterValue(bytes, from, end)
    if (at < 0 || node.slot < 0 || wanted === DONE) return at
    starts[node.slot] = from
    ends[node.slot] = at
    if (node.slot === wanted) wanted = DONE
    return at
  }

  return {
    starts,
    ends,
    scan: (given, from, to, until = -1) => {
      bytes = given
      end = to
      wanted = until
      starts.fill(-1)
      const at = afterSpace(given, from, to)
      if (at >= to) return INCOMPLETE
      return given[at] === OPEN ? object(root, at + 1) : MALFORMED
    }
  }
}

/** In place of a slot: it was found. */
const DONE = -9

function nodeOf(name: string, paths: readonly (readonly [path: readonly string[], slot: number])[]): Node {
  const heads = [...new Set(paths.flatMap(([[head]]) => head ?? []))]
  const below = (head: string) => paths.flatMap(([[first, ...rest], slot]) => (first === head ? [[rest, slot] as const] : []))
  return {
    name,
    key: new TextEncoder().encode(name),
    slot: paths.find(([path]) => path.length === 0)?.[1] ?? -1,
    children: heads.map((head) => nodeOf(head, below(head))),
    isLeaf: heads.length === 0,
    slots: paths.map(([, slot]) => slot)
  }
}

function childOf(children: readonly Node[], bytes: Uint8Array, from: number, to: number): Node | undefined {
  const length = to - from
  for (let n = 0; n < children.length; n++) {
    const { key } = children[n] as Node
    if (key.length !== length || key[0] !== bytes[from]) continue
    let at = 1
    while (at < length && key[at] === bytes[from + at]) at++
    if (at >= length) return children[n]
  }
  // A key may be spelled with escapes; it is longer then.
  for (let at = from; at < to; at++) if (bytes[at] === BACKSLASH) return escaped(children, bytes.subarray(from, to))
  return undefined
}

/** As JSON.parse reads a text: what looks like a byte order mark is a part of the key. */
const UTF_8 = new TextDecoder('utf-8', { ignoreBOM: true })

function escaped(children: readonly Node[], key: Uint8Array): Node | undefined {
  try {
    const name = JSON.parse(`"${UTF_8.decode(key)}"`)
    return children.find((child) => child.name === name)
  } catch {
    return undefined
  }
}

export function afterSpace(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end) {
    const byte = bytes[at] as number
    if (byte > 32 || (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9)) return at
    at++
  }
  return at
}

/** `from` is behind the opening quote; the answer is behind the closing one. */
export function afterString(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    at += byte === BACKSLASH ? 2 : 1
  }
  return INCOMPLETE
}

/** Behind the value that begins at `from`. */
export function afterValue(bytes: Uint8Array, from: number, end: number): number {
  const first = bytes[from] as number
  if (first === QUOTE) return afterString(bytes, from + 1, end)
  if (first === OPEN || first === OPEN_LIST) return afterBrackets(bytes, from + 1, end, 1)
  let at = from
  while (at < end) {
    const byte = bytes[at] as number
    if (byte === COMMA || byte === CLOSE || byte === CLOSE_LIST || byte <= 32) return at > from ? at : MALFORMED
    if (byte === QUOTE || byte === COLON || byte === OPEN || byte === OPEN_LIST) return MALFORMED
    at++
  }
  return INCOMPLETE
}

/** Behind the bracket that closes the `depth`-th one that is open. */
export function afterBrackets(bytes: Uint8Array, from: number, end: number, depth: number): number {
  let [at, open] = [from, depth]
  while (at < end) {
    const byte = bytes[at++] as number
    if (byte === QUOTE) {
      while (at < end) {
        const inside = bytes[at]
        if (inside === QUOTE) break
        at += inside === BACKSLASH ? 2 : 1
      }
      at++
    } else if (byte === OPEN || byte === OPEN_LIST) open++
    else if ((byte === CLOSE || byte === CLOSE_LIST) && --open === 0) return at <= end ? at : INCOMPLETE
  }
  return INCOMPLETE
}
