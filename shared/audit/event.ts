/**
 * What a line of an audit log says, whatever store wrote it. Readers (from-*.ts) make these; signals and reports know
 * nothing else. It carries names and addresses, never a value, a token or an accessor.
 */
export interface AuditEvent {
  /** The log's own id: Vault `request.id`, CloudTrail `eventID`, Google `insertId`; evidence names it. */
  readonly id: string
  /** Milliseconds since the epoch, by the log's clock. */
  readonly at: number
  readonly store: StoreKind
  /** Whose log: an AWS account, a vault's resource id, a Google project, a Vault namespace (`root`). */
  readonly account: string
  readonly kind: Kind
  /** The vendor's own word: `GetSecretValue`, `SecretGet`, `read`. */
  readonly operation: string
  readonly outcome: Outcome
  readonly identity: Identity
  /** An IP address, or empty: masked, or the cloud's own service called. */
  readonly address: string
  /** What is better than the address to tell where a call came from (a VPC endpoint), or empty. */
  readonly network: string
  readonly secret: SecretRef | undefined
  /** Bits of MARKS. */
  readonly marks: number
  /** Life of a token that was given out, in seconds: Infinity never ends, NaN none was given out. */
  readonly ttlSeconds: number
  /** Who gave the token out, or where the login was tried: `auth/userpass`, `sts`. Empty where neither. */
  readonly issuer: string
  /** The policy, role or grant that was changed, or empty. */
  readonly policy: string
  /** What stands for the new text of the policy: Vault's HMAC, a hash of ours. Empty where the log has none. */
  readonly policyHash: string
  /** The same object for events that differ in nothing but their id and time; undefined: nobody knows others like it. */
  readonly likeness: Likeness | undefined
}

/** Where who counts events keeps what it found for the first of those that are alike. */
export interface Likeness {
  places: unknown
}

export type StoreKind = 'aws' | 'azure' | 'gcp' | 'vault'

/**
 * What was asked. `rotate`: a step or an end of a rotation that the store itself reports. `policy`: who may do what.
 * `audit`: what is logged at all. `seal`: seal, unseal, root generation, rekeying.
 */
export const KINDS = [
  'read',
  'write',
  'rotate',
  'list',
  'describe',
  'delete',
  'login',
  'token',
  'policy',
  'audit',
  'seal',
  'other'
] as const
export type Kind = (typeof KINDS)[number]

/**
 * `denied`: known who, not allowed. `unauthenticated`: a login that failed, a token that is none. `absent`: there is no
 * such thing. `failed`: anything else that did not take effect.
 */
export type Outcome = 'done' | 'denied' | 'unauthenticated' | 'absent' | 'failed'

/** Who asked. One object for one key, so that it is made once. */
export interface Identity {
  /** Unique within all stores: `vault:entity/…`, `aws:arn:…`. What baselines are kept under. */
  readonly key: string
  /** For people: a name, an ARN, a mail address. */
  readonly name: string
  /** `service`: the cloud itself. */
  readonly type: 'person' | 'workload' | 'service' | 'unknown'
  /** May do everything: Vault's root policy, an account's root user. */
  readonly isRoot: boolean
  /** Runs on an instance of the cloud: its calls come from there and from nowhere else. */
  readonly isCompute: boolean
}

/** A secret as a log names it. One object for one key. */
export interface SecretRef {
  /** Unique within all stores: `aws:123456789012/app/db`. */
  readonly key: string
  readonly store: StoreKind
  readonly account: string
  readonly name: string
  /** What is alike: a KV mount, the first part of the name. Baselines fall back on it. */
  readonly group: string
}

/** What a reader notices in one record and a signal asks for. */
export const MARKS = {
  /** Secrets were fetched by a filter and not by their names. */
  byFilter: 1,
  /** A policy was opened to everybody, or to another account. */
  madePublic: 2,
  /** Deleted so that nothing brings it back. */
  unrecoverable: 4,
  /** A version before the current one was read. */
  oldVersion: 8,
  /** What is deleted, or waits to be, was read or asked for. */
  deletionPending: 16,
  /** Done as root, or root was made. */
  root: 32,
  /** What is logged was made less. */
  lessAudit: 64,
  /** Rotation reported its end: it failed, was given up, or a secret's rotation was taken off. */
  rotationFailed: 128
} as const

export const hasMark = ({ marks }: AuditEvent, mark: keyof typeof MARKS): boolean => (marks & MARKS[mark]) !== 0

/** An event with what a reader knows; the rest is nothing. */
export const auditEvent = (
  known: Pick<AuditEvent, 'id' | 'at' | 'store' | 'account' | 'kind' | 'operation' | 'outcome' | 'identity'> & Partial<AuditEvent>
): AuditEvent => ({
  id: known.id,
  at: known.at,
  store: known.store,
  account: known.account,
  kind: known.kind,
  operation: known.operation,
  outcome: known.outcome,
  identity: known.identity,
  address: known.address ?? '',
  network: known.network ?? '',
  secret: known.secret,
  marks: known.marks ?? 0,
  ttlSeconds: known.ttlSeconds ?? Number.NaN,
  issuer: known.issuer ?? '',
  policy: known.policy ?? '',
  policyHash: known.policyHash ?? '',
  likeness: known.likeness
})
