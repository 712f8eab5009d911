/** The first thing that a client says has no type byte: a length and a code, which is a version or one of these. */
export const requests = { cancel: 80877102, tls: 80877103, gssEncryption: 80877104 } as const

/** Asks for TLS; the answer is one byte, S or N. */
export const tlsRequest: Buffer = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/** One message with its header; `type` is its first byte as a letter. */
export type Message = { type: string; bytes: Buffer }

/** Cuts a stream into messages: takes chunks, gives back the messages that are complete. */
export function messageReader(): (chunk: Buffer) => Message[] {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const messages: Message[] = []
    while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
      const bytes = rest.subarray(0, rest.readInt32BE(1) + 1)
      messages.push({ type: String.fromCharCode(bytes.readUInt8(0)), bytes })
      rest = rest.subarray(bytes.length)
    }
    return messages
  }
}

/** The code of a first message, and how long the message is; undefined when too little of it has arrived. */
export function readRequest(bytes: Buffer): { code: number; length: number } | undefined {
  if (bytes.length < 8 || bytes.length < bytes.readInt32BE(0)) return undefined
  return { code: bytes.readInt32BE(4), length: bytes.readInt32BE(0) }
}

/** `user`, `database`, `application_name` … of a startup message. */
export function startupParameters(startup: Buffer): Map<string, string> {
  const words = startup.subarray(8).toString().split('\0')
  const parameters = new Map<string, string>()
  for (let at = 0; at + 1 < words.length && words[at] !== ''; at += 2) parameters.set(words[at] ?? '', words[at + 1] ?? '')
  return parameters
}

/** The text of a Query (one string) or of a Parse (the statement's name, then its text). */
export function statementText({ type, bytes }: Message): string {
  const strings = bytes.subarray(5).toString().split('\0')
  return strings[type === 'P' ? 1 : 0] ?? ''
}

export function isAuthenticationOk({ type, bytes }: Message): boolean {
  return type === 'R' && bytes.readInt32BE(5) === 0
}

/** The SQLSTATE of an ErrorResponse. */
export function errorCode({ bytes }: Message): string {
  const fields = bytes.subarray(5).toString().split('\0')
  return fields.find((field) => field.startsWith('C'))?.slice(1) ?? ''
}
