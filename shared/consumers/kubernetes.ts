import { type Code, KeyturnError } from '../errors.ts'
import type { Consumer, Consumers } from '../ports/consumers.ts'
import { type ApiAnswer, bearer, type CallSettings, providerApi } from '../provider-api.ts'
import { partsOf } from '../restart.ts'
import type { SecretText } from '../types.ts'
import { codeFor, wordIn } from '../vendor-code.ts'

export interface KubernetesSettings extends CallSettings {
  /** `https://10.0.0.1:6443`. */
  readonly apiServer: string
  readonly token: (signal: AbortSignal) => Promise<SecretText>
}

/**
 * What `kubectl rollout restart` does (kubernetes/kubectl, pkg/polymorphichelpers/objectrestarter.go): an annotation of the pods’
 * template changes, so the controller makes the pods anew by the workload’s own strategy. The right: patch, of these in apps.
 */
export function kubernetesWorkload({ apiServer, token, ...rest }: KubernetesSettings): Consumers['restart'] {
  const api = providerApi({ ...rest, peer: 'the Kubernetes API server', endpoint: apiServer, authorize: bearer(token) })
  const { now = Date.now } = rest
  return async (consumer, _, signal) => {
    const [namespace, kind, name] = partsOf(consumer)
    const answer = await api(
      {
        method: 'PATCH',
        // kubernetes.io/docs/reference/using-api/server-side-apply, “Field management”: who set the annotation.
        path: `/apis/apps/v1/namespaces/${namespace}/${kind}s/${name}?fieldManager=keyturn`,
        body: patchAt(now()),
        headers: { 'content-type': 'application/strategic-merge-patch+json' },
        // The same time again changes nothing.
        repeatable: true
      },
      signal
    )
    if (answer.status !== 200 || !answer.isJson) throw refusal(answer, consumer)
    const why = waitsFor(answer.json)
    if (why) throw new KeyturnError(why.code, `${name} in ${namespace} ${why.says}`, why.vendor)
  }
}

/** With milliseconds, which kubectl leaves out: a second promotion within the same second is a restart too. */
function patchAt(ms: number): string {
  const annotations = { 'kubectl.kubernetes.io/restartedAt': new Date(ms).toISOString() }
  return JSON.stringify({ spec: { template: { metadata: { annotations } } } })
}

interface Spec {
  readonly paused?: unknown
  readonly updateStrategy?: { readonly type?: unknown; readonly rollingUpdate?: { readonly partition?: unknown } | null } | null
}

/**
 * What keeps a template that was accepted from the pods. kubectl refuses a paused deployment; the patch brings its pods about when
 * it is resumed. kubernetes.io/docs/concepts/workloads/controllers/statefulset, “Update strategies”: with OnDelete, and below a
 * partition, a person deletes the pods or lowers it.
 */
function waitsFor(json: unknown): { readonly code: Code; readonly says: string; readonly vendor: string } | undefined {
  const { paused, updateStrategy } = (json as { spec?: Spec } | null | undefined)?.spec ?? {}
  const partition = updateStrategy?.rollingUpdate?.partition
  if (paused === true)
    return { code: 'unavailable/provider', says: 'is paused: kubectl rollout resume makes its pods anew', vendor: 'paused' }
  if (updateStrategy?.type === 'OnDelete')
    return { code: 'unsupported/provider', says: 'is updated OnDelete: delete its pods', vendor: 'OnDelete' }
  if (typeof partition === 'number' && partition > 0)
    return { code: 'unsupported/provider', says: `keeps its pods below ${partition}: lower the partition`, vendor: 'partition' }
  return undefined
}

/** `reason` of a Status (kubernetes/apimachinery, pkg/apis/meta/v1/types.go, StatusReason). 429 and 5xx are told by the status. */
const CODES: Readonly<Record<string, Code>> = {
  Unauthorized: 'denied/provider',
  Forbidden: 'denied/provider',
  NotFound: 'not-found/principal',
  TooManyRequests: 'throttled/provider'
}

const MESSAGES: Partial<Record<Code, (namespace: string, kind: string, name: string) => string>> = {
  'denied/provider': (namespace, kind) => `the call was denied; it needs patch on ${kind}s (apps) in the namespace ${namespace}`,
  'not-found/principal': (namespace, kind, name) => `there is no ${kind} ${name} in the namespace ${namespace}`
}

function refusal({ json, status }: ApiAnswer, consumer: Consumer): KeyturnError {
  const [namespace = '', kind = '', name = ''] = partsOf(consumer)
  const vendor = reasonIn(json) ?? String(status)
  const code = codeFor(CODES, vendor, status)
  const message = MESSAGES[code]?.(namespace, kind, name) ?? `the restart of ${kind} ${name} was answered with ${vendor}`
  return new KeyturnError(code, `the Kubernetes API server: ${message}`, vendor)
}

const reasonIn = (json: unknown): string | undefined => wordIn((json as { reason?: unknown } | null | undefined)?.reason)
