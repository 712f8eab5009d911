/**
 * Every way keyturn fails: one class, a code `class/cause` from this table, and what to do. Programs act on the code,
 * people on `todo`; nobody matches on messages. Each adapter owns one table from its vendor's errors to these codes.
 *
 * `retryable` means: the same request, unchanged, may succeed later without a person.
 */
export const CODES = {
  'not-found/secret': [false, 'Check the name, the region and the account; the store says that there is no such secret.'],
  'not-found/version': [false, 'The version was removed, or its value was never written; start a new rotation.'],
  'not-found/admin-secret': [false, 'Create the admin secret, or correct the reference to it (masterarn, or the tag).'],
  'not-found/role': [false, 'Create the login in the database, or run `keyturn adopt`, which prints the SQL.'],
  'not-found/principal': [false, 'The provider knows no such user, application, account or project: correct the document.'],
  'not-found/database': [false, 'The server has no database of that name: create it, or correct dbname in the secret.'],
  'not-found/instance': [false, 'The database instance named by the admin secret was not found; correct the tag or the host.'],
  'not-found/archive': [false, 'The bucket, container or folder was not found; check its name, region and account.'],
  'not-found/object': [false, 'The object or file was not found: it was deleted, or its name is wrong.'],
  'not-found/channel': [false, 'The topic, queue or address of the notifier does not exist; correct its setting.'],
  'not-found/table': [false, 'The table, workspace or dataset of the query does not exist; correct its setting.'],

  'conflict/inside-grace': [
    true,
    'Wait until the grace is over, or force it and accept that clients holding the other half are cut.'
  ],
  'conflict/held': [true, 'A person put this secret on hold; run `keyturn release` when the reason is gone.'],
  'conflict/outside-window': [true, 'Wait for the window in the secret’s metadata, or rotate it by name.'],
  'conflict/pending-foreign': [false, 'Somebody else staged a value; find out who, and take its pending label off.'],
  'conflict/pending-other': [true, 'Another attempt is pending; it is carried on by the next run.'],
  'conflict/current-moved': [true, 'Current changed while the attempt ran; the next run starts from what is current now.'],
  'conflict/token-spent': [false, 'This token names an attempt that ended; start a new rotation with a new token.'],
  'conflict/step-order': [false, 'The step before this one was not done; start the rotation again.'],
  'conflict/full': [false, 'Delete or disable a key that keyturn did not make, then run again.'],
  'conflict/key-not-ours': [false, 'The key is not recorded as this secret’s own; the message says how to hand it over.'],
  'conflict/not-retired': [
    true,
    'The key before is not retired yet, so no further one is made; `keyturn status` says what it waits for.'
  ],
  'conflict/unacknowledged': [
    true,
    'Nobody can tell whether the old key is still used: look yourself, then say so with `keyturn ack`, or cut it with `--end-sessions`.'
  ],
  'conflict/soaking': [true, 'The old key is disabled and is deleted when the soak is over; `--force` deletes it now.'],
  'conflict/role-not-ours': [false, 'The role exists and is not recorded as ours; adopt it, or name another.'],
  'conflict/pair-shared': [false, 'Two secrets name the same pair; give each its own logins.'],
  'conflict/in-use': [true, 'Clients still use the old credential; restart them, or retire with `--end-sessions`.'],
  'conflict/previous-dead': [false, 'The previous credential was retired or is refused; rotate instead.'],
  'conflict/managed-elsewhere': [false, 'Another service owns or rotates this secret; use that service.'],
  'conflict/unmanaged': [false, 'keyturn does not manage this secret: run `keyturn adopt`, or set its metadata `kind`.'],
  'conflict/other-function': [false, 'Another function of the deployment rotates secrets of this kind: ask that one.'],
  'conflict/object-changed': [true, 'Somebody else wrote the object meanwhile; it is read and merged again.'],
  'conflict/metadata-changed': [true, 'The metadata changed while it was written; run again.'],

  'denied/login': [false, 'The server refused the login and does not say why: wrong password, unknown role or expired.'],
  'denied/expired-valid-until': [false, 'The role’s VALID UNTIL has passed: ALTER ROLE … VALID UNTIL with a later time.'],
  'denied/no-login': [false, 'The role may not log in: ALTER ROLE … LOGIN.'],
  'denied/hba': [false, 'pg_hba.conf has no line for this role, database and address; add one.'],
  'denied/connect': [false, 'The role may not connect to the database: GRANT CONNECT.'],
  'denied/admin-option': [false, 'The admin may not alter or grant this role; the message names the missing GRANT.'],
  'denied/privilege': [false, 'The database refused a statement for want of a privilege; the message names it.'],
  'denied/iam-login': [false, 'The role belongs to an IAM login group, so a password cannot log in; take it out.'],
  'denied/workload-check': [
    false,
    'The new credential logs in but fails the owner’s check; compare its rights with the other half’s.'
  ],
  'denied/pooler': [
    false,
    'The server takes the login, the pooler does not: let it look passwords up (auth_query), or add the role to its list.'
  ],
  'denied/store': [false, 'The store denied the call; the message names the permission that is missing.'],
  'denied/key': [false, 'The key that encrypts the secret cannot be used; check the key and its policy.'],
  'denied/provider': [false, 'The provider denied the call; the message names the permission that is missing.'],
  'denied/provider-policy': [
    false,
    'A policy of the provider forbids such a key, or so long a life of it; the message says which: ask for an exception, or set it shorter.'
  ],
  'denied/address': [
    false,
    'This address is not called: the description, or KEYTURN_RESTART_HOSTS, must name its host, and KEYTURN_PRIVATE_HOSTS one inside the network.'
  ],
  'denied/archive': [
    false,
    'The bucket, container or folder refused the call; the message names the permission that is missing.'
  ],
  'denied/channel': [false, 'The notifier’s channel refused the message; check the permission, or the channel’s key.'],
  'denied/query': [false, 'The query service refused the query; the message names the permission that is missing.'],
  'denied/caller': [false, 'Nobody is signed in who may ask: sign in, or have the function’s owner give you the role.'],

  'disabled/rotation': [false, 'Rotation is switched off for this secret; switch it on.'],
  'disabled/secret': [false, 'The secret is scheduled for deletion or disabled; restore it first.'],

  'busy/locked': [true, 'Another run holds the lock of this pair; it is tried again later.'],
  'busy/claimed': [true, 'Another run claimed this secret; its claim expires by itself.'],
  'busy/lock-lost': [true, 'The session that held the lock is gone; nothing was promoted, run again.'],
  'busy/tuple': [true, 'The role was altered by somebody at the same moment; run again.'],

  'invalid/config': [false, 'Correct the settings; the message lists every problem.'],
  'invalid/request': [false, 'Correct the request; the message says which field.'],
  'invalid/step': [false, 'The step is none of createSecret, setSecret, testSecret, finishSecret.'],
  'invalid/token': [false, 'The token is not a version of this secret; let Secrets Manager start the rotation.'],
  'invalid/document': [
    false,
    'The secret must be a JSON object with the fields of its kind, of the right types; the message names what is wrong.'
  ],
  'invalid/kind': [
    false,
    'The document is another provider’s than the secret’s metadata say: correct `kind`, or the document’s `type`.'
  ],
  'invalid/description': [false, 'Correct the description of the provider; the message names every field that is wrong.'],
  'invalid/answer': [
    false,
    'The provider’s answer has not what its description or reference promises; the message says which field. Nothing was promoted.'
  ],
  'invalid/metadata': [false, 'Correct the secret’s metadata; the message says which.'],
  'invalid/pair': [false, 'The pair must name two different logins, one of them the document’s username.'],
  'invalid/name': [
    false,
    'The name cannot be used, or is too long with its suffix (63 bytes for a role); the message says which, and the limit.'
  ],
  'invalid/password': [false, 'The password cannot be used for SCRAM; rotate to one of keyturn’s own.'],
  'invalid/password-policy': [false, 'The policy cannot be met; the message says which parts exclude each other.'],
  'invalid/host-mismatch': [false, 'The admin secret belongs to another server; correct the reference.'],
  'invalid/grace': [false, 'The grace must be shorter than the period.'],
  'invalid/parity': [false, 'The halves differ in something that cannot be copied; the message names it, with the cure.'],
  'invalid/pooler': [false, 'The admin must reach the server directly, not through a transaction pooler.'],
  'invalid/auth-method': [
    false,
    'The server asked for the password itself, which is never sent; use scram-sha-256 in pg_hba.conf (not password, ldap, pam).'
  ],
  'invalid/tls': [false, 'The server’s certificate or name is not trusted, or it speaks no TLS; give the CA, correct the host.'],
  'invalid/verify-query': [false, 'The owner’s check is not a statement that the server accepts; correct it.'],

  'invalid/log': [false, 'The log cannot be read as any format that is known; name its format, or take the file out.'],
  'invalid/object': [false, 'The object is bigger than is taken, or not what it should be; the message says which.'],
  'invalid/state': [
    false,
    'The audit state is damaged, or of a newer keyturn; it was not touched. Restore it, or name another to start anew.'
  ],
  'invalid/notice': [false, 'The channel does not take such a message; the message says why.'],
  'invalid/query': [false, 'The query service does not take the query; check the table’s columns and the settings.'],

  'throttled/store': [true, 'The store asked to slow down; it is tried again with a growing pause.'],
  'throttled/archive': [true, 'The bucket or container asked to slow down; run again later.'],
  'throttled/channel': [true, 'The notifier’s channel asked to slow down; it is sent again with the next run.'],
  'throttled/query': [
    true,
    'The query service has no room for the query now, or its limit of bytes was reached; run again later.'
  ],
  'throttled/provider': [true, 'The provider asked to slow down; run again later.'],
  'throttled/versions': [true, 'The secret has too many recent versions; wait, and rotate less often.'],
  'throttled/connections': [true, 'The server or the role has no connection left; raise the limit, or run when it is quiet.'],

  'unavailable/store': [true, 'The store did not answer; the next run looks what happened.'],
  'unavailable/provider': [true, 'The provider did not answer, or not so that it tells; the next run looks what happened.'],
  'unavailable/archive': [true, 'The bucket, container or folder did not answer; run again, what was read is kept.'],
  'unavailable/channel': [true, 'The notifier’s channel did not answer; it is sent again with the next run.'],
  'unavailable/query': [true, 'The query service did not answer in time; run again.'],
  'unavailable/not-active-yet': [true, 'The provider does not take the new key yet; it stays pending, and is tried again.'],
  'unavailable/not-dead-yet': [
    true,
    'The provider still takes the key that was deleted; it is proved at the next run. If it stays so, block it at the provider.'
  ],
  'unavailable/sealed': [true, 'Vault is sealed: unseal it (`vault operator unseal`), or wait for its auto-unseal.'],
  'unavailable/host': [true, 'The host cannot be reached: check name, port, network path and firewall.'],
  'unavailable/server': [true, 'The server is starting, stopping or failing over; run again.'],
  'unavailable/read-only': [true, 'The server is read-only: it is a replica, or failing over; use the writer’s endpoint.'],
  'unavailable/replica-lag': [true, 'The reader has not caught up within its bound; nothing was promoted, run again.'],
  'unavailable/deadline': [
    true,
    'The time of this invocation is nearly over; it stopped between two steps, the next run goes on.'
  ],
  'unavailable/replicas': [true, 'Replicas of the secret are not in sync yet; retire waits for them.'],

  'unsupported/engine': [false, 'No target of this deployment handles the engine; see the support table.'],
  'unsupported/overlap': [
    false,
    'One login has one password: readers are refused from apply to promote. Give it a twin (`keyturn adopt`), or an admin.'
  ],
  'unsupported/disable': [false, 'The provider cannot switch this key off; it is deleted instead.'],
  'unsupported/provider': [false, 'The provider cannot do this by its API; the message says what, and what to do instead.'],
  'unsupported/restart': [false, 'This host cannot restart such a consumer; the message says which one can.'],
  'unsupported/store': [false, 'The store cannot do this; see the support table.'],
  'unsupported/binary': [false, 'The secret is binary; store the JSON document as text.'],

  'bug/broken': [false, 'The target refuses the current credential and nothing here may heal it; a person has to look now.'],
  'bug/proof': [false, 'The old credential still logs in after it was retired; block it at the target now.'],
  'bug/internal': [false, 'This should not happen; report it with the code and the log lines around it.']
} as const satisfies Record<string, readonly [retryable: boolean, todo: string]>

export type Code = keyof typeof CODES
export type CodeClass = Code extends infer C ? (C extends `${infer K}/${string}` ? K : never) : never

/**
 * The one error. It never carries a vendor's error object or message, because those may quote what was sent
 * (JSON.parse quotes its input, drivers quote statements): `vendor` holds a vendor's code or name, nothing more.
 */
export class KeyturnError extends Error {
  readonly code: Code
  readonly retryable: boolean
  readonly todo: string
  readonly vendor: string | undefined

  constructor(code: Code, message: string, vendor?: string) {
    super(message)
    this.name = 'KeyturnError'
    this.code = code
    this.retryable = CODES[code][0]
    this.todo = CODES[code][1]
    this.vendor = vendor
  }
}

export const classOf = (code: Code): CodeClass => code.slice(0, code.indexOf('/')) as CodeClass
export const hasCode = (e: unknown, ...codes: readonly Code[]): e is KeyturnError =>
  e instanceof KeyturnError && codes.includes(e.code)
export const hasClass = (e: unknown, c: CodeClass): e is KeyturnError => e instanceof KeyturnError && classOf(e.code) === c

/** Any thrown thing as the one error; what is not ours is a bug, named by its constructor and nothing else. */
export function asKeyturnError(e: unknown): KeyturnError {
  if (e instanceof KeyturnError) return e
  const name = e instanceof Error ? e.name : typeof e
  return new KeyturnError('bug/internal', `unexpected ${name}`, name)
}
