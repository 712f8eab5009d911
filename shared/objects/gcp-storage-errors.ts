import { type Code, KeyturnError } from '../errors.ts'
import { arrayIn, recordIn } from '../google-api.ts'
import type { ApiAnswer } from '../provider-api.ts'
import { entryOf } from '../table.ts'
import { wordIn } from '../vendor-code.ts'

/** The permission of each call (storage/docs/access-control/iam-permissions). */
const PERMISSIONS = { list: 'storage.objects.list', read: 'storage.objects.get', write: 'storage.objects.create and .delete' }
export type GcsAct = keyof typeof PERMISSIONS

/** The one table from the `reason` of an error to keyturn's codes: storage/docs/json_api/v1/status-codes. */
const REASONS: Readonly<Record<string, Code>> = {
  conditionNotMet: 'conflict/object-changed',
  orgPolicyConstraintFailed: 'denied/archive',
  forbidden: 'denied/archive',
  insufficientPermissions: 'denied/archive',
  accountDisabled: 'denied/archive',
  authError: 'denied/archive',
  objectUnderActiveHold: 'denied/archive',
  retentionPolicyNotMet: 'denied/archive',
  usageLimitsAccessNotConfigured: 'denied/archive',
  cloudKmsDisabledKey: 'denied/archive',
  cloudKmsDecryptionKeyNotFound: 'denied/archive',
  cloudKmsEncryptionKeyNotFound: 'denied/archive',
  rateLimitExceeded: 'throttled/archive',
  userRateLimitExceeded: 'throttled/archive',
  usageLimitsRateLimitExceeded: 'throttled/archive',
  quotaExceeded: 'throttled/archive',
  uploadTooLarge: 'invalid/object'
}

/** An error's own word; undefined where it is not the service that answered, or it sent no JSON, as to a download. */
export const reasonIn = ({ json }: Pick<ApiAnswer, 'json'>): string | undefined =>
  wordIn(recordIn(arrayIn(recordIn(recordIn(json).error).errors)[0]).reason)

export function gcsRefusal(answer: ApiAnswer, act: GcsAct, where: string): KeyturnError {
  const reason = reasonIn(answer)
  const code = entryOf(REASONS, reason) ?? byStatus(answer.status)
  const vendor = reason ?? String(answer.status)
  const says = code === 'denied/archive' ? `Google denied ${PERMISSIONS[act]} (${vendor})` : vendor
  return new KeyturnError(code, `${where}: ${says}`, vendor)
}

function byStatus(status: number): Code {
  if (status === 401 || status === 403) return 'denied/archive'
  if (status === 412) return 'conflict/object-changed'
  return status === 400 ? 'invalid/object' : 'unavailable/archive'
}

/** What shared/provider-api.ts throws, of whatever provider, as said of an archive. */
const ARCHIVE: { readonly [C in Code]?: Code } = {
  'denied/provider': 'denied/archive',
  'throttled/provider': 'throttled/archive',
  'unavailable/provider': 'unavailable/archive',
  'invalid/answer': 'unavailable/archive'
}

export function gcsSilence(e: unknown, where: string): unknown {
  if (!(e instanceof KeyturnError)) return e
  return new KeyturnError(ARCHIVE[e.code] ?? e.code, `${where}: ${e.message}`, e.vendor)
}
