import { DAY_MS } from '../duration.ts'
import { KeyturnError } from '../errors.ts'
import type { Problem, Target } from '../ports/target.ts'
import { problem } from '../problem.ts'
import { applicationOf, applicationPath, madeSecret } from './entra-application.ts'
import { ENTRA_CLIENT_SECRET, type EntraDocument, entraDocument, withSecret } from './entra-document.ts'
import { accepted, codeOf, type GraphSettings, graphApi, scopeOf, WRITES } from './entra-graph.ts'
import { entraLogin, type LoginSettings } from './entra-login.ts'
import { lastUseOf } from './entra-usage.ts'
import { type MintedSettings, minted } from './minted.ts'
import { untoldUse } from './minted-preflight.ts'
import type { Called, KeyFacts, KeyList, KeyProvider } from './minted-provider.ts'

export interface EntraSettings extends GraphSettings, LoginSettings {
  /** How long a new secret lives, where its document says no lifetimeDays. Default 180 days. */
  readonly lifetimeMs?: number | undefined
  readonly minted?: MintedSettings | undefined
}

const LIFETIME_MS = 180 * DAY_MS

const FACTS: KeyFacts = {
  name: ENTRA_CLIENT_SECRET,
  kind: ENTRA_CLIENT_SECRET,
  // “No limit*”, but “about 1000 items across all the collection properties on the app object”, and two where personal
  // accounts may sign in, which the list says (learn.microsoft.com/entra/identity-platform/supported-accounts-validation).
  maxLive: 1000,
  overlap: 'dual',
  lastUsed: 'coarse',
  // signInActivity “might take up to 24 hours to update” (learn.microsoft.com/entra/identity/monitoring-health/reference-log-latency).
  // The report of credentials is beta and has no figure of its own: twice that.
  telemetryLagMs: 2 * DAY_MS,
  mintedOnce: true,
  // 4 to 18 s were seen (microsoft-graph-docs-contrib#1921), and no bound is promised; HashiCorp's Vault provider waits up to
  // 300 s (vault_azure_access_credentials, max_cred_validation_seconds).
  settlesMs: 5 * 60_000
}

/** Client secrets of an application in Microsoft Entra ID. */
export const entraClientSecret = (settings: EntraSettings): Target => minted(entraProvider(settings), settings.minted)

function entraProvider(settings: EntraSettings): KeyProvider<EntraDocument> {
  const graph = graphApi(settings)
  const call = entraLogin({ ...settings, scope: settings.scope ?? scopeOf(settings.graph) })
  const list = (of: EntraDocument, signal: AbortSignal) => applicationOf(graph, of, signal)
  const lastUse = (keyId: string, signal: AbortSignal) => lastUseOf(graph, keyId, signal)
  return {
    facts: FACTS,
    inspect: entraDocument,
    list,
    call,
    lastUse: (_of, id, signal) => lastUse(id, signal),
    async create(current, mark, signal) {
      // Asked first so that nothing is added to another application than the client's; the secret's end is by Graph's clock.
      const { now } = await list(current, signal)
      const endDateTime = new Date(now + (current.lifetimeMs ?? settings.lifetimeMs ?? LIFETIME_MS)).toISOString()
      const body = { passwordCredential: { displayName: mark, endDateTime } }
      const answer = await graph({ method: 'POST', path: `${applicationPath(current)}/addPassword`, body }, signal)
      return withSecret(current, madeSecret(accepted(answer, WRITES).json))
    },
    async remove(of, id, signal) {
      const path = `${applicationPath(of)}/removePassword`
      const answer = await graph({ method: 'POST', path, body: { keyId: id }, repeatable: true }, signal)
      if (!NOT_THERE.includes(codeOf(answer))) return void accepted(answer, WRITES)
      refuseUnlessGone(id, await list(of, signal), id === of.principal ? await call(of, signal) : undefined)
    },
    preflight: async (current, listed, signal) =>
      (await Promise.all([unlisted(current, listed), untoldUse(lastUse(current.principal, signal))])).flat()
  }
}

/** For removeKey, 400 Request_BadRequest was seen where a key is gone; the page of removePassword names no error. */
const NOT_THERE = ['Request_BadRequest', 'Request_ResourceNotFound']

/**
 * A secret that is not there and a request that is malformed have one code. And a replica that has not heard of a new secret
 * says that it is not there, and does not list it either: it is gone only when a call with it does not succeed.
 */
function refuseUnlessGone(id: string, { keys }: KeyList, called: Called | undefined): void {
  if (called?.state !== 'alive' && !keys.some((key) => key.id === id)) return
  throw new KeyturnError('unavailable/not-dead-yet', `Microsoft Graph knows no ${id} to remove, yet lists it or takes it`)
}

/** What cannot be read at all is a finding of the common questions. */
async function unlisted({ principal }: EntraDocument, asked: Promise<KeyList>): Promise<readonly Problem[]> {
  const list = await asked.catch(() => undefined)
  if (list === undefined || list.keys.some(({ id }) => id === principal)) return []
  const message = `the application has no secret of the keyId ${principal}: correct it, or the old secret cannot be removed`
  return [problem('not-found/principal', message, false)]
}
