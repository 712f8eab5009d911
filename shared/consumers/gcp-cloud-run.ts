import { type Code, KeyturnError } from '../errors.ts'
import { type GoogleSettings, googleApi, recordIn } from '../google-api.ts'
import type { Consumer, Consumers } from '../ports/consumers.ts'
import type { ApiAnswer, ProviderApi } from '../provider-api.ts'
import { partsOf } from '../restart.ts'
import { codeFor, wordIn } from '../vendor-code.ts'

export interface CloudRunSettings extends GoogleSettings {
  /** Of services that are named without one. Empty: each must be named with its own. */
  readonly project: string
  /** Default https://run.googleapis.com. */
  readonly endpoint?: string | undefined
}

type Fields = Readonly<Record<string, unknown>>

/**
 * A new revision of the same configuration (run/docs/managing/revisions: each change of it makes one, and moves the traffic when it
 * is ready). Environment variables from a secret are “resolved at instance startup time” (run/docs/configuring/services/secrets).
 * What changes is an annotation, which is there for “external tools to store arbitrary metadata”
 * (run/docs/reference/rest/v2, RevisionTemplate): a variable would be seen by the program, and labels go to the bill.
 */
export function cloudRunService({
  project,
  endpoint = 'https://run.googleapis.com',
  ...rest
}: CloudRunSettings): Consumers['restart'] {
  const api = googleApi(rest, 'Cloud Run', endpoint)
  const { now = Date.now } = rest
  return async (consumer, _, signal) => {
    const path = pathOf(consumer, project)
    const mark = new Date(now()).toISOString()
    for (let tries = 1; ; tries++) {
      const service = await read(api, path, consumer, signal)
      if (markOf(service) === mark) return
      if (!servesLatest(service)) throw pinned(consumer)
      const answer = await update(api, path, service, mark, signal)
      if (answer.status === 200 && answer.isJson) return
      // Somebody deployed meanwhile, or it was our own write whose answer was lost: look again.
      if (codeIn(answer.json) !== 'ABORTED' || tries === MOST_TRIES) throw refusal(answer, consumer)
    }
  }
}

const MOST_TRIES = 3
const KEY = 'keyturn/restarted-at'

/** Encoded, because a project of a domain has a colon. */
function pathOf(consumer: Consumer, own: string): string {
  const parts = partsOf(consumer)
  const [project = '', region = '', service = ''] = parts.length === 3 ? parts : [own, ...parts]
  if (project === '')
    throw new KeyturnError(
      'invalid/config',
      `no project is known: declare it as run:<project>/${consumer.name}, or set GOOGLE_CLOUD_PROJECT`
    )
  return `/v2/projects/${encodeURIComponent(project)}/locations/${region}/services/${service}`
}

async function read(api: ProviderApi, path: string, consumer: Consumer, signal: AbortSignal): Promise<Fields> {
  const answer = await api({ method: 'GET', path }, signal)
  if (answer.status !== 200 || !answer.isJson) throw refusal(answer, consumer)
  const { template } = recordIn(answer.json)
  if (Object.keys(recordIn(template)).length === 0)
    throw new KeyturnError('invalid/answer', `Cloud Run: the service ${consumer.name} has no template`)
  return recordIn(answer.json)
}

/**
 * The whole template goes back as it was read, but for the name of a revision: a revision of that name is there already (“409 Revision
 * named … with different configuration already exists”, hashicorp/terraform-provider-google#14569). The etag keeps a deployment
 * that came between from being undone (google.aip.dev/154: ABORTED).
 */
function update(api: ProviderApi, path: string, service: Fields, mark: string, signal: AbortSignal): Promise<ApiAnswer> {
  const { etag, template } = service
  const { revision: _, annotations, ...rest } = recordIn(template)
  const body = { etag, template: { ...rest, annotations: { ...recordIn(annotations), [KEY]: mark } } }
  return api({ method: 'PATCH', path: `${path}?updateMask=template`, body, repeatable: true }, signal)
}

const markOf = ({ template }: Fields): unknown => recordIn(recordIn(template).annotations)[KEY]

/** run/docs/rollouts-rollbacks-traffic-migration: where traffic is split, or held by a revision, a new one gets none of it by itself. */
function servesLatest({ traffic }: Fields): boolean {
  const targets = Array.isArray(traffic) ? (traffic as readonly unknown[]).map(recordIn) : []
  return targets.every(({ type, percent = 0 }) => percent === 0 || type === 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST')
}

const pinned = ({ name }: Consumer): KeyturnError =>
  new KeyturnError(
    'unsupported/provider',
    `Cloud Run: the traffic of ${name} is held by a revision, so that a new one would serve nobody: deploy one, and move the traffic`
  )

/** google/rpc/code.proto. 429 and 5xx are told by the status. */
const CODES: Readonly<Record<string, Code>> = {
  UNAUTHENTICATED: 'denied/provider',
  PERMISSION_DENIED: 'denied/provider',
  NOT_FOUND: 'not-found/principal',
  RESOURCE_EXHAUSTED: 'throttled/provider'
}

/** run/docs/reference/iam/permissions. A new revision runs as the service’s account: “iam.serviceaccounts.actAs denied” has the same code. */
const MESSAGES: Partial<Record<Code, (name: string) => string>> = {
  'denied/provider': (name) =>
    `the call was denied; it needs run.services.get and run.services.update on ${name}, and iam.serviceAccounts.actAs on the account that it runs as`,
  'not-found/principal': (name) => `there is no service ${name}`
}

function refusal({ json, status }: ApiAnswer, { name }: Consumer): KeyturnError {
  const vendor = codeIn(json) ?? String(status)
  const code = codeFor(CODES, vendor, status)
  const message = MESSAGES[code]?.(name) ?? `the restart of ${name} was answered with ${vendor}`
  return new KeyturnError(code, `Cloud Run: ${message}`, vendor)
}

const codeIn = (json: unknown): string | undefined => wordIn(recordIn(recordIn(json).error).status)
