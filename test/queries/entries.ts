import { type Chance, chance } from './chance.ts'
import { DAY, HOUR } from './trail.ts'

/** A LogEntry of Cloud Audit Logs as it lies in a log. */
export interface Entry {
  readonly insertId: string
  readonly timestamp: string
  readonly logName: string
  readonly [member: string]: unknown
}

export interface Entries {
  readonly since: number
  readonly until: number
  /** In the order of time. */
  readonly records: readonly Entry[]
}

const SINCE = Date.UTC(2026, 6, 9)
const HISTORY_DAYS = 49
const SECRETS = [
  'projects/12/secrets/db',
  'projects/12/secrets/key/versions/3',
  'projects/12/locations/europe-west1/secrets/db/versions/latest',
  'projects/12/secrets/twice'
]

const account = (name: string) => ({ principalEmail: `${name}@my-project.iam.gserviceaccount.com` })
const through = (...people: readonly object[]) => ({
  ...account('deploy'),
  serviceAccountDelegationInfo: [{ firstPartyPrincipal: account('middle') }, ...people]
})

/** Whom a log names, one of each kind (AuditLog reference, "AuthenticationInfo"). */
const WORKLOADS = [
  account('app'),
  { principalSubject: 'serviceAccount:other@my-project.iam.gserviceaccount.com' },
  { principalEmail: '12-compute@developer.gserviceaccount.com' },
  { principalSubject: 'principal://iam.googleapis.com/projects/12/locations/global/workloadIdentityPools/pool/subject/ci' },
  { ...account('deploy'), serviceAccountDelegationInfo: [{ firstPartyPrincipal: account('middle') }] }
]
const PEOPLE = [
  { principalEmail: 'alice@example.com' },
  { principalSubject: 'user:bob@example.com' },
  { principalSubject: 'principal://iam.googleapis.com/locations/global/workforcePools/pool/subject/carol' },
  through({ firstPartyPrincipal: { principalEmail: 'alice@example.com' } }),
  through({ principalSubject: 'user:dave@example.com' }, { firstPartyPrincipal: { principalEmail: 'erin@example.com' } })
]
const OTHERS = [
  {},
  { principalEmail: 'service-12@gcp-sa-secretmanager.iam.gserviceaccount.com' },
  { principalSubject: 'somebody' }
]

type Add = (at: number, who: object, api: string, method: string, more?: Partial<Parts>) => void

interface Parts {
  readonly resourceName: string
  readonly callerIp: string
  readonly callerNetwork: string
  readonly request: object
  readonly code: number
  readonly granted: boolean
  readonly entry: object
}

interface Moments {
  readonly by: Chance
  readonly add: Add
  readonly first: number
  readonly until: number
}

/** Seven weeks and a day of a project's audit logs, by chance. What they are like in time is as in trail.ts; how they look is Google's. */
export function entries(seed: number): Entries {
  const by = chance(seed)
  const made: { readonly at: number; readonly record: Entry }[] = []
  const add: Add = (given, who, api, method, { entry = {}, ...parts } = {}) => {
    const at = Math.floor(given)
    const name = by.pick(['activity', 'data_access'])
    const record = {
      insertId: `${seed}-${made.length}`,
      logName: `projects/my-project/logs/cloudaudit.googleapis.com%2F${name}`,
      timestamp: new Date(at).toISOString(),
      resource: { type: 'audited_resource', labels: { project_id: 'my-project', service: api, method } },
      protoPayload: payloadOf(who, `${api}.googleapis.com`, method, parts),
      ...entry
    }
    made.push({ at, record })
  }
  const moments = { by, add, first: SINCE - HISTORY_DAYS * DAY, until: SINCE + DAY }
  for (const part of [ordinary, people, refusals, logins, tokens, strange, moves]) part(moments)
  return { since: SINCE, until: SINCE + DAY, records: made.toSorted((a, b) => a.at - b.at).map(({ record }) => record) }
}

const payloadOf = (who: object, serviceName: string, methodName: string, parts: Partial<Omit<Parts, 'entry'>>): object => ({
  '@type': 'type.googleapis.com/google.cloud.audit.AuditLog',
  serviceName,
  methodName,
  resourceName: parts.resourceName ?? 'projects/12',
  authenticationInfo: who,
  // proto3 leaves out what is false.
  authorizationInfo: [{ permission: 'a.b.c', ...((parts.granted ?? parts.code !== 7) && { granted: true }) }],
  requestMetadata: {
    callerIp: parts.callerIp ?? '203.0.113.9',
    ...(parts.callerNetwork && { callerNetwork: parts.callerNetwork })
  },
  ...(parts.request && { request: parts.request }),
  ...(parts.code !== undefined && { status: { code: parts.code, message: 'said to people' } })
})

const SECRETS_API = 'google.cloud.secretmanager.v1.SecretManagerService'
const read = (add: Add, at: number, who: object, more: Partial<Parts>): void =>
  add(at, who, 'secretmanager', `${SECRETS_API}.AccessSecretVersion`, more)

/** Programs by the hour, with hours that are too many. */
function ordinary({ by, add, first, until }: Moments): void {
  for (let hour = first; hour < until; hour += HOUR)
    WORKLOADS.forEach((who, at) => {
      const isWork = (Math.floor(hour / DAY) + 3) % 7 < 5 && new Date(hour).getUTCHours() > 6
      const isSpike = by.next() < 0.004 || (hour >= SINCE && by.next() < 0.1)
      const mean = isSpike ? 25 : isWork ? 0.2 + at / 3 : 0.1
      for (let count = by.around(mean); count > 0; count--)
        read(add, hour + by.below(HOUR), who, { resourceName: SECRETS[at % 3] ?? '' })
    })
}

function people({ by, add, first, until }: Moments): void {
  const methods = ['AccessSecretVersion', 'GetSecret', 'AddSecretVersion', 'ListSecrets', 'DestroySecretVersion', 'SetIamPolicy']
  const act = (at: number, who: object): void =>
    add(at, who, 'secretmanager', `${SECRETS_API}.${by.pick(methods)}`, { resourceName: by.pick(SECRETS) })
  for (let day = first; day < until; day += DAY)
    for (const who of PEOPLE) {
      for (let count = by.around(2); count > 0; count--) act(day + (8 + by.below(9)) * HOUR + by.below(HOUR), who)
      if (by.next() < 0.2) act(day + by.below(DAY), who)
    }
  for (let week = 0; week <= 6; week++) act(SINCE + 22 * HOUR + by.below(HOUR) - week * 7 * DAY, PEOPLE[0] ?? {})
}

function refusals({ by, add, first, until }: Moments): void {
  for (let count = 0; count < 300; count++) {
    const at = by.pick([until - 1 - by.below(DAY), first + by.below(until - first)])
    const code = by.pick([7, 7, 7, 5, 3, 16])
    const more = { code, resourceName: by.pick([...SECRETS, 'projects/12']), ...(by.next() < 0.1 && { granted: false }) }
    add(
      at,
      by.pick([...WORKLOADS, ...PEOPLE, ...OTHERS]),
      'secretmanager',
      by.pick([`${SECRETS_API}.AccessSecretVersion`, 'SetIamPolicy']),
      more
    )
    if (count % 9 === 0) read(add, at, by.pick(WORKLOADS), { granted: false, resourceName: by.pick(SECRETS) })
  }
}

function logins({ by, add, first, until }: Moments): void {
  for (let burst = 0; burst < 60; burst++) {
    const isLong = burst % 3 === 2
    const callerIp = isLong ? `2001:db8:${burst % 4}::1` : `198.51.100.${burst - (burst % 3)}`
    const at = by.pick([until - HOUR - by.below(DAY - HOUR), first + by.below(until - first - HOUR)])
    const spread = isLong ? 2_400_000 : by.pick([60_000, 300_000, 590_000])
    const tried = (isTaken: boolean): void => {
      const method = `google.login.LoginService.login${isTaken ? 'Success' : 'Failure'}`
      if (by.next() < 0.5) add(at + by.below(spread), by.pick(PEOPLE), 'login', method, { callerIp })
      else
        add(at + by.below(spread), by.pick(OTHERS), 'sts', 'google.identity.sts.v1.SecurityTokenService.ExchangeToken', {
          callerIp,
          ...(!isTaken && { code: 3 })
        })
    }
    for (let count = 2 + by.below(9); count > 0; count--) tried(false)
    if (by.next() < 0.5) tried(true)
  }
}

function tokens({ by, add, first, until }: Moments): void {
  const give = (at: number, who: object, lifetime: unknown, more: object = {}): void =>
    add(at, who, 'iamcredentials', 'GenerateAccessToken', {
      request: { name: 'x', ...(lifetime !== undefined && { lifetime }) },
      ...more
    })
  for (let count = 0; count < 120; count++)
    give(first + by.below(until - first), by.pick(WORKLOADS), by.pick([undefined, '600s', '3600s', '4000.5s']))
  for (let count = 0; count < 20; count++)
    give(until - 1 - by.below(DAY), by.pick(WORKLOADS), by.pick(['3600s', '3601s', '43200s', '7200s', 'x']))
  give(until - HOUR, OTHERS[2] ?? {}, '43200s', { code: 7 })
  for (let count = 0; count < 8; count++)
    add(
      until - 1 - by.below(DAY),
      by.pick(PEOPLE),
      'iam',
      by.pick(['google.iam.admin.v1.CreateServiceAccountKey', 'google.iam.admin.v1.DeleteServiceAccountKey'])
    )
}

/** Twice, started and ended, of other services, of a folder, made by a parent and an id. */
function strange({ by, add, first, until }: Moments): void {
  const at = (): number => by.pick([SINCE + by.below(DAY), first + by.below(until - first)])
  for (let count = 0; count < 60; count++) {
    add(at(), by.pick(PEOPLE), 'secretmanager', `${SECRETS_API}.CreateSecret`, {
      request: { parent: by.pick(['projects/12', '']), secretId: `made-${count % 3}` }
    })
    add(at(), by.pick(OTHERS), 'logging', 'google.logging.v2.ConfigServiceV2.UpdateSink')
    add(at(), by.pick(PEOPLE), 'storage', 'storage.objects.get')
    add(at(), by.pick(PEOPLE), 'iam', 'google.iam.admin.v1.CreateRole', {
      entry: {
        operation: by.pick([
          { id: 'a', first: true },
          { id: 'a', last: true },
          { id: 'a', first: true, last: true }
        ])
      }
    })
    const folder = {
      resource: { type: 'audited_resource', labels: {} },
      logName: 'folders/77/logs/cloudaudit.googleapis.com%2Factivity'
    }
    add(at(), by.pick(PEOPLE), 'secretmanager', 'SetIamPolicy', { entry: folder, resourceName: 'projects/12/secrets/db' })
  }
  for (let count = 0; count < 20; count++) {
    const [when, who] = [at(), by.pick(WORKLOADS)]
    const entry = { insertId: `twice-${count}`, logName: 'projects/my-project/logs/cloudaudit.googleapis.com%2Fdata_access' }
    for (let copy = by.below(3); copy >= 0; copy--) read(add, when, who, { resourceName: 'projects/12/secrets/twice', entry })
  }
  read(add, SINCE - 1, PEOPLE[0] ?? {}, { resourceName: 'projects/12/secrets/twice' })
  read(add, until, PEOPLE[0] ?? {}, { resourceName: 'projects/12/secrets/twice' })
}

function moves({ by, add }: Moments): void {
  const places = [
    '192.0.2.9',
    '2001:db8:00a0:1::5',
    '2001:0DB8:7::',
    '2001:db8::9',
    '::ffff:192.0.2.77',
    'private',
    'gce-internal-ip'
  ]
  const late = account('late')
  for (let day = 8; day > 0; day--) read(add, SINCE - day * DAY + by.below(DAY), late, { resourceName: SECRETS[0] ?? '' })
  for (const who of [...WORKLOADS, ...PEOPLE, ...OTHERS, late])
    for (const callerIp of places)
      if (by.next() < 0.4) read(add, SINCE + by.below(DAY), who, { callerIp, resourceName: SECRETS[0] ?? '' })
  read(add, SINCE + HOUR, late, {
    callerIp: 'private',
    callerNetwork: '//compute.googleapis.com/projects/x/global/networks/__unknown__'
  })
}
