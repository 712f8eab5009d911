import type { KeyCalls } from './keys.ts'
import type { StoreCalls } from './stores.ts'

/** The figures of one function, and of what it is compared with. All times in milliseconds. */
export interface Figures {
  readonly store: string
  readonly database: string
  readonly node: string
  readonly storeCalls: number
  readonly storeCallsCold: number
  readonly logins: number
  readonly failedLogins: number
  readonly wallMs: number
  readonly plainWallMs: number
  readonly coldMs: number
  readonly emptyMs: number
  readonly plainColdMs: number
  readonly rssBytes: number
  readonly plainRssBytes: number
  readonly bundleBytes: number
  readonly indexBytes: number
  readonly rotationsUnderLoad: number
  readonly clients: number
  readonly clientLogins: number
  readonly clientErrors: number
  readonly firstClientError: string | null
  readonly plain: { readonly storeCalls: number; readonly logins: number; readonly failedLogins: number }
  /** Absent where moto is not installed. */
  readonly moto?: {
    readonly store: string
    readonly storeCalls: number
    readonly storeCallsCold: number
    readonly logins: number
    readonly failedLogins: number
    readonly wallMs: number
    readonly plainWallMs: number
  }
}

/** The figures of a function on another cloud. */
export interface CloudFigures extends StoreCalls {
  readonly importMs: number
  readonly emptyImportMs: number
  readonly bundleBytes: number
  readonly indexBytes: number
}

/** The figures of a function that rotates keys. */
export interface KeyFigures extends KeyCalls {
  readonly importMs: number
  readonly emptyImportMs: number
  readonly bundleBytes: number
  readonly indexBytes: number
}

export interface Line {
  readonly figure: string
  readonly value: string
  readonly target: string
  readonly met: boolean
  readonly plain: string
  readonly store: string
}

const MIB = 2 ** 20
const ms = (value: number): string => `${value.toFixed(1)} ms`
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(1)} MiB`
const most = (figure: string, value: number, target: number, plain: number | undefined, store: string): Line => ({
  figure,
  value: String(value),
  target: target === 0 ? '0' : `≤ ${target}`,
  met: value <= target,
  plain: plain === undefined ? '' : String(plain),
  store
})

/** Each figure beside its target. */
export function lines(f: Figures): readonly Line[] {
  const [cold, plainCold] = [f.coldMs - f.emptyMs, f.plainColdMs - f.emptyMs]
  const own = f.store
  return [
    most('store calls, warm', f.storeCalls, 8, f.plain.storeCalls, own),
    most('store calls, each step cold', f.storeCallsCold, 9, undefined, own),
    most('logins', f.logins, 3, f.plain.logins, own),
    most('failed logins', f.failedLogins, 0, f.plain.failedLogins, own),
    wall(f.wallMs, f.plainWallMs, own),
    {
      ...{ figure: `cold start over an empty handler’s ${ms(f.emptyMs)}`, store: own },
      ...{ value: ms(cold), target: '≤ 50 ms', met: cold <= 50, plain: ms(plainCold) }
    },
    {
      ...{ figure: 'peak RSS of one rotation', store: own },
      ...{ value: mib(f.rssBytes), target: '≤ 80 MiB', met: f.rssBytes <= 80 * MIB, plain: mib(f.plainRssBytes) }
    },
    {
      ...{ figure: 'bundle', value: `${(f.bundleBytes / 1e6).toFixed(2)} MB`, target: '≤ 1.2 MB', met: f.bundleBytes <= 1.2e6 },
      ...{ plain: '', store: '' }
    },
    most(`client errors in ${f.rotationsUnderLoad} rotations under ${f.clients} clients`, f.clientErrors, 0, undefined, own),
    ...motoLines(f)
  ]
}

/** The most calls of a rotation that each store may be asked. */
export const MOST_CALLS = { azure: 10, gcp: 12, vault: 8 } as const

export function cloudLines(f: CloudFigures, calls: number): readonly Line[] {
  const over = f.importMs - f.emptyImportMs
  const [mb, blank] = [`${(f.bundleBytes / 1e6).toFixed(2)} MB`, { plain: '', store: '' }]
  return [
    ...storeLines(f, calls),
    {
      ...{ figure: `cold import over an empty handler’s ${ms(f.emptyImportMs)}`, value: ms(over), target: '≤ 60 ms' },
      ...{ met: over <= 60, ...blank }
    },
    { figure: 'bundle', value: mb, target: '≤ 1.0 MB', met: f.bundleBytes <= 1e6, ...blank }
  ]
}

export function keyLines(f: KeyFigures): readonly Line[] {
  const over = f.importMs - f.emptyImportMs
  const blank = { plain: '', store: '' }
  const cold = { ...most('store calls, nothing known yet', f.storeCallsCold, 8, undefined, f.store), target: '', met: true }
  return [
    most('store calls of a rotation', f.storeCalls, 8, undefined, f.store),
    cold,
    most('provider calls of a rotation', f.providerCalls, 5, undefined, f.provider),
    {
      ...{ figure: `cold import over an empty handler’s ${ms(f.emptyImportMs)}`, value: ms(over), target: '≤ 50 ms' },
      ...{ met: over <= 50, ...blank }
    },
    {
      ...{ figure: 'bundle', value: `${(f.bundleBytes / 1e6).toFixed(2)} MB`, target: '≤ 1.0 MB' },
      ...{ met: f.bundleBytes <= 1e6, ...blank }
    }
  ]
}

export function storeLines(f: StoreCalls, calls: number): readonly Line[] {
  const cold = { ...most('store calls, new process', f.storeCallsCold, calls, undefined, f.store), target: '', met: true }
  const lease = { ...most('calls of the lease', f.otherCalls, 0, undefined, 'Blob Storage'), target: '', met: true }
  const beside = f.otherCalls > 0 ? [lease] : []
  return [most('store calls of a rotation', f.storeCalls, calls, undefined, f.store), cold, ...beside]
}

const wall = (value: number, plain: number, store: string): Line => ({
  ...{ figure: 'one rotation, warm', value: ms(value), target: '≤ plain handler' },
  ...{ met: value <= plain, plain: ms(plain), store }
})

function motoLines({ moto, plain }: Figures): readonly Line[] {
  if (!moto) return []
  return [
    most('store calls, warm', moto.storeCalls, 8, plain.storeCalls, moto.store),
    most('store calls, each step cold', moto.storeCallsCold, 9, undefined, moto.store),
    most('logins', moto.logins, 3, plain.logins, moto.store),
    most('failed logins', moto.failedLogins, 0, plain.failedLogins, moto.store),
    wall(moto.wallMs, moto.plainWallMs, moto.store)
  ]
}
