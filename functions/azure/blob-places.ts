import { isLoopback } from '../../shared/loopback.ts'
import { isBare } from './settings.ts'

/** A blob, or what names of blobs begin with. */
export interface BlobPlace {
  /** What its address begins with: the service of one storage account. */
  readonly account: string
  /** `https://<account>.blob.core.windows.net/<container>` */
  readonly containerUrl: string
  readonly name: string
}

/**
 * `https://<account>.blob.core.windows.net/<container>/<name>`; on this machine the account is in the path, as the emulator
 * has it. Undefined: it is none.
 */
export function blobPlaceIn(text: string): BlobPlace | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !isBare(url)) return undefined
  const [, account, container, name = ''] = (isLoopback(url) ? EMULATED : REAL).exec(url.pathname) ?? []
  if (account === undefined || container === undefined) return undefined
  try {
    const service = url.origin + account
    return { account: service, containerUrl: service + container, name: decodeURIComponent(name) }
  } catch {
    return undefined
  }
}

const REAL = /^()(\/[^/]+)(?:\/(.*))?$/
const EMULATED = /^(\/[^/]+)(\/[^/]+)(?:\/(.*))?$/
