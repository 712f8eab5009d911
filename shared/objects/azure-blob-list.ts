import type { ObjectFacts } from '../ports/objects.ts'
import { instantIn } from '../types.ts'
import type { ListedPage } from './remote.ts'

/**
 * What List Blobs answers (rest/api/storageservices/list-blobs, Response body). The elements that are taken hold text and
 * nothing else, and no other element has their names, so that no parser of all of XML is carried along for them.
 * Undefined: it is another page, of a proxy's.
 */
export function listedBlobs(xml: string): ListedPage | undefined {
  if (!/<EnumerationResults[ >]/.test(xml)) return undefined
  return {
    objects: [...xml.matchAll(/<Blob>([\s\S]*?)<\/Blob>/g)].map(([, blob = '']) => factsOf(blob)),
    next: textOf(xml, 'NextMarker') || undefined
  }
}

function factsOf(blob: string): ObjectFacts {
  const name = textOf(blob, 'Name') ?? ''
  return {
    // Since 2021-02-12 a name that XML cannot hold comes percent-encoded.
    name: /<Name Encoded="true">/.test(blob) ? decodeURIComponent(name) : name,
    bytes: Number(textOf(blob, 'Content-Length')),
    changedAt: instantIn(textOf(blob, 'Last-Modified')),
    tag: quoted(textOf(blob, 'Etag') ?? '')
  }
}

/** An ETag is quoted in a header, and bare in a list. */
const quoted = (tag: string): string => `"${tag.replaceAll('"', '')}"`

function textOf(xml: string, name: string): string | undefined {
  const [, text] = new RegExp(`<${name}(?: [^>]*[^>/]| )?>([^<]*)</${name}>`).exec(xml) ?? []
  return text?.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(amp|lt|gt|quot|apos));/g, (_, decimal, hex, word) =>
    word ? ENTITIES[word as keyof typeof ENTITIES] : String.fromCodePoint(Number.parseInt(decimal ?? hex, decimal ? 10 : 16))
  )
}

/** The five of XML (w3.org/TR/xml, 4.6). */
const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
