import { type Kind, MARKS } from './event.ts'

/** What a path of Vault's API asks for, by what stands in it. */
export interface Asked {
  readonly path: string
  /** Where the engine or the login method is mounted: `secret/`, `auth/userpass/`. */
  readonly mount: string
  /** The account that a login names, or the method where it names none; undefined: this is no login. */
  readonly loginOf: string | undefined
  /** Of a path below a secrets engine, without the parts that KV version 2 puts between. Empty: it is none. */
  readonly secretName: string
  meaning(operation: string, namesVersion: boolean): Meaning
}

export interface Meaning {
  readonly kind: Kind
  readonly marks: number
}

type Row = readonly [path: RegExp, writes: Kind | undefined, marks?: number, deletes?: number]

/**
 * Paths outside secrets engines, first match wins (OpenBao website/content/api-docs). What reads there is of no interest;
 * `deletes`: marks of a delete in place of those of a write.
 */
const SYSTEM: readonly Row[] = [
  [/^sys\/(policy|policies\/[^/]+)\/./, 'policy'],
  [/^sys\/audit\/./, 'audit', 0, MARKS.lessAudit],
  [/^sys\/config\/auditing\//, 'audit'],
  [/^sys\/generate-root(\/|$)/, 'seal', MARKS.root],
  [/^sys\/(rekey|rekey-recovery-key|rotate|seal|unseal|step-down|init)(\/|$)/, 'seal'],
  [/^sys\/auth\/./, 'policy'],
  [/^sys\/mounts\/./, 'policy', 0, MARKS.unrecoverable],
  [/^sys\//, undefined],
  [/^auth\/token\/roles\/./, 'policy'],
  [/^auth\/token\/(create|renew|revoke)/, 'token'],
  [/^auth\/token\//, undefined],
  [/^auth\/.+\/(custom-)?secret-id(-accessor)?(\/|$)/, 'token'],
  [/^auth\/.+\/(role|roles|user|users|group|groups|map|config|certs|tidy)(\/|$)/, 'policy'],
  [/^auth\//, undefined],
  [/^identity\/(lookup\/|oidc\/introspect|oidc\/provider\/[^/]+\/(token|userinfo|authorize)$)/, undefined],
  [/^identity\//, 'policy'],
  [/^cubbyhole\//, undefined]
]

const LOGIN = /^(?:login(?:\/(.*))?|(?:oidc\/)?callback)$/s
/** Of a log that does not say where methods are mounted; `auth/approle/role/login` is a role of that name. */
const LOGIN_SOMEWHERE = /^(auth\/.+?)\/(?:login(?:\/(.*))?|(?:oidc\/)?callback)$/s
const NO_METHOD = /^auth\/.+\/(role|roles|user|users|group|groups|map|config|certs)$/s
const WRITES = ['create', 'update', 'patch']
const OTHER: Meaning = { kind: 'other', marks: 0 }

/** `mountPoint` and `engine` (`kv`, `database` …) are empty in older logs. */
export function askedOf(path: string, mountPoint = '', engine = ''): Asked {
  const told = mountIn(path, mountPoint)
  const login = loginIn(path, told)
  const mount = login ? `${login.method}/` : told || (/^auth\/[^/]+\/|^[^/]+\//.exec(path)?.[0] ?? '')
  const row = SYSTEM.find(([pattern]) => pattern.test(path))
  const known = new Map<string, Meaning>()
  const find = (operation: string, namesVersion: boolean): Meaning => {
    if (login) return operation === 'help' ? OTHER : { kind: 'login', marks: 0 }
    if (row) return systemMeaning(row, operation)
    return engineMeaning(path.slice(mount.length), engine, operation, namesVersion)
  }
  return {
    path,
    mount,
    loginOf: login?.account,
    secretName: row || login ? '' : nameBelow(path, mount),
    meaning: (operation, namesVersion) => kept(known, `${operation} ${namesVersion}`, () => find(operation, namesVersion))
  }
}

/** Where the log says that it is mounted. Before that stands the namespace, which the path does not have. Empty: it is not said. */
function mountIn(path: string, mountPoint: string): string {
  let mount = mountPoint
  while (mount !== '' && !path.startsWith(mount)) mount = mount.replace(/^[^/]*\/?/, '')
  return mount
}

function loginIn(path: string, told: string): { readonly method: string; readonly account: string } | undefined {
  if (!path.startsWith('auth/')) return undefined
  const [found, ...parts] = (told === '' ? LOGIN_SOMEWHERE.exec(path) : LOGIN.exec(path.slice(told.length))) ?? []
  const [method = '', account = method] = told === '' ? parts : [told.slice(0, -1), ...parts]
  return found === undefined || (told === '' && NO_METHOD.test(method)) ? undefined : { method, account }
}

function kept<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key)
  if (known !== undefined) return known
  const value = make()
  map.set(key, value)
  return value
}

function systemMeaning([, writes, marks = 0, deletes]: Row, operation: string): Meaning {
  if (writes === undefined) return OTHER
  if (operation === 'delete') return { kind: deletes === MARKS.unrecoverable ? 'delete' : writes, marks: deletes ?? marks }
  return WRITES.includes(operation) || operation === 'renew' || operation === 'revoke' ? { kind: writes, marks } : OTHER
}

const { unrecoverable, oldVersion } = MARKS

type EngineRow = readonly [path: RegExp, meaning: (operation: string, namesVersion: boolean) => Meaning]

/** Below the mount of KV version 2, first match wins. */
const KV: readonly EngineRow[] = [
  [/^metadata(\/|$)/, (o) => pick(o, { list: 'list', read: 'describe', delete: ['delete', unrecoverable], write: 'describe' })],
  [/^destroy\//, (o) => pick(o, { write: ['delete', unrecoverable] })],
  [/^delete\//, (o) => pick(o, { write: 'delete' })],
  [/^undelete\//, (o) => pick(o, { write: 'write' })],
  [/^data\//, (o, named) => pick(o, { read: ['read', named ? oldVersion : 0], write: 'write', delete: 'delete' })]
]
/** Below those of engines that make credentials. */
const MAKERS: readonly EngineRow[] = [
  [/^(static-)?creds\/|^(issue|sign|sign-verbatim|export|sts)\//, (o) => pick(o, { read: 'read', write: 'read' })],
  [/^rotate(-root|-role)?(\/|$)/, (o) => pick(o, { read: 'rotate', write: 'rotate' })],
  [/^(config|roles?|static-roles?)(\/|$)/, (o) => pick(o, { write: 'policy', delete: 'policy', list: 'list' })],
  [/^(encrypt|decrypt|sign|verify|hmac|datakey|random|hash|certs?|crl|ca|ocsp|code|tidy|acme)(\/|$)/, () => OTHER]
]
/** KV version 1, where names are anything, and the rest. */
const ANY: EngineRow = [/./s, (o) => pick(o, { read: 'read', list: 'list', write: 'write', delete: ['delete', unrecoverable] })]
const ROWS = [...KV, ...MAKERS, ANY]
const ROWS_OF_KV = [...KV, ANY]

const engineMeaning = (below: string, engine: string, operation: string, namesVersion: boolean): Meaning =>
  (engine === 'kv' ? ROWS_OF_KV : ROWS).find(([path]) => path.test(below))?.[1](operation, namesVersion) ?? OTHER

type Choice = Kind | readonly [Kind, number]

function pick(operation: string, choices: Readonly<Record<string, Choice>>): Meaning {
  const choice = choices[WRITES.includes(operation) ? 'write' : operation]
  if (choice === undefined || !Object.hasOwn(choices, WRITES.includes(operation) ? 'write' : operation)) return OTHER
  return typeof choice === 'string' ? { kind: choice, marks: 0 } : { kind: choice[0], marks: choice[1] }
}

/** `secret/data/app/db` and `secret/metadata/app/db` are the same secret, `secret/app/db`. */
const nameBelow = (path: string, mount: string): string =>
  `${mount}${path.slice(mount.length).replace(/^(?:data|metadata|destroy|delete|undelete|subkeys)\//, '')}`
