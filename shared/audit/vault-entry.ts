import { timeOf } from './clock.ts'
import { type AuditEvent, type Identity, MARKS, type Outcome, type SecretRef } from './event.ts'
import { type Interner, interner, plainText, plainTextOf } from './interner.ts'
import { afterSpace, fieldScanner } from './json-fields.ts'
import type { References } from './references.ts'
import { triedIdentity, vaultIdentity } from './vault-identity.ts'
import { type Asked, askedOf } from './vault-paths.ts'

const PATHS = [
  'time',
  'error',
  'auth.display_name',
  'auth.entity_id',
  'auth.policies',
  'auth.accessor',
  'auth.token_issue_time',
  'auth.policy_results.allowed',
  'request.id',
  'request.client_id',
  'request.operation',
  'request.mount_point',
  'request.mount_type',
  'request.mount_running_version',
  'request.namespace.path',
  'request.path',
  'request.remote_address',
  'request.data.version',
  'request.data.policy',
  'response.auth.display_name',
  'response.auth.entity_id',
  'response.auth.policies',
  'response.auth.accessor',
  'response.auth.token_ttl',
  'response.data.error'
] as const
type Path = (typeof PATHS)[number]

export interface VaultEntry {
  /** False: it is no entry, is cut off, or something else follows it. */
  scan(bytes: Uint8Array, from: number, to: number): boolean
  /** Of what was scanned last; empty: it has none. */
  id(bytes: Uint8Array): string
  /** Undefined: a login that nothing answered. */
  event(bytes: Uint8Array, id: string, isAnswered: boolean): AuditEvent | undefined
}

/** One entry: what it asked for, who asked, and how it ended. */
export function vaultEntry(refs: References): VaultEntry {
  const { scan, starts, ends } = fieldScanner(PATHS)
  const slots = new Map<Path, number>(PATHS.map((path, slot) => [path, slot]))
  const [TIME, ID] = [slots.get('time') ?? 0, slots.get('request.id') ?? 0]
  const texts = interner(plainText)
  const asked = interner((json) => placeOf(plainText(json)), MANY)
  const rootIn = interner((json) => json.includes('"root"'))

  const field = (path: Path) => {
    const slot = slots.get(path) ?? 0
    return {
      isThere: () => (starts[slot] as number) >= 0,
      text: (bytes: Uint8Array) =>
        (starts[slot] as number) < 0 ? '' : texts(bytes, starts[slot] as number, ends[slot] as number),
      of: <T>(kept: Interner<T>, bytes: Uint8Array): T | undefined =>
        (starts[slot] as number) < 0 ? undefined : kept(bytes, starts[slot] as number, ends[slot] as number)
    }
  }
  const f = Object.fromEntries(PATHS.map((path) => [path, field(path)])) as Record<Path, ReturnType<typeof field>>

  /** Members that came with, or after, the lives of tokens. */
  const tellsLife = (): boolean => f['auth.token_issue_time'].isThere() || f['request.mount_running_version'].isThere()

  let now: Uint8Array = new Uint8Array()
  const whoIn = (block: 'auth' | 'response.auth') => {
    const name = f[`${block}.display_name`]
    const policies = f[`${block}.policies`]
    const who = { name: () => name.text(now), isRoot: () => policies.of(rootIn, now) === true }
    const by = (kind: 'entity' | 'client' | 'accessor' | 'name') =>
      interner((json) => vaultIdentity(refs, kind, plainText(json), who), kind === 'name' ? undefined : MANY)
    const found: readonly (readonly [ReturnType<typeof field>, Interner<Identity>])[] = [
      [f[`${block}.entity_id`], by('entity')],
      ...(block === 'auth' ? [[f['request.client_id'], by('client')] as const] : []),
      [f[`${block}.accessor`], by('accessor')],
      [name, by('name')]
    ]
    return (bytes: Uint8Array): Identity => {
      now = bytes
      for (const [place, identities] of found) if (place.isThere()) return place.of(identities, bytes) as Identity
      return vaultIdentity(refs, 'name', '', who)
    }
  }
  const [caller, loggedIn] = [whoIn('auth'), whoIn('response.auth')]

  return {
    scan: (bytes, from, to) => {
      const end = scan(bytes, from, to)
      return end >= 0 && afterSpace(bytes, end, to) === to
    },
    id: (bytes) => plainTextOf(bytes, starts[ID] as number, ends[ID] as number),
    event: (bytes, id, isAnswered) => {
      const place = f['request.path'].of(asked, bytes) ?? placeOf('')
      const account = f['request.namespace.path'].text(bytes) || 'root'
      settle(refs, place, account, f['request.mount_point'].text(bytes), f['request.mount_type'].text(bytes))
      const { what } = place
      const operation = f['request.operation'].text(bytes)
      const { kind, marks } = what.meaning(operation, f['request.data.version'].isThere())
      const isLogin = kind === 'login'
      if (isLogin && !isAnswered) return undefined
      const isGiven = f['response.auth.accessor'].isThere() || f['response.auth.policies'].isThere()
      const isNobody = !f['auth.accessor'].isThere() && !f['auth.display_name'].isThere() && !f['auth.entity_id'].isThere()
      const error = f.error.text(bytes) || (isLogin && f['response.data.error'].isThere() ? LOGIN_FAILED : '')
      const outcome = outcomeOf(error, f['auth.policy_results.allowed'].text(bytes) === 'false', isNobody, isLogin)
      const isFailedLogin = isLogin && outcome !== 'done'
      const identity = isFailedLogin
        ? triedIdentity(refs, what.mount, what.loginOf ?? '')
        : isLogin
          ? loggedIn(bytes)
          : caller(bytes)
      const isOfPolicy = kind === 'policy' || kind === 'audit'
      const isRoot = identity.isRoot || (isGiven && f['response.auth.policies'].of(rootIn, bytes) === true)
      return {
        id,
        at: timeOf(bytes, starts[TIME] as number, ends[TIME] as number),
        store: 'vault',
        account,
        kind,
        operation,
        outcome,
        identity,
        address: f['request.remote_address'].text(bytes),
        network: '',
        secret: isOfPolicy ? undefined : place.secret,
        marks: isRoot ? marks | MARKS.root : marks,
        ttlSeconds: isGiven && outcome === 'done' ? ttlOf(f['response.auth.token_ttl'].text(bytes), tellsLife()) : Number.NaN,
        issuer: isGiven || isLogin ? what.mount : '',
        // A device that is enabled writes a test entry, which nobody asked for.
        policy: isOfPolicy && !isNobody ? what.path : '',
        policyHash: kind === 'policy' ? f['request.data.policy'].text(bytes) : '',
        likeness: undefined
      }
    }
  }
}

/** Of what is told apart: paths, and who asks. */
const MANY = 1 << 15

/** A path, and what it is where it was seen last: the same one may be mounted otherwise in another namespace. */
interface Place {
  readonly path: string
  what: Asked
  account: string
  mountPoint: string
  engine: string
  secret: SecretRef | undefined
}

const placeOf = (path: string): Place => ({
  ...{ path, what: askedOf(path), account: '', mountPoint: '', engine: '', secret: undefined }
})

function settle(refs: References, place: Place, account: string, mountPoint: string, engine: string): void {
  if (place.account === account && place.mountPoint === mountPoint && place.engine === engine) return
  const what = askedOf(place.path, mountPoint, engine)
  const { secretName, mount } = what
  const secret = secretName === '' ? undefined : refs.secret('vault', account, secretName, mount)
  Object.assign(place, { what, account, mountPoint, engine, secret })
}

const LOGIN_FAILED = 'login failed'

/**
 * Vault's log has no code for how a call ended: `error` is a text, and "permission denied" in it (logical.ErrPermissionDenied)
 * is what both a policy and a token that is none end with; then `auth` tells whether anybody was known.
 */
function outcomeOf(error: string, isRefused: boolean, isNobody: boolean, isLogin: boolean): Outcome {
  if (error === '') return 'done'
  if (isLogin) return 'unauthenticated'
  if (isRefused || error.includes('permission denied')) return isNobody ? 'unauthenticated' : 'denied'
  return /no handler for route|unsupported path/.test(error) ? 'absent' : 'failed'
}

/** A life of 0 is left out of the log and means never; lives are missing altogether before Vault 1.5, which tells nothing. */
const ttlOf = (ttl: string, tellsLives: boolean): number =>
  ttl !== '' && Number(ttl) > 0 ? Number(ttl) : tellsLives ? Number.POSITIVE_INFINITY : Number.NaN
