import { type Chance, chance } from './chance.ts'
import { DAY, HOUR } from './trail.ts'

/** A record of Key Vault as a diagnostic setting delivers it (key-vault/general/logging). */
export interface VaultRecord {
  readonly time: string
  readonly resourceId: string
  readonly operationName: string
  readonly correlationId: string
  readonly callerIpAddress: string
  readonly resultSignature?: string
  readonly identity: object
  readonly properties: {
    readonly id?: string
    readonly requestUri?: string
    readonly httpStatusCode?: number
    readonly subnetId?: string
  }
}

export interface VaultRecords {
  readonly since: number
  readonly until: number
  readonly records: readonly VaultRecord[]
}

const SINCE = Date.UTC(2026, 6, 9)
const HISTORY_DAYS = 49
const VAULTS = ['V1', 'v-two'].map((name) => `/SUBSCRIPTIONS/S1/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.KEYVAULT/VAULTS/${name}`)
const SECRETS = ['db', 'Key', 'api-1']

const SCHEMAS = 'http://schemas.microsoft.com/identity/claims'
const SOAP = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims'
const machine = '/subscriptions/s1/resourcegroups/rg/providers/Microsoft.Compute/virtualMachines/vm-1'
const assigned = '/subscriptions/s1/resourcegroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-1'

/** Claims of one caller of each kind (entra/identity-platform/access-token-claims-reference). */
const WORKLOADS: readonly object[] = [
  { oid: 'o-app', appid: 'a-app', idtyp: 'app' },
  { oid: 'o-vm', appid: 'a-vm', idtyp: 'app', xms_mirid: machine },
  { oid: 'o-id', appid: 'a-id', idtyp: 'app', xms_mirid: assigned },
  { appid: 'a-only' },
  { oid: 'o-plain' }
]
const PEOPLE: readonly object[] = [
  { oid: 'o-alice', upn: 'alice@example.com', scp: 'user_impersonation', appid: 'a-cli' },
  { oid: 'o-bob', unique_name: ' bob@example.com ', appid: 'a-cli' },
  { oid: 'o-carol', scp: 'user_impersonation', name: 'Carol' },
  { upn: 'dave@example.com' },
  { [`${SCHEMAS}/objectidentifier`]: 'o-erin', [`${SOAP}/upn`]: 'erin@example.com', [`${SCHEMAS}/scope`]: 'x' }
]

interface Call {
  readonly operation: string
  readonly vault: string
  readonly secret: string
  readonly status: number
  readonly address: string
  readonly more: Partial<VaultRecord>
  readonly lives: number
}

type Add = (at: number, claims: object, call?: Partial<Call>) => void

interface Moments {
  readonly by: Chance
  readonly add: Add
  readonly first: number
  readonly until: number
}

const SIGNATURES: Readonly<Record<number, string>> = {
  200: 'OK',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict'
}

/** Seven weeks and a day of two vaults, by chance. */
export function vaultRecords(seed: number): VaultRecords {
  const by = chance(seed)
  const records: { readonly at: number; readonly record: VaultRecord }[] = []
  const add: Add = (
    given,
    claims,
    {
      operation = 'SecretGet',
      vault = VAULTS[0] ?? '',
      secret = 'db',
      status = 200,
      address = '203.0.113.9',
      more = {},
      lives = 3_900
    } = {}
  ) => {
    const at = Math.floor(given)
    // Of one hour: a token that is used in two runs counts in both.
    const iat = Math.floor(at / HOUR) * 3_600
    const url = `https://v1.vault.azure.net/secrets/${secret}`
    const record: VaultRecord = {
      time: new Date(at).toISOString(),
      category: 'AuditEvent',
      resourceId: vault,
      operationName: operation,
      correlationId: `${seed}-${records.length}`,
      callerIpAddress: address,
      resultType: 'Success',
      resultSignature: SIGNATURES[status] ?? 'Bad Request',
      identity: { claim: { ...claims, iat: String(iat), exp: String(iat + lives) } },
      properties: { requestUri: `${url}?api-version=7.4`, ...(status === 200 && { id: `${url}/0123` }), httpStatusCode: status },
      ...more
    } as VaultRecord
    records.push({ at, record })
  }
  const moments = { by, add, first: SINCE - HISTORY_DAYS * DAY, until: SINCE + DAY }
  for (const part of [ordinary, people, refusals, logins, tokens, strange, moves]) part(moments)
  return { since: SINCE, until: SINCE + DAY, records: records.toSorted((a, b) => a.at - b.at).map(({ record }) => record) }
}

function ordinary({ by, add, first, until }: Moments): void {
  for (let hour = first; hour < until; hour += HOUR)
    WORKLOADS.forEach((claims, at) => {
      const isWork = (Math.floor(hour / DAY) + 3) % 7 < 5
      const isSpike = by.next() < 0.004 || (hour >= SINCE && by.next() < 0.1)
      const mean = isSpike ? 25 : isWork ? 0.2 + at / 4 : 0.1
      for (let count = by.around(mean); count > 0; count--)
        add(hour + by.below(HOUR), claims, { secret: SECRETS[at % 3] ?? '', vault: VAULTS[at % 2] ?? '' })
    })
}

function people({ by, add, first, until }: Moments): void {
  const act = (at: number, claims: object): void => {
    const operation = by.pick([
      'SecretGet',
      'SecretSet',
      'SecretList',
      'SecretDelete',
      'SecretBackup',
      'SecretUpdate',
      'VaultGet'
    ])
    add(at, claims, { operation, secret: by.pick(SECRETS) })
  }
  for (let day = first; day < until; day += DAY)
    for (const claims of PEOPLE) {
      for (let count = by.around(2); count > 0; count--) act(day + (12 + by.below(9)) * HOUR + by.below(HOUR), claims)
      if (by.next() < 0.2) act(day + by.below(DAY), claims)
    }
  // In three of the five weeks before, and in two.
  for (const week of [0, 1, 3, 5]) act(SINCE + 3 * HOUR + by.below(HOUR) - week * 7 * DAY, PEOPLE[0] ?? {})
  for (const week of [0, 2, 4]) act(SINCE + 4 * HOUR + by.below(HOUR) - week * 7 * DAY, PEOPLE[1] ?? {})
}

function refusals({ by, add, first, until }: Moments): void {
  for (let count = 0; count < 300; count++) {
    const at = by.pick([until - 1 - by.below(DAY), first + by.below(until - first)])
    const status = by.pick([403, 403, 404, 409, 400])
    const operation = by.pick(['SecretGet', 'SecretList', 'KeySign', 'SecretRestore', 'VaultDelete', 'SecretPurge'])
    // The name of the status is all that some records have.
    const more = by.next() < 0.3 ? { properties: { requestUri: 'https://v1.vault.azure.net/deletedsecrets/Old?x' } } : {}
    add(at, by.pick([...WORKLOADS, ...PEOPLE, {}]), { operation, status, secret: by.pick(SECRETS), vault: by.pick(VAULTS), more })
  }
}

function logins({ by, add, first, until }: Moments): void {
  for (let burst = 0; burst < 60; burst++) {
    const isLong = burst % 3 === 2
    const address = isLong ? `2001:db8:${burst % 4}::1` : `198.51.100.${burst - (burst % 3)}`
    const at = by.pick([until - HOUR - by.below(DAY - HOUR), first + by.below(until - first - HOUR)])
    const spread = isLong ? 2_400_000 : by.pick([60_000, 300_000, 590_000])
    for (let count = 2 + by.below(9); count > 0; count--)
      add(at + by.below(spread), by.pick([...WORKLOADS, {}]), {
        status: 401,
        address,
        operation: by.pick(['SecretGet', 'KeySign'])
      })
    if (by.next() < 0.5) add(at + by.below(spread), by.pick(PEOPLE), { address, operation: 'Authentication' })
  }
}

function tokens({ by, add, first, until }: Moments): void {
  for (let count = 0; count < 40; count++)
    add(first + by.below(until - first), by.pick(WORKLOADS), {
      lives: by.pick([3_600, 86_400, 86_401, 200_000]),
      vault: by.pick(VAULTS)
    })
  for (let count = 0; count < 12; count++)
    add(until - 1 - by.below(DAY), by.pick([...WORKLOADS, ...PEOPLE]), {
      lives: by.pick([0, -5, 90_000, 400_000]),
      vault: by.pick(VAULTS)
    })
}

/** What is no event, what is delivered twice, and what Key Vault publishes by itself. */
function strange({ by, add, first, until }: Moments): void {
  const at = (): number => by.pick([SINCE + by.below(DAY), first + by.below(until - first)])
  for (let count = 0; count < 60; count++) {
    add(at(), {}, { operation: 'Authentication', status: 401 })
    add(at(), by.pick(PEOPLE), { operation: 'KeySign' })
    add(at(), { appid: '509e4652-da8d-478d-a730-e9d4a1996ca4' }, { operation: 'VaultGet' })
    add(at(), {}, { operation: 'SecretNearExpiryEventGridNotification' })
    add(at(), {}, { operation: 'VaultAccessPolicyChangedEventGridNotification', more: { properties: {} } })
    add(at(), by.pick(PEOPLE), {
      operation: 'SecretSet',
      more: { properties: { id: 'https://v1.vault.azure.net/secrets/MADE/1', httpStatusCode: 201 } }
    })
  }
  // A client that asks for nothing but where to get a token.
  for (let count = 0; count < 10; count++)
    add(SINCE + HOUR + count, {}, { operation: 'Authentication', status: 401, address: '192.0.2.50' })
  // So many on each of fifteen days that they would be what is usual, were they counted.
  for (let day = 14; day >= 0; day--)
    for (let count = 60 + by.below(9); count > 0; count--)
      add(SINCE - day * DAY + 10 * HOUR + by.below(HOUR), by.pick(WORKLOADS), { secret: 'api-1' })
  for (let count = 0; count < 20; count++) {
    const [when, claims] = [at(), by.pick(WORKLOADS)]
    for (let copy = by.below(3); copy >= 0; copy--)
      add(when, claims, { secret: 'twice', more: { correlationId: `twice-${count}` } })
  }
  add(SINCE - 1, PEOPLE[0] ?? {}, { secret: 'twice' })
  add(until, PEOPLE[0] ?? {}, { secret: 'twice' })
}

function moves({ by, add }: Moments): void {
  const places = ['192.0.2.9', '2001:db8:00a0:1::5', '2001:0DB8:7::', '2001:db8::9', '::ffff:192.0.2.77', 'unknown', '']
  const late = { oid: 'o-late', idtyp: 'app' }
  for (let day = 8; day > 0; day--) add(SINCE - day * DAY + by.below(DAY), late)
  for (const claims of [...WORKLOADS, ...PEOPLE, {}, late])
    for (const address of places) if (by.next() < 0.4) add(SINCE + by.below(DAY), claims, { address })
  const properties = {
    httpStatusCode: 200,
    requestUri: 'https://v1.vault.azure.net/secrets/db',
    subnetId: '/Subscriptions/S1/subnets/A'
  }
  add(SINCE + HOUR, late, { more: { properties } })
}
