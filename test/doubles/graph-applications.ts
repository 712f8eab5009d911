import type { GraphApplication, GraphState } from './graph-state.ts'
import type { ShelfKey } from './key-shelf.ts'
import type { ProviderAnswer, ProviderRequest } from './provider-double.ts'

const YEAR_MS = 365 * 24 * 3_600_000

/** learn.microsoft.com/graph/errors: `error` with `code`, `message` and an innerError that names the request. */
export const refused = (status: number, code: string, message: string): ProviderAnswer => ({
  status,
  body: { error: { code, message, innerError: { date: '2026-01-01T00:00:00', 'request-id': 'r', 'client-request-id': 'c' } } }
})

/** learn.microsoft.com/graph/api/application-addpassword: 200 with the secretText, shown here and nowhere else. */
export function addPassword(state: GraphState, { params, json, now }: ProviderRequest): ProviderAnswer {
  const application = state.applications.get(params[0] ?? '')
  if (!application) return notFound(params[0])
  const { displayName, endDateTime } = (json.passwordCredential ?? {}) as { displayName?: string; endDateTime?: string }
  // “The default value is startDateTime + 2 years.”
  const endsAt = endDateTime === undefined ? now + 2 * YEAR_MS : Date.parse(endDateTime)
  const { passwordAddition, passwordLifetimeMs = Number.POSITIVE_INFINITY } = state.controls.policy
  // The code is that of microsoft-365-agents-toolkit's aadErrorCode; the message is written like the one below.
  if (passwordAddition === false)
    return refused(
      400,
      'CredentialTypeNotAllowedAsPerAppPolicy',
      `Credential type not allowed as per assigned policy '${POLICY}'.`
    )
  // Whole answer: microsoft-365-agents-toolkit#10998.
  if (endsAt - now > passwordLifetimeMs)
    return refused(
      400,
      'CredentialInvalidLifetimeAsPerAppPolicy',
      `Credential lifetime exceeds the max value allowed as per assigned policy '${POLICY}'.`
    )
  const had = state.shelf.of(application.id).length
  // Whole answer: Azure/azure-cli#12946.
  if (/Personal/.test(application.signInAudience) && had >= 2)
    return refused(
      400,
      'TooManyAppPasswords',
      `Not allowed to add ${had + 1} passwords. You can only add a maximum of 2 passwords.`
    )
  const key = state.addPassword(application, displayName, endsAt)
  const { value } = key
  return { status: 200, body: { ...shown(state, key), secretText: value } }
}

/** learn.microsoft.com/graph/api/application-removepassword: 204 without a body. */
export function removePassword(state: GraphState, { params, json }: ProviderRequest): ProviderAnswer {
  const application = state.applications.get(params[0] ?? '')
  if (!application) return notFound(params[0])
  const key = state.shown(application).find(({ id }) => id === json.keyId)
  // The page names no error; this is the code that removeKey was seen to give for one that is gone.
  if (!key) return refused(400, 'Request_BadRequest', `No password credential found with keyId '${String(json.keyId)}'.`)
  state.shelf.remove(key.id)
  return { status: 204 }
}

/** learn.microsoft.com/graph/api/application-get with $select; secretText is null in it. */
export function readApplication(state: GraphState, { params, url }: ProviderRequest): ProviderAnswer {
  const application = state.applications.get(params[0] ?? '')
  if (!application) return notFound(params[0])
  const whole: Readonly<Record<string, unknown>> = { ...application, passwordCredentials: credentials(state, application) }
  const asked = url.searchParams.get('$select')?.split(',') ?? Object.keys(whole)
  return { status: 200, body: Object.fromEntries(asked.map((name) => [name, whole[name]])) }
}

const credentials = (state: GraphState, application: GraphApplication) => state.shown(application).map((key) => shown(state, key))

const shown = (state: GraphState, { id, name, createdAt, value }: ShelfKey) => ({
  customKeyIdentifier: null,
  displayName: name ?? null,
  keyId: id,
  secretText: null,
  hint: value.slice(0, 3),
  startDateTime: dateTime(createdAt),
  endDateTime: dateTime(state.endsAt(id))
})

/** Graph writes ticks: seven digits behind the point. */
const dateTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '0000Z')

const notFound = (id: string | undefined): ProviderAnswer =>
  refused(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`
  )

const POLICY = '538f1913-366a-440a-95a0-e195cb55b282'
