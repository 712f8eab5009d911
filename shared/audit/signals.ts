import type { Signal } from './signal.ts'
import { auditDisabled } from './signals/audit-disabled.ts'
import { batchByFilter } from './signals/batch-by-filter.ts'
import { computeOutside } from './signals/compute-outside.ts'
import { decoyRead } from './signals/decoy-read.ts'
import { denied } from './signals/denied.ts'
import { failedLogins } from './signals/failed-logins.ts'
import { listThenRead } from './signals/list-then-read.ts'
import { longTtl } from './signals/long-ttl.ts'
import { massRetrieval } from './signals/mass-retrieval.ts'
import { newNetwork } from './signals/new-network.ts'
import { offHours } from './signals/off-hours.ts'
import { oldVersionRead } from './signals/old-version-read.ts'
import { policyPublic } from './signals/policy-public.ts'
import { readVolume } from './signals/read-volume.ts'
import { rootUsed } from './signals/root-used.ts'
import { sameAddressTwoStores } from './signals/same-address-two-stores.ts'
import { sourceSilent } from './signals/source-silent.ts'
import { unrecoverableDeletion } from './signals/unrecoverable-deletion.ts'

/** The table of signals: the README's is printed from it. */
export const SIGNALS: readonly Signal[] = [
  newNetwork,
  readVolume,
  offHours,
  denied,
  failedLogins,
  longTtl,
  massRetrieval,
  listThenRead,
  batchByFilter,
  sameAddressTwoStores,
  computeOutside,
  policyPublic,
  auditDisabled,
  sourceSilent,
  rootUsed,
  unrecoverableDeletion,
  oldVersionRead,
  decoyRead
]
