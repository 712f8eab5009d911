import { type GoogleSettings, googleApi } from '../google-api.ts'
import type { Problem, Target } from '../ports/target.ts'
import { problem } from '../problem.ts'
import { iso } from '../types.ts'
import { created, listed, MAX_KEYS, removed, switched } from './gcp-service-account-calls.ts'
import { type ServiceAccountKey, serviceAccountKey } from './gcp-service-account-document.ts'
import { tokenCall } from './gcp-service-account-token.ts'
import { lastUseOf, TELEMETRY_LAG_MS } from './gcp-service-account-usage.ts'
import { type MintedSettings, minted } from './minted.ts'
import { untoldUse } from './minted-preflight.ts'
import type { KeyFacts, KeyList, KeyProvider } from './minted-provider.ts'

export interface GcpServiceAccountKeySettings extends GoogleSettings {
  /** Defaults: https://iam.googleapis.com, https://oauth2.googleapis.com, https://policyanalyzer.googleapis.com. */
  readonly endpoints?:
    | { readonly iam?: string | undefined; readonly token?: string | undefined; readonly policyAnalyzer?: string | undefined }
    | undefined
  readonly minted?: MintedSettings | undefined
}

const FACTS: KeyFacts = {
  name: 'gcp-service-account-key',
  kind: 'gcp-service-account-key',
  maxLive: MAX_KEYS,
  overlap: 'dual',
  lastUsed: 'coarse',
  telemetryLagMs: TELEMETRY_LAG_MS,
  mintedOnce: true,
  // “may not be usable for up to 60s”, and Google's own samples wait 7 minutes more (google-cloud-cpp#10587).
  settlesMs: 10 * 60_000
}

/**
 * Keys of a service account of Google Cloud: the document is the key file itself. Who has exchanged a key for an access token
 * keeps that for up to an hour: deleting a key “does not revoke short-lived credentials” (projects.serviceAccounts.keys.delete).
 */
export const gcpServiceAccountKey = (settings: GcpServiceAccountKeySettings): Target =>
  minted(provider(settings), settings.minted)

function provider(settings: GcpServiceAccountKeySettings): KeyProvider<ServiceAccountKey> {
  const { endpoints = {}, authorize: _, minted: __, ...wire } = settings
  const iam = googleApi(settings, 'IAM', endpoints.iam ?? 'https://iam.googleapis.com')
  const analyzer = googleApi(settings, 'Policy Analyzer', endpoints.policyAnalyzer ?? 'https://policyanalyzer.googleapis.com')
  return {
    facts: FACTS,
    inspect: serviceAccountKey,
    create: (current, _mark, signal) => created(iam, current, signal),
    list: (of, signal) => listed(iam, of, signal),
    call: tokenCall({ ...wire, endpoint: endpoints.token }),
    lastUse: (of, id, signal) => lastUseOf(analyzer, of, id, signal),
    switching: {
      disable: (of, id, signal) => switched(iam, of, id, 'disable', signal),
      enable: async (of, id, signal) => void (await switched(iam, of, id, 'enable', signal))
    },
    remove: (of, id, signal) => removed(iam, of, id, signal),
    preflight: async (current, list, signal) => {
      const untold = untoldUse(lastUseOf(analyzer, current, current.principal, signal))
      return (await Promise.all([expiring(current, list), untold])).flat()
    }
  }
}

/** cloud.google.com/iam/docs/keys-create-delete: with iam.serviceAccountKeyExpiryHours every new key ends by itself. */
async function expiring(current: ServiceAccountKey, asked: Promise<KeyList>): Promise<readonly Problem[]> {
  const list = await asked.catch(() => undefined)
  const key = list?.keys.find(({ id }) => id === current.principal)
  if (key?.expiresAt === undefined) return []
  const message = `${key.id} ends by itself at ${iso(key.expiresAt)} (iam.serviceAccountKeyExpiryHours): rotate more often`
  return [problem('denied/provider-policy', message, false)]
}
