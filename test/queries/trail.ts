import { type Chance, chance } from './chance.ts'
import { type Caller, callers, SECRETS } from './trail-callers.ts'

/** A record of CloudTrail as it lies in a log. */
export type TrailRecord = Readonly<Record<string, unknown>> & { readonly eventID: string; readonly eventTime: string }

export interface Trail {
  readonly since: number
  readonly until: number
  /** In the order of time. */
  readonly records: readonly TrailRecord[]
}

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
/** A Thursday's beginning. */
const SINCE = Date.UTC(2026, 6, 9)
const HISTORY_DAYS = 49

/** Adds a record: `at` in milliseconds, its whole second counts. */
export type Add = (at: number, caller: Caller, api: string, name: string, more?: object) => void

/** Seven weeks and a day of an account's trail, by chance: every way that a record may look is in it, and every threshold is met from both sides. */
export function trail(seed: number): Trail {
  const by = chance(seed)
  const made: { readonly at: number; readonly record: TrailRecord }[] = []
  const add: Add = (at, { account, address, endpoint, userIdentity }, api, name, more = {}) => {
    const record = {
      eventVersion: '1.11',
      userIdentity,
      eventTime: `${new Date(at).toISOString().slice(0, 19)}Z`,
      eventSource: `${api}.amazonaws.com`,
      eventName: name,
      awsRegion: 'eu-west-1',
      sourceIPAddress: address,
      ...(endpoint !== undefined && { vpcEndpointId: endpoint }),
      eventID: `${seed}-${made.length}`,
      recipientAccountId: account,
      requestParameters: null,
      responseElements: null,
      ...more
    }
    made.push({ at: Math.floor(at / 1000), record })
  }
  const all = callers(by)
  const moments = { by, add, all, since: SINCE, first: SINCE - HISTORY_DAYS * DAY, until: SINCE + DAY }
  for (const part of [ordinary, spikes, people, refusals, logins, tokens, strange, moves]) part(moments)
  const records = made.toSorted((a, b) => a.at - b.at).map(({ record }) => record)
  return { since: SINCE, until: SINCE + DAY, records }
}

interface Moments {
  readonly by: Chance
  readonly add: Add
  readonly all: ReturnType<typeof callers>
  readonly since: number
  readonly first: number
  readonly until: number
}

/** What programs read by the hour, more on working days. */
function ordinary({ by, add, all, first, until }: Moments): void {
  const readers = all.workloads.map((caller, at) => ({ caller, secret: SECRETS[at % SECRETS.length] ?? '', mean: 0.3 + at / 2 }))
  for (let hour = first; hour < until; hour += HOUR) {
    const isWork = (Math.floor(hour / DAY) + 3) % 7 < 5 && new Date(hour).getUTCHours() > 6 && new Date(hour).getUTCHours() < 20
    for (const { caller, secret, mean } of readers)
      for (let count = by.around(isWork ? mean : mean / 3); count > 0; count--)
        add(hour + by.below(HOUR), caller, 'secretsmanager', 'GetSecretValue', {
          requestParameters: { secretId: nameOf(by, secret, caller) }
        })
  }
}

/** An ARN, with the six letters that AWS puts behind it, a name, or a name that only looks so. */
const nameOf = (by: Chance, name: string, { account }: Caller): string =>
  by.pick([name, `arn:aws:secretsmanager:eu-west-1:${account}:secret:${name}-aB3xY9`])

/** Hours with many reads: in the history, some on several days one after the other, and on the day that is asked about. */
function spikes({ by, add, all, since, first }: Moments): void {
  const spike = (at: number, reads: number, secret: string, caller: Caller): void => {
    for (let read = 0; read < reads; read++)
      add(at + by.below(HOUR), caller, 'secretsmanager', 'GetSecretValue', { requestParameters: { secretId: secret } })
  }
  for (let count = 0; count < 12; count++) {
    const [day, hour, caller] = [by.below(48), by.below(24), by.pick(all.workloads)]
    for (let again = by.below(4); again >= 0; again--)
      spike(first + (day + again) * DAY + hour * HOUR, 10 + by.below(50), by.pick(SECRETS), caller)
  }
  // So many that they would be what is usual, were they counted.
  for (let day = 14; day >= 0; day--) spike(since - day * DAY + 10 * HOUR, 60 + by.below(9), 'app/key', by.pick(all.workloads))
  for (let hour = 0; hour < 24; hour++) spike(since + hour * HOUR, 3 + by.below(30), by.pick(SECRETS), by.pick(all.workloads))
}

/** People work by day, now and then at night, and one every week at the same hour. */
function people({ by, add, all, first, until, since }: Moments): void {
  const act = (at: number, caller: Caller): void => {
    const name = by.pick(['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'ListSecrets', 'UpdateSecret', 'DeleteSecret'])
    add(at, caller, 'secretsmanager', name, name === 'ListSecrets' ? {} : { requestParameters: { secretId: by.pick(SECRETS) } })
  }
  for (let day = first; day < until; day += DAY)
    for (const caller of all.people) {
      for (let count = by.around(3); count > 0; count--) act(day + (8 + by.below(9)) * HOUR + by.below(HOUR), caller)
      if (by.next() < 0.25) act(day + by.below(DAY), caller)
    }
  const [weekly = by.pick(all.people), rarely = weekly] = all.people
  for (let week = 0; week <= 6; week++) act(since + 22 * HOUR + by.below(HOUR) - week * 7 * DAY, weekly)
  for (let week = 0; week <= 4; week += 2) act(since + 23 * HOUR + by.below(HOUR) - week * 7 * DAY, rarely)
}

const DENIALS = [
  'AccessDenied',
  'AccessDeniedException',
  'VpceAccessDenied',
  'UnauthorizedOperation',
  'Client.UnauthorizedOperation'
]

/** Without parameters, as AWS refuses, the secret is in the message alone; and what only looks like a refusal. */
function refusals({ by, add, all, first, until }: Moments): void {
  for (let count = 0; count < 400; count++) {
    const caller = by.pick([...all.workloads, ...all.people, ...all.others])
    const secret = nameOf(by, by.pick(SECRETS), caller)
    const at = count % 3 === 0 ? until - 1 - by.below(DAY) : first + by.below(until - first)
    const errorCode = by.pick([...DENIALS, 'ResourceNotFoundException', 'InvalidRequestException', 'ThrottlingException'])
    const errorMessage = `User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: ${secret} because no policy allows it`
    const form = by.pick([{ errorMessage }, { requestParameters: { secretId: secret } }, { errorMessage: 'no' }])
    add(at, caller, 'secretsmanager', by.pick(['GetSecretValue', 'PutSecretValue', 'ListSecrets']), { errorCode, ...form })
  }
  for (let count = 0; count < 30; count++)
    add(
      until - 1 - by.below(DAY),
      by.pick(all.people),
      by.pick(['iam', 'kms']),
      by.pick(['PutRolePolicy', 'CreateGrant', 'DisableKey']),
      {
        errorCode: by.pick(DENIALS)
      }
    )
}

/** Logins that fail, many within ten minutes, also over the borders of five, and such as are taken after. */
function logins({ by, add, all, since, until, first }: Moments): void {
  const tryOne = (at: number, address: string, caller: Caller, isTaken: boolean): void => {
    const console = { responseElements: { ConsoleLogin: isTaken ? 'Success' : 'Failure' } }
    if (by.next() < 0.5) add(at, { ...caller, address }, 'signin', 'ConsoleLogin', console)
    else add(at, { ...caller, address }, 'sts', 'AssumeRole', isTaken ? {} : { errorCode: 'AccessDenied' })
  }
  for (let burst = 0; burst < 60; burst++) {
    const isLong = burst % 3 === 2
    const address = isLong ? `2001:db8:${burst % 4}::1` : `203.0.113.${burst - (burst % 3)}`
    const at = burst % 2 === 0 ? since + by.below(DAY - HOUR) : first + by.below(until - first - HOUR)
    const spread = isLong ? 2_400_000 : by.pick([60_000, 300_000, 590_000])
    for (let count = 2 + by.below(9); count > 0; count--) tryOne(at + by.below(spread), address, by.pick(all.people), false)
    if (by.next() < 0.5) tryOne(at + by.below(spread), address, by.pick(all.people), true)
  }
}

/** Of one account so many that it is known what is usual, of the other too few. */
function tokens({ by, add, all, first, until }: Moments): void {
  const give = (at: number, account: string, seconds: unknown, more: object = {}): void =>
    add(at, { ...by.pick(all.workloads), account }, 'sts', by.pick(['AssumeRole', 'GetSessionToken']), {
      requestParameters: { durationSeconds: seconds },
      ...more
    })
  for (let count = 0; count < 150; count++)
    give(first + by.below(until - first), '111122223333', by.pick([900, 3_600, 3_600, 4_096]))
  for (let count = 0; count < 30; count++) give(first + by.below(until - first), '444455556666', by.pick([900, 43_200, '3600']))
  for (let count = 0; count < 12; count++)
    give(until - 1 - by.below(DAY), by.pick(['111122223333', '444455556666']), by.pick([14_400, 14_401, 43_200, 129_600, 'x']))
  give(until - HOUR, '444455556666', 129_600, { errorCode: 'AccessDenied' })
}

/** What services do by themselves, other services' records, records twice and such as are issued again, and what is outside the period. */
function strange({ by, add, all, first, until, since }: Moments): void {
  const at = (): number => by.pick([since + by.below(DAY), first + by.below(until - first)])
  const named = by.pick(SECRETS)
  for (let count = 0; count < 60; count++) {
    const caller = by.pick([...all.cloud, ...all.people])
    add(
      at(),
      caller,
      'secretsmanager',
      by.pick(['RotationStarted', 'RotationSucceeded', 'RotationFailed', 'RotationAbandoned']),
      {
        additionalEventData: { SecretId: `arn:aws:secretsmanager:eu-west-1:${caller.account}:secret:${named}-aB3xY9` }
      }
    )
    add(at(), caller, 'secretsmanager', 'StartSecretVersionDelete', { additionalEventData: { ARN: named, Name: 'x' } })
    add(at(), caller, 'secretsmanager', 'CreateSecret', { requestParameters: { name: `made/${count % 3}` } })
    add(at(), caller, 'secretsmanager', 'DeleteSecret', {
      responseElements: { aRN: `arn:aws:secretsmanager:eu-west-1:1:secret:old-${count % 2}-aB3xY9` }
    })
    add(at(), by.pick(all.cloud), 'sts', 'AssumeRole', { requestParameters: { durationSeconds: 43_200 } })
    add(at(), caller, 's3', 'GetObject')
    add(at(), caller, 'secretsmanager', 'GetRandomPassword')
  }
  const twice = { requestParameters: { secretId: 'twice' } }
  for (let count = 0; count < 20; count++) {
    const [when, caller] = [at(), by.pick(all.workloads)]
    for (let copy = by.below(3); copy >= 0; copy--)
      add(when, caller, 'secretsmanager', 'GetSecretValue', { ...twice, eventID: `twice-${count}` })
    add(when + 1_000, caller, 'secretsmanager', 'GetSecretValue', {
      ...twice,
      addendum: { reason: 'UPDATED_DATA', originalEventID: `twice-${count}` }
    })
  }
  add(since - 1_000, all.people[0] ?? by.pick(all.people), 'secretsmanager', 'GetSecretValue', twice)
  add(until, all.people[0] ?? by.pick(all.people), 'secretsmanager', 'GetSecretValue', twice)
}

/** Who is known for long, or for days only, comes from elsewhere: over IPv4, IPv6, an endpoint, a name that is no address. */
function moves({ by, add, all, since }: Moments): void {
  const places = [
    '192.0.2.9',
    '2001:db8:00a0:1::5',
    '2001:0DB8:7::',
    '2001:db8::9',
    '::ffff:192.0.2.77',
    'secretsmanager.amazonaws.com',
    'AWS Internal'
  ]
  const late = {
    ...by.pick(all.workloads),
    userIdentity: { type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/late', userName: 'late' }
  }
  for (let day = 8; day > 0; day--)
    add(since - day * DAY + by.below(DAY), { ...late, address: '192.0.2.200' }, 'secretsmanager', 'ListSecrets')
  for (const caller of [...all.workloads, ...all.people, ...all.others, ...all.cloud, late])
    for (const address of places)
      if (by.next() < 0.4)
        add(since + by.below(DAY), { ...caller, address }, 'secretsmanager', 'DescribeSecret', {
          requestParameters: { secretId: 'a' }
        })
  add(since + HOUR, { ...by.pick(all.workloads), endpoint: 'vpce-0new' }, 'secretsmanager', 'ListSecrets')
}
