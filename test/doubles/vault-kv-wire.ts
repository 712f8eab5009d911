import type { IncomingMessage } from 'node:http'

/**
 * before: the connection is destroyed, nothing happened. lost: it happened, and the connection is destroyed without an
 * answer. after: it happened and is answered; who set the hook stops its own run then. status: Vault's error instead.
 */
export type Fault = 'before' | 'lost' | 'after' | { readonly status: number; readonly error: string }

/** One request of keyturn's, as `GET data`, `POST data pending`, `LIST metadata`, `GET config`. */
export interface Call {
  readonly op: string
  /** Decoded, below the mount and its kind: a secret's path, or a folder's. */
  readonly path: string
}

/** What stands for Vault in a test: the double, or a proxy in front of a real server. */
export interface VaultKvServer {
  readonly url: string
  readonly calls: readonly Call[]
  /** Replaces the hook that decides each call's fate. It may be asynchronous: a call waits until it resolves. */
  setFault(fault: ((call: Call) => Fault | undefined | Promise<Fault | undefined>) | undefined): void
  /** Moves the server's clock. */
  advance(ms: number): void
  close(): Promise<void>
}

/** The calls that were made, and the hook that decides on each. */
export function faultLine() {
  const calls: Call[] = []
  let fault: Parameters<VaultKvServer['setFault']>[0]
  return {
    fateOf: async (call: Call): Promise<Fault | undefined> => {
      calls.push(call)
      return fault?.(call)
    },
    controls: {
      calls,
      setFault: (next: typeof fault) => {
        fault = next
      }
    }
  }
}

export interface Question {
  readonly call: Call
  readonly method: string
  /** Undefined: not below the mount. */
  readonly kind: string | undefined
  readonly version: number
  readonly type: string
}

/** api-docs, "API operations": LIST is a method of its own, or GET with `list=true`. */
export function questionOf(request: IncomingMessage, mount: string): Question {
  const url = new URL(request.url ?? '', 'http://double')
  const below = decodeURIComponent(url.pathname).replace(/^\/v1\//, '')
  const isHere = below.startsWith(`${mount}/`)
  const [, kind = '', path = ''] = /^([^/]*)\/?(.*)$/s.exec(below.slice(mount.length + 1)) ?? []
  const method = url.searchParams.get('list') === 'true' ? 'LIST' : (request.method ?? '')
  const op = `${method} ${isHere ? kind : below}${path.startsWith('keyturn/pending/') ? ' pending' : ''}`
  const version = Number(url.searchParams.get('version') ?? 0)
  return { call: { op, path }, method, kind: isHere ? kind : undefined, version, type: request.headers['content-type'] ?? '' }
}
